/*
 * Takes one thing so many times a second for so long, and gives it back or (leak) does not: resources KIND leak|ok RATE SECONDS. What takes it is
 * a function of the kind's name with take_ before it, which findings must name. Peers are processes of its own, of which nothing is to be told.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TAKE(kind) __attribute__((noinline)) static int take_##kind(void)
#define MUST(x) \
	do { \
		if (!(x)) \
			exit(9); \
	} while (0)

static bool leak;
static struct sockaddr_in server = {.sin_family = AF_INET};

static int listener_new(int backlog)
{
	socklen_t len = sizeof server;
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.sin_port = 0;
	MUST(fd >= 0 && bind(fd, (struct sockaddr *)&server, sizeof server) == 0 && listen(fd, backlog) == 0);
	MUST(getsockname(fd, (struct sockaddr *)&server, &len) == 0);
	return fd;
}

/* Forks what ends with us. True in it. */
static bool helper(void)
{
	const pid_t parent = getpid(), pid = fork();

	MUST(pid >= 0);
	if (pid != 0)
		return false;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	return true;
}

static void *answer(void *arg)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	const int fd = (int)(long)arg;
	char bytes[256];

	while (read(fd, bytes, sizeof bytes) > 0)
		if (write(fd, ok, sizeof ok - 1) < 0)
			break;
	close(fd);
	return NULL;
}

static void in_thread(void *(*work)(void *), long arg)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, work, (void *)arg) == 0);
	pthread_detach(t);
}

/* A server in a process of its own. */
static void answering(void)
{
	const int fd = listener_new(64);

	if (helper())
		for (;;)
			in_thread(answer, accept(fd, NULL, NULL));
	close(fd);
}

/* Clients that come and go, in a process of their own. */
static void clients(void)
{
	if (!helper())
		return;
	for (;;) {
		const int fd = socket(AF_INET, SOCK_STREAM, 0);
		char byte = 'x';

		if (connect(fd, (struct sockaddr *)&server, sizeof server) == 0 && write(fd, &byte, 1) == 1)
			(void)!read(fd, &byte, 1);
		close(fd);
		usleep(50000);
	}
}

/* -- what is taken: a descriptor that main closes unless it leaks, or -1 -- */

TAKE(read)
{
	return open("/etc/hostname", O_RDONLY);
}

TAKE(stream)
{
	static FILE *f;

	if (f && !leak)
		fclose(f);
	f = fopen("/etc/passwd", "r");
	return -1;
}

TAKE(write)
{
	return open("/tmp", O_WRONLY | O_TMPFILE, 0600);
}

TAKE(pipe)
{
	int fds[2];

	MUST(pipe(fds) == 0);
	if (!leak)
		close(fds[1]);
	return fds[0];
}

TAKE(eventfd)
{
	return eventfd(0, EFD_CLOEXEC);
}

TAKE(epoll)
{
	return epoll_create1(0);
}

TAKE(timer)
{
	return timerfd_create(CLOCK_MONOTONIC, 0);
}

TAKE(copy)
{
	return dup(1);
}

static int connected(void)
{
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	MUST(connect(fd, (struct sockaddr *)&server, sizeof server) == 0);
	return fd;
}

static void asks(int fd)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	char bytes[256];

	MUST(write(fd, request, sizeof request - 1) > 0 && read(fd, bytes, sizeof bytes) > 0);
}

TAKE(accepted)
{
	const int fd = accept(server.sin_port ? 3 : -1, NULL, NULL);
	char byte;

	while (read(fd, &byte, 1) > 0 && write(fd, &byte, 1) > 0)
		;
	return fd;
}

/* The repaired one keeps its connection. */
TAKE(churn)
{
	static int kept = -1;

	if (kept < 0)
		kept = connected();
	asks(kept);
	if (leak) {
		close(kept);
		kept = -1;
	}
	return -1;
}

/* The repaired one keeps its connection, too. */
TAKE(socket)
{
	if (!leak)
		return take_churn();
	const int fd = connected();

	asks(fd);
	return fd;
}

static void *waits(void *arg)
{
	if (leak)
		for (;;)
			pause();
	return arg;
}

TAKE(thread)
{
	in_thread(waits, 0);
	return -1;
}

TAKE(child)
{
	if (helper()) {
		if (leak)
			for (;;)
				pause();
		_exit(0);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return -1;
}

TAKE(zombie)
{
	if (helper())
		_exit(0);
	if (!leak)
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	return -1;
}

/* Connections that nobody accepts; the repaired one does. */
TAKE(backlog)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)!connect(fd, (struct sockaddr *)&server, sizeof server);
	if (!leak)
		close(accept(3, NULL, NULL));
	else
		usleep(20000);
	return fd;
}

static void listens(void)
{
	MUST(listener_new(leak ? 1 : 64) == 3);
}

static void listens_for_clients(void)
{
	listens();
	clients();
}

static const struct {
	const char *name;
	int (*take)(void);
	void (*prepare)(void);
} kinds[] = {
	{"read", take_read, NULL},          {"stream", take_stream, NULL},
	{"write", take_write, NULL},        {"pipe", take_pipe, NULL},
	{"eventfd", take_eventfd, NULL},    {"epoll", take_epoll, NULL},
	{"timer", take_timer, NULL},        {"copy", take_copy, NULL},
	{"socket", take_socket, answering}, {"accepted", take_accepted, listens_for_clients},
	{"churn", take_churn, answering},   {"thread", take_thread, NULL},
	{"child", take_child, NULL},        {"zombie", take_zombie, NULL},
	{"backlog", take_backlog, listens},
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	size_t kind = 0;

	if (argc != 5)
		return 2;
	while (kind < sizeof kinds / sizeof kinds[0] && strcmp(kinds[kind].name, argv[1]) != 0)
		kind++;
	if (kind == sizeof kinds / sizeof kinds[0])
		return 2;
	leak = strcmp(argv[2], "leak") == 0;
	if (kinds[kind].prepare)
		kinds[kind].prepare();

	const double rate = atof(argv[3]), begun = now_s(), end = begun + atof(argv[4]);
	for (unsigned int i = 1; now_s() < end; i++) {
		const int fd = kinds[kind].take();
		const double wait = begun + i / rate - now_s();

		if (fd >= 0 && !leak)
			close(fd);
		if (wait > 0)
			usleep((useconds_t)(wait * 1e6));
	}
	return 0;
}
