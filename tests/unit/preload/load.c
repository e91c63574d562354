/*
 * A known load for conservation.c: THREADS threads that each make exactly N calls of every kind in the table below.
 * load N: prints the number of hooked calls that N adds (N = 0 makes none of them, but everything around them).
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define THREADS 6

struct place {
	int pair[2];
	int set;
	int timer;
	FILE *log;
	int log_fd;
	sem_t sem;
};

static int rounds;

#define MUST(x) \
	do { \
		if (!(x)) { \
			perror(#x); \
			abort(); \
		} \
	} while (0)

static void do_pair(struct place *p)
{
	char b[64] = "GET / HTTP/1.1\r\n\r\n";

	MUST(write(p->pair[0], b, sizeof(b)) == 64);
	MUST(read(p->pair[1], b, sizeof(b)) == 64);
}

static void do_send(struct place *p)
{
	char b[1000] = "x";

	MUST(send(p->pair[0], b, sizeof(b), 0) == 1000);
	MUST(recv(p->pair[1], b, sizeof(b), MSG_WAITALL) == 1000);
}

static void do_vector(struct place *p)
{
	char b[64] = "";
	struct iovec iov[2] = {{b, 20}, {b + 20, 44}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};

	MUST(writev(p->pair[0], iov, 2) == 64);
	MUST(recvmsg(p->pair[1], &m, MSG_WAITALL) == 64);
}

static void do_failed(struct place *p)
{
	char b = 0;

	(void)p;
	MUST(write(-1, &b, 1) < 0 && errno == EBADF);
	MUST(recv(p->pair[1], &b, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
}

static void do_poll(struct place *p)
{
	struct pollfd f = {.fd = p->pair[1], .events = POLLIN};

	MUST(poll(&f, 1, 0) == 0);
}

static void do_select(struct place *p)
{
	struct timeval none = {0};
	fd_set in;

	FD_ZERO(&in);
	FD_SET(p->pair[1], &in);
	MUST(select(p->pair[1] + 1, &in, NULL, NULL, &none) == 0);
}

static void do_epoll(struct place *p)
{
	struct epoll_event e;

	MUST(epoll_wait(p->set, &e, 1, 0) == 0);
}

static void do_option(struct place *p)
{
	const int on = 1;

	MUST(setsockopt(p->pair[0], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0);
}

static void do_fds(struct place *p)
{
	const int fd = dup(p->pair[0]);

	MUST(fd >= 0 && close(fd) == 0);
}

static void do_open(struct place *p)
{
	const int fd = open("/dev/null", O_RDWR);

	(void)p;
	MUST(fd >= 0 && close(fd) == 0);
}

static void do_timer(struct place *p)
{
	const struct itimerspec off = {0};

	MUST(timerfd_settime(p->timer, 0, &off, NULL) == 0);
}

static void do_sleep(struct place *p)
{
	const struct timespec none = {0};

	(void)p;
	MUST(nanosleep(&none, NULL) == 0);
}

static void do_sem(struct place *p)
{
	MUST(sem_post(&p->sem) == 0 && sem_wait(&p->sem) == 0);
}

static void do_stdio(struct place *p)
{
	MUST(fputs("a line of text that is put into a log\n", p->log) >= 0);
	MUST(fprintf(p->log, "request %d took %s\n", 7, "12 ms") > 0);
	MUST(fwrite("xyz\n", 1, 4, p->log) == 4);
	MUST(fputc('\n', p->log) == '\n');
	MUST(dprintf(p->log_fd, "%d\n", 5) == 2);
}

static void do_resolve(struct place *p)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
	struct addrinfo *list;

	(void)p;
	MUST(getaddrinfo("127.0.0.1", "80", &hints, &list) == 0);
	freeaddrinfo(list);
}

/* Not a call that a record is due for. */
static void do_unseen(struct place *p)
{
	const int fd = open("/proc/self/status", O_RDONLY);
	char b;

	(void)read(p->log_fd, &b, 1);
	MUST(fd >= 0 && read(fd, &b, 1) == 1 && close(fd) == 0);
}

static const struct {
	void (*run)(struct place *p);
	int calls;
} table[] = {
	{do_pair, 2}, {do_send, 2}, {do_vector, 2}, {do_failed, 2}, {do_poll, 1}, {do_select, 1}, {do_epoll, 1},   {do_option, 1},
	{do_fds, 2},  {do_open, 2}, {do_timer, 1},  {do_sleep, 1},  {do_sem, 1},  {do_stdio, 5},  {do_resolve, 1}, {do_unseen, 0},
};
#define KINDS (sizeof(table) / sizeof(table[0]))

static void *work(void *arg)
{
	struct place *p = arg;

	for (int i = 0; i < rounds; i++) {
		for (size_t k = 0; k < KINDS; k++)
			table[k].run(p);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct place places[THREADS];
	pthread_t threads[THREADS];
	long calls = 0;

	rounds = argc > 1 ? atoi(argv[1]) : 0;
	for (int i = 0; i < THREADS; i++) {
		struct place *p = &places[i];

		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, p->pair) == 0);
		p->set = epoll_create1(0);
		p->timer = timerfd_create(CLOCK_MONOTONIC, 0);
		p->log_fd = open("/tmp", O_RDWR | O_APPEND | O_TMPFILE, 0600);
		MUST(p->set >= 0 && p->timer >= 0 && p->log_fd >= 0);
		p->log = fdopen(p->log_fd, "a");
		MUST(p->log && sem_init(&p->sem, 0, 0) == 0);
		/* Each thread has its ring before the calls that are counted, and with N = 0 as well. */
		MUST(dprintf(p->log_fd, "start\n") == 6);
	}
	for (int i = 0; i < THREADS; i++)
		MUST(pthread_create(&threads[i], NULL, work, &places[i]) == 0);
	for (int i = 0; i < THREADS; i++)
		MUST(pthread_join(threads[i], NULL) == 0);
	for (size_t k = 0; k < KINDS; k++)
		calls += table[k].calls;
	printf("%ld\n", calls * rounds * THREADS);
	return 0;
}
