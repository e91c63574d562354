/*
 * One small program's calls, reachable by two ways from the same code: through the dynamic linker's choice (the hook, when watched) and
 * straight into libc. So bare and watched calls run by turns in one process, on the same descriptors, at the same addresses.
 * All on the one thread that measures.
 */
#include "hook_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "wire/shared.h"

#define BYTES 64
#define RING_BYTES (128U * 1024U)

/* FUNCTION(returns, name, parameters) */
#define FUNCTIONS(FUNCTION) \
	FUNCTION(ssize_t, write, (int, const void *, size_t)) \
	FUNCTION(ssize_t, read, (int, void *, size_t)) \
	FUNCTION(ssize_t, send, (int, const void *, size_t, int)) \
	FUNCTION(ssize_t, writev, (int, const struct iovec *, int)) \
	FUNCTION(ssize_t, pread, (int, void *, size_t, off_t)) \
	FUNCTION(int, poll, (struct pollfd *, nfds_t, int)) \
	FUNCTION(int, epoll_wait, (int, struct epoll_event *, int, int)) \
	FUNCTION(int, setsockopt, (int, int, int, const void *, socklen_t)) \
	FUNCTION(int, socket, (int, int, int)) \
	FUNCTION(int, open, (const char *, int, ...)) \
	FUNCTION(int, close, (int)) \
	FUNCTION(int, sem_post, (sem_t *)) \
	FUNCTION(int, sem_wait, (sem_t *)) \
	FUNCTION(size_t, fwrite, (const void *, size_t, size_t, FILE *)) \
	FUNCTION(int, fprintf, (FILE *, const char *, ...))

struct functions {
#define FIELD(returns, name, parameters) returns(*name) parameters;
	FUNCTIONS(FIELD)
};

static struct functions of_program, of_libc, of_least;
const struct functions *const hooked = &of_program;
const struct functions *const bare = &of_libc;
const struct functions *const least = &of_least;

static int near[2];    /* a socketpair */
static int through[2]; /* the same over TCP on the loopback */
static int set;
static int file;
static FILE *log_file;
static sem_t sem;
static _Atomic uint8_t *policy;
static char bytes[CALLS_BATCH * BYTES];

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	exit(2);
}

static uint64_t ticks(void)
{
#if defined(__x86_64__)
	return __rdtsc();
#else
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
#endif
}

/* What recording a call cannot do without. */
static ssize_t least_write(int fd, const void *from, size_t n)
{
	static _Alignas(64) struct wire_record ring[RING_BYTES / sizeof(struct wire_record)];
	static uint64_t head;
	struct wire_record *r = &ring[head % (RING_BYTES / sizeof(*r))];
	const uint64_t t0 = ticks();
	const ssize_t ret = of_libc.write(fd, from, n);

	*r = (struct wire_record){
		.event = WIRE_WRITE, .units = 1, .seq = (uint32_t)head, .t0 = t0, .t1 = ticks(), .ret = ret, .fd = fd, .a0 = n};
	__atomic_store_n(&head, head + 1, __ATOMIC_RELEASE);
	return ret;
}

static void near_fill(void)
{
	must(of_libc.write(near[0], bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes), "write");
}

static void near_empty(void)
{
	must(of_libc.read(near[1], bytes, sizeof(bytes)) > 0, "read");
}

/* The agent takes fewer bytes of a connection whose protocol it does not know: not here. */
static void through_bytes(void)
{
	atomic_store(&policy[through[0]], WIRE_POLICY_HEAD_256);
}

static void through_empty(void)
{
	for (size_t left = sizeof(bytes); left;) {
		const ssize_t n = of_libc.read(through[1], bytes, left);

		must(n > 0, "read");
		left -= (size_t)n;
	}
}

static void do_write(const struct functions *f)
{
	must(f->write(near[0], bytes, BYTES) == BYTES, "write");
}

static void do_send(const struct functions *f)
{
	must(f->send(near[0], bytes, BYTES, 0) == BYTES, "send");
}

static void do_read(const struct functions *f)
{
	must(f->read(near[1], bytes, BYTES) == BYTES, "read");
}

static void do_tcp(const struct functions *f)
{
	must(f->write(through[0], bytes, BYTES) == BYTES, "write");
}

static void do_writev(const struct functions *f)
{
	const struct iovec iov[2] = {{bytes, BYTES / 2}, {bytes + BYTES, BYTES / 2}};

	must(f->writev(near[0], iov, 2) == BYTES, "writev");
}

static void do_poll(const struct functions *f)
{
	struct pollfd p = {.fd = near[1], .events = POLLIN};

	must(f->poll(&p, 1, 0) == 0, "poll");
}

static void do_epoll(const struct functions *f)
{
	struct epoll_event e;

	must(f->epoll_wait(set, &e, 1, 0) == 0, "epoll_wait");
}

static void do_setsockopt(const struct functions *f)
{
	const int on = 1;

	must(f->setsockopt(near[0], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0, "setsockopt");
}

static void do_socket(const struct functions *f)
{
	const int fd = f->socket(AF_UNIX, SOCK_STREAM, 0);

	must(fd >= 0 && f->close(fd) == 0, "socket");
}

static void do_open(const struct functions *f)
{
	const int fd = f->open("/dev/null", O_RDONLY | O_CLOEXEC);

	must(fd >= 0 && f->close(fd) == 0, "open");
}

static void do_sem(const struct functions *f)
{
	must(f->sem_post(&sem) == 0 && f->sem_wait(&sem) == 0, "sem");
}

static void do_fwrite(const struct functions *f)
{
	must(f->fwrite(bytes, 1, BYTES, log_file) == BYTES, "fwrite");
}

static void do_fprintf(const struct functions *f)
{
	must(f->fprintf(log_file, "request %d took %s ms\n", 17, "230") > 0, "fprintf");
}

static void log_empty(void)
{
	must(ftruncate(file, 0) == 0, "ftruncate");
}

static void do_plain_file(const struct functions *f)
{
	must(f->pread(file, bytes, BYTES, 0) == 0, "pread");
}

const struct family families[] = {
	[FAMILY_WRITE] = {"write, 64 bytes, socketpair", NULL, do_write, near_empty, 1},
	{"send, 64 bytes, socketpair", NULL, do_send, near_empty, 1},
	{"read, 64 bytes, socketpair", near_fill, do_read, NULL, 1},
	{"writev, 2 x 32 bytes, socketpair", NULL, do_writev, near_empty, 1},
	{"write, 64 bytes, TCP, with bytes", through_bytes, do_tcp, through_empty, 1},
	{"poll, one descriptor, no wait", NULL, do_poll, NULL, 1},
	{"epoll_wait, no wait", NULL, do_epoll, NULL, 1},
	{"setsockopt", NULL, do_setsockopt, NULL, 1},
	{"socket + close", NULL, do_socket, NULL, 2},
	{"open + close, reading (no record)", NULL, do_open, NULL, 0},
	{"sem_post + sem_wait, free", NULL, do_sem, NULL, 1},
	{"fwrite, 64 bytes, log", NULL, do_fwrite, log_empty, 2},
	{"fprintf, 2 arguments, log", NULL, do_fprintf, log_empty, 2},
	{"pread of a file (not recorded)", NULL, do_plain_file, NULL, 0},
};
const size_t families_count = sizeof(families) / sizeof(families[0]);

static void find_functions(void)
{
	void *const libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);

	must(libc != NULL, "dlopen libc.so.6");
#define FIND(returns, name, parameters) \
	of_program.name = name; \
	of_libc.name = (returns(*) parameters)dlsym(libc, #name); \
	must(of_libc.name != NULL, "dlsym " #name);
	FUNCTIONS(FIND)
	of_least = of_libc;
	of_least.write = least_write;
}

static void make_tcp(void)
{
	struct sockaddr_storage address = {.ss_family = AF_INET};
	socklen_t len = sizeof(address);
	const int listener = socket(AF_INET, SOCK_STREAM, 0);

	through[0] = socket(AF_INET, SOCK_STREAM, 0);
	must(listener >= 0 && listen(listener, 1) == 0 && getsockname(listener, (struct sockaddr *)&address, &len) == 0 &&
		     connect(through[0], (struct sockaddr *)&address, len) == 0,
	     "a TCP connection to myself");
	through[1] = accept(listener, NULL, NULL);
	must(through[1] >= 0, "accept");
	close(listener);
}

void calls_prepare(_Atomic uint8_t *own_policy)
{
	char path[] = "/tmp/gapscope-bench-XXXXXX.log";

	policy = own_policy;
	find_functions();
	file = mkstemps(path, 4);
	log_file = fopen(path, "a");
	unlink(path);
	set = epoll_create1(0);
	must(file >= 0 && log_file && set >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, near) == 0 && sem_init(&sem, 0, 0) == 0,
	     "descriptors");
	make_tcp();
}
