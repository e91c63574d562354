/* Calls of many families with exact results: run with LD_BIND_NOW, beside another preloaded library, with a full ring, and plain. */
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>

#include "claim.h"

#define ROUNDS 3000

static void tcp_exchange(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof here;
	struct timeval limit = {.tv_sec = 5};
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), server;
	char text[8] = {0};

	CHECK(bind(listener, (struct sockaddr *)&here, sizeof here) == 0 && listen(listener, 5) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&here, &length) == 0);
	CHECK(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
	CHECK(connect(client, (struct sockaddr *)&here, sizeof here) == 0);
	server = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(server >= 0);
	CHECK(recv(server, text, sizeof text, 0) == -1 && errno == EAGAIN);
	CHECK(send(client, "ping", 4, MSG_NOSIGNAL) == 4);
	CHECK(poll(&(struct pollfd){.fd = server, .events = POLLIN}, 1, 5000) == 1);
	CHECK(recv(server, text, sizeof text, MSG_PEEK) == 4 && recv(server, text, sizeof text, 0) == 4);
	CHECK(strcmp(text, "ping") == 0);
	CHECK(shutdown(server, SHUT_WR) == 0 && read(client, text, 1) == 0);
	close(server);
	close(client);
	close(listener);
}

static void waits(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 77};
	const struct itimerspec soon = {.it_value = {.tv_nsec = 1000}};
	int epoll = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	unsigned long long expirations = 0;
	fd_set set;

	CHECK(epoll >= 0 && timer >= 0);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) == 0);
	CHECK(timerfd_settime(timer, 0, &soon, NULL) == 0);
	event.data.u64 = 0;
	CHECK(epoll_wait(epoll, &event, 1, 5000) == 1 && event.data.u64 == 77);
	FD_ZERO(&set);
	FD_SET(timer, &set);
	CHECK(select(timer + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(timer, &set));
	CHECK(read(timer, &expirations, sizeof expirations) == sizeof expirations && expirations == 1);
	close(timer);
	close(epoll);
}

static void stdio_and_files(void)
{
	char text[64] = {0}, small[4];
	const char *volatile long_text = "long text";
	int pipes[2], count = -1;
	FILE *stream;

	CHECK(pipe(pipes) == 0);
	stream = fdopen(pipes[1], "w");
	CHECK(stream != NULL);
	CHECK(fprintf(stream, "%d-%s-%5.2f%n|", 7, "seven", 7.0, &count) == 14 && count == 13);
	CHECK(fputs("fputs", stream) >= 0 && fputc('c', stream) == 'c' && fwrite("ab", 1, 2, stream) == 2);
	CHECK(fclose(stream) == 0);
	CHECK(read(pipes[0], text, sizeof text) == 22 && strcmp(text, "7-seven- 7.00|fputscab") == 0);
	close(pipes[0]);
	CHECK(snprintf(small, sizeof small, "%s", long_text) == 9 && strcmp(small, "lon") == 0);
}

static void names(void)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found = NULL;

	CHECK(getaddrinfo("127.0.0.1", "80", &hints, &found) == 0 && found != NULL);
	freeaddrinfo(found);
	CHECK(getaddrinfo("not a number", NULL, &hints, &found) == EAI_NONAME);
}

int main(void)
{
	int pair[2], copy;
	struct iovec parts[2];
	char a[3] = {0}, b[4] = {0};

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		ping(pair, 1);
		parts[0] = (struct iovec){.iov_base = (void *)"ab", .iov_len = 2};
		parts[1] = (struct iovec){.iov_base = (void *)"cde", .iov_len = 3};
		CHECK(writev(pair[0], parts, 2) == 5);
		parts[0] = (struct iovec){.iov_base = a, .iov_len = 2};
		parts[1] = (struct iovec){.iov_base = b, .iov_len = 3};
		CHECK(readv(pair[1], parts, 2) == 5 && strcmp(a, "ab") == 0 && strcmp(b, "cde") == 0);
		copy = dup(pair[0]);
		CHECK(copy >= 0 && send(copy, "d", 1, 0) == 1 && recv(pair[1], a, 1, 0) == 1 && a[0] == 'd');
		CHECK(close(copy) == 0);
		a[0] = 'a';
		if (i % 100 == 0) {
			tcp_exchange();
			waits();
			stdio_and_files();
			names();
		}
	}
	claim("DUP", ROUNDS);
	claim("CONNECT", ROUNDS / 100);
	claim("ACCEPT", ROUNDS / 100);
	claim("EPOLL_WAIT", ROUNDS / 100);
	claim("RESOLVE", ROUNDS / 100 * 2);
	printf("%d rounds\n", ROUNDS);
	return 0;
}
