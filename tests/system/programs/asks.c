/* A client for proof mode, linked statically: `asks PORT` asks once, waits a second for each answer, and makes three attempts in all. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int ask(in_port_t port)
{
	static const char request[] = "GET /order/1 HTTP/1.1\r\nHost: dependency\r\nConnection: close\r\n\r\n";
	const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval limit = {.tv_sec = 1};
	struct sockaddr_in peer = {0};
	socklen_t len = sizeof(peer);
	char answer[256];
	int ok = 0;
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0) {
		/* Whoever stands between must not be seen. */
		if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 || memcmp(&peer, &to, 8) != 0)
			_exit(9);
		ok = send(fd, request, strlen(request), MSG_NOSIGNAL) > 0 && recv(fd, answer, sizeof(answer), 0) > 12 &&
		     answer[9] == '2';
	}
	close(fd);
	return ok;
}

int main(int argc, char **argv)
{
	const in_port_t port = htons((in_port_t)atoi(argc > 1 ? argv[1] : "0"));

	for (int attempt = 0; attempt < 3; attempt++) {
		if (ask(port))
			return 0;
		usleep(50000);
	}
	return 1;
}
