/*
 * The life of descriptors other than sockets' own calls: close, dup, fcntl, ioctl, pipe, open. Any thread of the watched process.
 *
 * A vfork child runs these on its parent's memory under a descriptor table of its own: session_is_aside tells, and then nothing of
 * the parent's is touched.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "preload/call.h"

/* call_enter notes where it was called from: so it must be in the hook itself. */
#define FD_ENTER(c, event, fd) (call_enter(c, event, fd) && !session_is_aside())

static void forget_range(uint32_t first, uint32_t last)
{
	const uint32_t high = atomic_load_explicit(&shim.process->fd_high, memory_order_relaxed);

	for (uint32_t fd = first; fd < shim.policy_fds && fd < high && fd <= last; fd++)
		atomic_store_explicit(&shim.policy[fd], WIRE_POLICY_UNKNOWN, memory_order_relaxed);
}

HOOK_FAST(int, close, (int fd), (fd))
{
	struct call c;
	int r;

	if (shim_on() && fd_closing(fd))
		return KNOWN(close)(fd);
	if (!FD_ENTER(&c, WIRE_CLOSE, fd))
		return REAL(close)(fd);
	/* Before the call: behind it the number may be another thread's new descriptor. */
	forget_range((uint32_t)fd, (uint32_t)fd);
	call_begin(&c);
	r = REAL(close)(fd);
	call_end(&c, r, r < 0);
	emit(&c, NULL, 0, 0);
	return r;
}
HOOK_ALIAS(__close, close);

static void close_range_say(struct call *c, unsigned int last)
{
	c->flags |= WIRE_F_RANGE;
	c->a0 = last;
	emit(c, NULL, 0, 0);
}

HOOK_FN(int, close_range, unsigned int first, unsigned int last, int flags)
{
	struct call c;
	int r;

	if (!FD_ENTER(&c, WIRE_CLOSE, (int)first) || (flags & (int)CLOSE_RANGE_CLOEXEC))
		return REAL(close_range)(first, last, flags);
	forget_range(first, last);
	call_begin(&c);
	r = REAL(close_range)(first, last, flags);
	call_end(&c, r, r < 0);
	close_range_say(&c, last);
	return r;
}

HOOK_FN(void, closefrom, int first)
{
	struct call c;

	if (!FD_ENTER(&c, WIRE_CLOSE, first)) {
		REAL(closefrom)(first);
		return;
	}
	forget_range(first < 0 ? 0 : (uint32_t)first, UINT32_MAX);
	call_begin(&c);
	REAL(closefrom)(first);
	call_end(&c, 0, false);
	close_range_say(&c, UINT32_MAX);
}

static void dup_say(struct call *c, int from, uint64_t flags)
{
	if (c->ret >= 0 && c->ret != from)
		fd_copy_policy(from, (int)c->ret);
	c->a0 = flags;
	emit(c, NULL, 0, 0);
}

HOOK_FN(int, dup, int fd)
{
	struct call c;
	int r;

	if (!FD_ENTER(&c, WIRE_DUP, fd))
		return REAL(dup)(fd);
	call_begin(&c);
	r = REAL(dup)(fd);
	call_end(&c, r, r < 0);
	dup_say(&c, fd, 0);
	return r;
}

HOOK_FN(int, dup2, int fd, int to)
{
	struct call c;
	int r;

	if (!FD_ENTER(&c, WIRE_DUP, fd))
		return REAL(dup2)(fd, to);
	call_begin(&c);
	r = REAL(dup2)(fd, to);
	call_end(&c, r, r < 0);
	dup_say(&c, fd, 0);
	return r;
}
HOOK_ALIAS(__dup2, dup2);

HOOK_FN(int, dup3, int fd, int to, int flags)
{
	struct call c;
	int r;

	if (!FD_ENTER(&c, WIRE_DUP, fd))
		return REAL(dup3)(fd, to, flags);
	call_begin(&c);
	r = REAL(dup3)(fd, to, flags);
	call_end(&c, r, r < 0);
	dup_say(&c, fd, (uint32_t)flags);
	return r;
}

static enum wire_event fcntl_event(int command)
{
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return WIRE_DUP;
	case F_SETFL:
		return WIRE_SETFL;
	default:
		return 0;
	}
}

#define FCNTL(real) \
	do { \
		const enum wire_event event = fcntl_event(command); \
		struct call c; \
		va_list ap; \
		void *arg; \
		int r; \
\
		va_start(ap, command); \
		arg = va_arg(ap, void *); \
		va_end(ap); \
		if (!event || !FD_ENTER(&c, event, fd)) \
			return real(fd, command, arg); \
		call_begin(&c); \
		r = real(fd, command, arg); \
		call_end(&c, r, r < 0); \
		if (event == WIRE_DUP) { \
			dup_say(&c, fd, command == F_DUPFD_CLOEXEC ? O_CLOEXEC : 0); \
		} else { \
			c.a0 = (uint64_t)(uintptr_t)arg; \
			emit(&c, NULL, 0, 0); \
		} \
		return r; \
	} while (0)

HOOK_FN(int, fcntl, int fd, int command, ...)
{
	FCNTL(REAL(fcntl));
}
HOOK_ALIAS(__fcntl, fcntl);

HOOK_FN(int, fcntl64, int fd, int command, ...)
{
	FCNTL(REAL(fcntl64));
}

HOOK_FN(int, ioctl, int fd, unsigned long request, ...)
{
	struct call c;
	va_list ap;
	void *arg;
	int r;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request != FIONBIO || !call_enter(&c, WIRE_SETFL, fd))
		return REAL(ioctl)(fd, request, arg);
	call_begin(&c);
	r = REAL(ioctl)(fd, request, arg);
	call_end(&c, r, r < 0);
	if (r == 0)
		c.a0 = *(const int *)arg ? O_NONBLOCK : 0;
	emit(&c, NULL, 0, 0);
	return r;
}

static void pipe_say(struct call *c, const int fds[2])
{
	c->a1 = (uint64_t)-1;
	if (c->ret == 0) {
		c->fd = fds[0];
		c->a1 = (uint64_t)fds[1];
		fd_set_policy(fds[0], shim.header->policy_pipe);
		fd_set_policy(fds[1], shim.header->policy_pipe);
	}
	emit(c, NULL, 0, 0);
}

HOOK_FN(int, pipe, int fds[2])
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_PIPE, -1))
		return REAL(pipe)(fds);
	call_begin(&c);
	r = REAL(pipe)(fds);
	call_end(&c, r, r < 0);
	pipe_say(&c, fds);
	return r;
}
HOOK_ALIAS(__pipe, pipe);

HOOK_FN(int, pipe2, int fds[2], int flags)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_PIPE, -1))
		return REAL(pipe2)(fds, flags);
	call_begin(&c);
	r = REAL(pipe2)(fds, flags);
	call_end(&c, r, r < 0);
	pipe_say(&c, fds);
	return r;
}
