/*
 * A program that notices whatever an attach changes. Twelve threads do what programs do, and check what they get: malloc, dlopen, fork,
 * epoll, poll, nanosleep, timerfd, signals, errno, MXCSR and vector registers over a system call, the red zone of a leaf function, under a
 * SIGALRM every 2 ms. Runs until SIGTERM, prints how many rounds each thread made, and fails with a line on the first surprise.
 *
 *   attach_calm PLUGIN       a shared library to load and unload
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xmmintrin.h>

#define CHECK(what) \
	do { \
		if (!(what)) { \
			dprintf(2, "%s:%d: %s does not hold, errno %d (%s)\n", __FILE__, __LINE__, #what, errno, strerror(errno)); \
			_exit(1); \
		} \
	} while (0)

static atomic_bool stop;
static atomic_ulong alarms;
static const char *plugin;

static void on_alarm(int number)
{
	(void)number;
	atomic_fetch_add(&alarms, 1);
}

static sigset_t mask_of(void)
{
	sigset_t now;

	CHECK(pthread_sigmask(SIG_SETMASK, NULL, &now) == 0);
	return now;
}

/* SIGALRM goes to one thread only, so that no other one may ever see EINTR. */
static void only_this_thread(bool alarm_too)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	sigaddset(&s, SIGTERM);
	if (!alarm_too)
		sigaddset(&s, SIGALRM);
	CHECK(pthread_sigmask(SIG_SETMASK, &s, NULL) == 0);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static void do_malloc(void)
{
	char *p[64];

	for (int i = 0; i < 64; i++) {
		p[i] = malloc((size_t)(i * 97 + 1));
		CHECK(p[i]);
		memset(p[i], i, (size_t)(i * 97 + 1));
	}
	for (int i = 0; i < 64; i++) {
		CHECK(p[i][i * 97] == i);
		free(p[i]);
	}
	usleep(100);
}

static void do_dlopen(void)
{
	void *h = dlopen(plugin, RTLD_NOW);

	CHECK(h);
	CHECK(dlsym(h, "plugin_ping") || dlerror());
	CHECK(dlclose(h) == 0);
	usleep(2000);
}

static void do_fork(void)
{
	int status = -1;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(7);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	usleep(5000);
}

/* Blocking calls that nobody has a reason to interrupt: no EINTR, no time that is lost, errno untouched. */
static void do_epoll(void)
{
	int set = epoll_create1(EPOLL_CLOEXEC), fd = eventfd(0, EFD_CLOEXEC);
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = 42}, got;

	CHECK(set >= 0 && fd >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0);
	for (int i = 0; i < 20; i++) {
		uint64_t start = now_ns();

		errno = 4711;
		CHECK(epoll_wait(set, &got, 1, 7) == 0);
		CHECK(errno == 4711);
		CHECK(now_ns() - start >= 6900000);
	}
	CHECK(eventfd_write(fd, 3) == 0 && epoll_wait(set, &got, 1, -1) == 1 && got.data.u64 == 42);
	close(fd);
	close(set);
}

static void do_poll(void)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	for (int i = 0; i < 20; i++) {
		struct pollfd p = {.fd = pair[0], .events = POLLIN};
		uint64_t start = now_ns();

		errno = 4712;
		CHECK(poll(&p, 1, 5) == 0);
		CHECK(errno == 4712 && now_ns() - start >= 4900000);
	}
	close(pair[0]);
	close(pair[1]);
}

static void do_sleep(void)
{
	for (int i = 0; i < 20; i++) {
		struct timespec t = {.tv_nsec = 6000000}, left = {0};
		uint64_t start = now_ns();

		CHECK(nanosleep(&t, &left) == 0);
		CHECK(now_ns() - start >= 6000000);
	}
}

static void do_recv(void)
{
	struct timeval limit = {.tv_usec = 8000};
	int pair[2];
	char byte;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
	for (int i = 0; i < 10; i++) {
		CHECK(recv(pair[0], &byte, 1, 0) == -1 && errno == EAGAIN);
		CHECK(send(pair[1], "x", 1, 0) == 1 && recv(pair[0], &byte, 1, 0) == 1 && byte == 'x');
	}
	close(pair[0]);
	close(pair[1]);
}

static void do_timer(void)
{
	struct itimerspec in = {.it_value.tv_nsec = 3000000, .it_interval.tv_nsec = 3000000};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint64_t ticks = 0, n;

	CHECK(fd >= 0 && timerfd_settime(fd, 0, &in, NULL) == 0);
	for (int i = 0; i < 10; i++) {
		CHECK(read(fd, &n, sizeof n) == sizeof n && n > 0);
		ticks += n;
	}
	CHECK(ticks >= 10);
	close(fd);
}

/* Control word and vector registers over a system call made by hand: the kernel keeps them, so must whoever borrows the thread. */
static void do_registers(void)
{
	struct timespec t = {.tv_nsec = 4000000};
	const unsigned int mxcsr = _mm_getcsr();
	uint64_t in[2] = {0x0123456789abcdefULL, 0xfedcba9876543210ULL}, out[2] = {0, 0};
	register long kept __asm__("rbx") = 0x5ca1ab1e;
	long r = SYS_nanosleep;

	_mm_setcsr(mxcsr | _MM_ROUND_UP);
	__asm__ volatile("movdqu %[in], %%xmm7\n\t"
			 "syscall\n\t"
			 "movdqu %%xmm7, %[out]\n\t"
			 : "+a"(r), [out] "=m"(out), "+r"(kept)
			 : [in] "m"(in), "D"(&t), "S"(NULL)
			 : "rcx", "r11", "xmm7", "memory");
	CHECK(r == 0 && out[0] == in[0] && out[1] == in[1] && kept == 0x5ca1ab1e);
	CHECK(_mm_getcsr() == (mxcsr | _MM_ROUND_UP));
	_mm_setcsr(mxcsr);
}

/* A leaf function keeps what it likes in the 128 bytes below its stack pointer, also over a wait. */
__attribute__((noinline)) static uint64_t red_zone(const struct timespec *t)
{
	uint64_t got;
	long r = SYS_nanosleep;

	__asm__ volatile("movq %[mark], -8(%%rsp)\n\t"
			 "movq %[mark], -120(%%rsp)\n\t"
			 "syscall\n\t"
			 "movq -8(%%rsp), %[got]\n\t"
			 "xorq -120(%%rsp), %[got]\n\t"
			 : "+a"(r), [got] "=&r"(got)
			 : [mark] "r"(0x1122334455667788ULL), "D"(t), "S"(NULL)
			 : "rcx", "r11", "memory");
	return got;
}

static void do_red_zone(void)
{
	const struct timespec t = {.tv_nsec = 3000000};

	CHECK(red_zone(&t) == 0);
}

/* This thread alone is interrupted: every 2 ms, and its waits say so. */
static void do_signals(void)
{
	unsigned long before = atomic_load(&alarms);
	struct pollfd none = {.fd = -1};

	for (int i = 0; i < 50; i++) {
		int r = poll(&none, 1, 1000);

		CHECK(r == -1 && errno == EINTR);
	}
	CHECK(atomic_load(&alarms) > before);
}

static void do_select(void)
{
	struct timeval t = {.tv_usec = 9000};

	CHECK(select(0, NULL, NULL, NULL, &t) == 0);
}

static struct work {
	void (*run)(void);
	const char *name;
	unsigned long rounds;
} works[] = {
	{do_malloc, "malloc", 0},       {do_dlopen, "dlopen", 0},     {do_fork, "fork", 0},       {do_epoll, "epoll", 0},
	{do_poll, "poll", 0},           {do_sleep, "sleep", 0},       {do_recv, "recv", 0},       {do_timer, "timer", 0},
	{do_registers, "registers", 0}, {do_red_zone, "red zone", 0}, {do_signals, "signals", 0}, {do_select, "select", 0},
};

static void *work(void *arg)
{
	struct work *w = arg;
	sigset_t mask, now;

	only_this_thread(w->run == do_signals);
	mask = mask_of();
	while (!atomic_load(&stop)) {
		w->run();
		now = mask_of();
		CHECK(memcmp(&mask, &now, sizeof mask) == 0);
		w->rounds++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct itimerval tick = {.it_interval.tv_usec = 2000, .it_value.tv_usec = 2000};
	struct sigaction action = {.sa_handler = on_alarm}, now;
	pthread_t threads[sizeof works / sizeof works[0]];
	sigset_t term;
	int number;

	if (argc != 2)
		return 2;
	plugin = argv[1];
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	only_this_thread(false);
	for (size_t i = 0; i < sizeof works / sizeof works[0]; i++)
		CHECK(pthread_create(&threads[i], NULL, work, &works[i]) == 0);
	CHECK(setitimer(ITIMER_REAL, &tick, NULL) == 0);
	puts("ready");
	fflush(stdout);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	CHECK(sigwait(&term, &number) == 0);
	atomic_store(&stop, true);
	for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
		CHECK(pthread_join(threads[i], NULL) == 0);
		printf("%s %lu\n", works[i].name, works[i].rounds);
		CHECK(works[i].rounds > 0);
	}
	CHECK(sigaction(SIGALRM, NULL, &now) == 0 && now.sa_handler == on_alarm);
	return 0;
}
