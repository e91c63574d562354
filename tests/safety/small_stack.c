/* Threads with the smallest stack that glibc allows (16 KiB) make hooked calls of every family. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <time.h>

#include "claim.h"

#define THREADS 40
#define SMALLEST_STACK 16384 /* PTHREAD_STACK_MIN, which is no constant any more */

static int log_fd = -1;

static void *work(void *unused)
{
	struct sockaddr_in nowhere = {.sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char in[64], text[64];
	struct iovec parts[2] = {{.iov_base = in, .iov_len = 2}, {.iov_base = text, .iov_len = 3}};
	struct epoll_event event;
	int pair[2], s, epoll;
	struct pollfd one;

	(void)unused;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	ping(pair, 20);
	one = (struct pollfd){.fd = pair[1], .events = POLLIN};
	CHECK(poll(&one, 1, 0) == 0);
	CHECK(send(pair[0], "hello", 5, 0) == 5);
	CHECK(readv(pair[1], parts, 2) == 5);
	CHECK(select(0, NULL, NULL, NULL, &(struct timeval){.tv_usec = 10}) == 0);
	epoll = epoll_create1(0);
	CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
	s = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(s, (struct sockaddr *)&nowhere, sizeof nowhere) == -1 && errno == ECONNREFUSED);
	CHECK(nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL) == 0);
	CHECK(dprintf(log_fd, "thread says %d and %s\n", 42, "text") == 24);
	close(s);
	close(epoll);
	close(pair[0]);
	close(pair[1]);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_attr_t attr;
	int pipes[2];
	char text[4096];

	CHECK(pipe(pipes) == 0);
	log_fd = pipes[1];
	CHECK(pthread_attr_init(&attr) == 0);
	CHECK(pthread_attr_setstacksize(&attr, SMALLEST_STACK) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], &attr, work, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(read(pipes[0], text, sizeof text) == THREADS * 24);
	claim("CONNECT", THREADS);
	puts("done");
	return 0;
}
