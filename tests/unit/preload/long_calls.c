/*
 * For tail.c: calls that move more bytes than a record holds, through one buffer and through several. The byte at each place of the stream is
 * its place's (STREAM_BYTE in tail.c). One thread.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define CALL 40000

static unsigned char bytes[3 * CALL];

int main(void)
{
	struct iovec pieces[] = {{bytes + CALL, 1}, {NULL, 0}, {bytes + CALL + 1, CALL - 700}, {bytes + 2 * CALL - 699, 699}};
	int room = 8 * CALL;
	int pair[2];

	for (int i = 0; i < 3 * CALL; i++)
		bytes[i] = (unsigned char)(i % 251);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) != 0)
		return 2;
	if (write(pair[0], bytes, CALL) != CALL || writev(pair[0], pieces, 4) != CALL ||
	    send(pair[0], bytes + 2 * CALL, CALL, 0) != CALL)
		return 3;
	if (recv(pair[1], bytes, CALL, MSG_WAITALL) != CALL || recv(pair[1], bytes + CALL, 2 * CALL, MSG_WAITALL) != 2 * CALL)
		return 4;
	return 0;
}
