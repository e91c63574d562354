/*
 * For hot.c: from one call site, sends into a socket pair until it is full, and once more, which waits for its time-out; ROUNDS times.
 * One thread. Status 0: each full one has waited.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ROUNDS 20
#define TIMEOUT_US 2000

int main(void)
{
	const struct timeval soon = {.tv_usec = TIMEOUT_US};
	const int small = 1;
	static char bytes[1U << 20];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
	    setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)) != 0 ||
	    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) != 0)
		return 2;
	for (int i = 0; i < ROUNDS; i++) {
		while (write(pair[0], bytes, 64) == 64)
			;
		if (errno != EAGAIN)
			return 3;
		while (recv(pair[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			;
	}
	return 0;
}
