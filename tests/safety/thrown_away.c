/* With MSG_TRUNC a TCP socket throws bytes away, and there need be no buffer for them (tcp(7)): no hook may read one. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/syscall.h>

#include "claim.h"

#define PIECE 100U

int main(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	const int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	struct iovec none = {.iov_len = PIECE};
	struct msghdr message = {.msg_iov = &none, .msg_iovlen = 1};
	char bytes[8 * PIECE] = "";
	int server;

	CHECK(bind(listener, (struct sockaddr *)&address, len) == 0 && listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&address, &len) == 0);
	CHECK(connect(client, (struct sockaddr *)&address, len) == 0);
	server = accept(listener, NULL, NULL);
	CHECK(server >= 0 && send(client, bytes, sizeof(bytes), 0) == sizeof(bytes));
	CHECK(recv(server, bytes, PIECE, MSG_WAITALL) == PIECE);
	for (int i = 0; i < 2; i++) {
		CHECK(recv(server, NULL, PIECE, MSG_TRUNC) == PIECE);
		CHECK(recvfrom(server, NULL, PIECE, MSG_TRUNC, NULL, NULL) == PIECE);
		CHECK(recvmsg(server, &message, MSG_TRUNC) == PIECE);
	}
	CHECK(syscall(SYS_recvfrom, server, NULL, PIECE, MSG_TRUNC, NULL, NULL) == PIECE);
	puts("done");
	return 0;
}
