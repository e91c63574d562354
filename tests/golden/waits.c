/*
 * Clients that wait, one way each: what record.py records for the golden tests. Limits are just above a second, so that they count as
 * limits and not as slices, and a recording takes no longer than it must.
 *
 *   waits MODE PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_MS = 1200, SLICE_MS = 100 };

static uint16_t port;
static int fd = -1;
static char bytes[4096];
static sigjmp_buf out;

static void set_limit(int option, int ms)
{
	const struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	setsockopt(fd, SOL_SOCKET, option, &t, sizeof(t));
}

static int try_connect(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static void ask(void)
{
	static const char request[] = "GET /orders/17 HTTP/1.1\r\nHost: payments\r\n\r\n";

	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (try_connect() != 0 || send(fd, request, sizeof(request) - 1, 0) < 0)
		exit(2);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int read_all(void)
{
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		;
	return n < 0;
}

static int wait_read(int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms);
}

static int forever(void)
{
	ask();
	return read_all();
}

static int socket_timeout(void)
{
	ask();
	set_limit(SO_RCVTIMEO, LIMIT_MS);
	return read_all();
}

static int poll_limit(void)
{
	ask();
	int ready = wait_read(LIMIT_MS);
	close(fd);
	return ready <= 0;
}

/* As libraries do that want to stay interruptible. */
static int slices(void)
{
	ask();
	while (wait_read(SLICE_MS) == 0)
		;
	return 0;
}

/* What is left of one deadline, whatever arrives. */
static int remainder_of_one(void)
{
	ask();
	const int64_t until = now_ms() + 2 * LIMIT_MS;
	while (now_ms() < until && wait_read((int)(until - now_ms())) > 0 && recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
	close(fd);
	return 1;
}

static void on_alarm(int signal)
{
	(void)signal;
}

static int alarmed(void)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval in = {.it_value = {.tv_sec = 1, .tv_usec = 200000}};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &in, NULL);
	ask();
	return read_all();
}

static void *bark(void *unused)
{
	const struct timespec t = {.tv_sec = 2, .tv_nsec = 200000000};

	nanosleep(&t, NULL);
	shutdown(fd, SHUT_RDWR);
	return unused;
}

static int watchdog(void)
{
	pthread_t dog;

	ask();
	pthread_create(&dog, NULL, bark, NULL);
	read_all();
	pthread_join(dog, NULL);
	return 1;
}

/* Answered long before the dog would bark: nothing tells it from a wait without a limit, save the sleeper. */
static int watchdog_asleep(void)
{
	pthread_t dog;

	ask();
	pthread_create(&dog, NULL, bark, NULL);
	recv(fd, bytes, sizeof(bytes), 0);
	pthread_join(dog, NULL);
	return 0;
}

static int loop_with_timer(void)
{
	const struct itimerspec in = {.it_value = {.tv_sec = 1, .tv_nsec = 200000000}};
	int set = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
	struct epoll_event e = {.events = EPOLLIN};

	ask();
	timerfd_settime(timer, 0, &in, NULL);
	e.data.fd = fd;
	epoll_ctl(set, EPOLL_CTL_ADD, fd, &e);
	e.data.fd = timer;
	epoll_ctl(set, EPOLL_CTL_ADD, timer, &e);
	epoll_wait(set, &e, 1, -1);
	close(fd);
	return e.data.fd == timer;
}

static int busy(void)
{
	ask();
	for (int i = 0; i < LIMIT_MS / 20; i++) {
		if (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0 || errno != EAGAIN)
			return 0;
		usleep(20000);
	}
	return 1;
}

static int read_after_poll(void)
{
	ask();
	if (wait_read(LIMIT_MS) > 0)
		recv(fd, bytes, sizeof(bytes), 0);
	close(fd);
	return 0;
}

/* The peer should speak first, and does not. */
static int greeting(void)
{
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (try_connect() != 0)
		return 2;
	int ready = wait_read(LIMIT_MS);
	close(fd);
	return ready <= 0;
}

/* A handler that clears up and dies of the signal all the same: nobody gave up. */
static void clear_up(int number)
{
	close(fd);
	signal(number, SIG_DFL);
	raise(number);
}

static int killed(void)
{
	signal(SIGTERM, clear_up);
	ask();
	return read_all();
}

static int connect_timeout(void)
{
	fd = socket(AF_INET, SOCK_STREAM, 0);
	set_limit(SO_SNDTIMEO, LIMIT_MS);
	int bad = try_connect();
	close(fd);
	return bad != 0;
}

static void leave(int signal)
{
	(void)signal;
	siglongjmp(out, 1);
}

/* connect() is left by a jump: it never returns. */
static int connect_left(void)
{
	fd = socket(AF_INET, SOCK_STREAM, 0);
	signal(SIGALRM, leave);
	if (sigsetjmp(out, 1) == 0) {
		alarm(3);
		(void)try_connect();
	}
	close(fd);
	return 1;
}

static const struct {
	const char *mode;
	int (*run)(void);
} modes[] = {
	{"forever", forever},   {"socket_timeout", socket_timeout},   {"poll_limit", poll_limit},
	{"slices", slices},     {"remainder", remainder_of_one},      {"alarm", alarmed},
	{"watchdog", watchdog}, {"watchdog_asleep", watchdog_asleep}, {"loop_with_timer", loop_with_timer},
	{"busy", busy},         {"read_after_poll", read_after_poll}, {"greeting", greeting},
	{"killed", killed},     {"connect_timeout", connect_timeout}, {"connect_left", connect_left},
};

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	port = (uint16_t)atoi(argv[2]);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].mode, argv[1]) == 0)
			return modes[i].run();
	}
	return 2;
}
