/*
 * Made into a library that is preloaded behind ours, in libc's place: it gives descriptors numbers that the machine's own limit forbids, and
 * says that the limit is higher. So real hooks meet real transfers on descriptors beyond 100,000. Single thread.
 */
#include <dlfcn.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "claim.h"

#define LIMIT 300000

static int behind[LIMIT]; /* the real descriptor + 1, 0 = none */

/* What the kernel knows the descriptor as. */
static int known(int fd)
{
	struct rlimit real;

	if (fd < 0 || fd >= LIMIT || syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &real) != 0 || (rlim_t)fd < real.rlim_cur)
		return fd;
	return behind[fd] - 1;
}

#define NEXT(returns, name, parameters, ...) \
	returns name parameters \
	{ \
		static returns(*next) parameters; \
\
		if (next == NULL) \
			*(void **)&next = dlsym(RTLD_NEXT, #name); \
		return next(__VA_ARGS__); \
	}
NEXT(ssize_t, read, (int fd, void *to, size_t n), known(fd), to, n)
NEXT(ssize_t, write, (int fd, const void *from, size_t n), known(fd), from, n)
NEXT(ssize_t, recv, (int fd, void *to, size_t n, int flags), known(fd), to, n, flags)
NEXT(ssize_t, send, (int fd, const void *from, size_t n, int flags), known(fd), from, n, flags)
NEXT(int, dup, (int fd), known(fd))

int dup2(int fd, int to)
{
	if (known(to) == to)
		return (int)syscall(SYS_dup2, known(fd), to);
	behind[to] = dup(fd) + 1;
	return behind[to] > 0 ? to : -1;
}

int close(int fd)
{
	const int r = (int)syscall(SYS_close, known(fd));

	if (known(fd) != fd)
		behind[fd] = 0;
	return r;
}

int fcntl(int fd, int command, ...)
{
	va_list ap;
	long value;

	va_start(ap, command);
	value = va_arg(ap, long);
	va_end(ap);
	return (int)syscall(SYS_fcntl, known(fd), command, value);
}

/* Under another name: the header says that poll only writes there. */
int below_poll(struct pollfd *fds, nfds_t n, int ms) __asm__("poll");
int below_poll(struct pollfd *fds, nfds_t n, int ms)
{
	struct pollfd one;
	int r;

	CHECK(n == 1);
	one = (struct pollfd){.fd = known(fds->fd), .events = fds->events};
	r = (int)syscall(SYS_poll, &one, n, ms);
	fds->revents = one.revents;
	return r;
}

int setrlimit(__rlimit_resource_t what, const struct rlimit *limit)
{
	return what == RLIMIT_NOFILE && limit->rlim_cur <= LIMIT ? 0 : -1;
}
