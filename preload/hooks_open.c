/*
 * Files that are opened: most are of no interest, log files are sinks. Any thread of the watched process; a vfork child touches nothing.
 */
#include <fcntl.h>
#include <stdarg.h>

#include "preload/call.h"

static bool has_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

/* What is opened for reading only is of interest to nobody until it is read, and turns out not to be a file. Services do it for each request:
 * so it costs no system call of ours and no record, unless the number was somebody's whose end we missed. */
#define OPEN_READS(flags) (!((flags) & (O_ACCMODE | O_CREAT)) && !has_mode(flags))

/* What another open made is classified here, by its path, so that its first use costs nothing. */
static void open_say(struct call *c, const char *path, int flags)
{
	const bool readable = c->err != EFAULT;
	const uint32_t len = readable ? (uint32_t)strnlen(path, SHIM_PATH_BYTES) : 0;

	c->a0 = (uint64_t)(uint32_t)flags;
	if (c->ret >= 0) {
		const uint8_t policy = fd_policy_of_path(path, flags);

		/* It may be a fifo or a terminal: its first use tells. */
		fd_set_policy((int)c->ret, policy == WIRE_POLICY_NONE ? (uint8_t)WIRE_POLICY_UNKNOWN : policy);
	}
	emit(c, path, len, 0);
}

#define OPEN(flags, real) \
	do { \
		struct call c; \
		int r; \
\
		if (OPEN_READS(flags) && shim_on() && session_is_set_up()) { \
			r = real; \
			if (likely(r < 0 || fd_opened(r)) || !call_enter(&c, WIRE_OPEN, -1) || session_is_aside()) \
				return r; \
			call_begin(&c); \
			call_end(&c, r, false); \
			open_say(&c, path, flags); \
			return r; \
		} \
		if (!call_enter(&c, WIRE_OPEN, -1) || session_is_aside()) \
			return real; \
		call_begin(&c); \
		r = real; \
		call_end(&c, r, r < 0); \
		open_say(&c, path, flags); \
		return r; \
	} while (0)

#define WITH_MODE \
	unsigned int mode = 0; \
	if (has_mode(flags)) { \
		va_list ap; \
\
		va_start(ap, flags); \
		mode = va_arg(ap, unsigned int); \
		va_end(ap); \
	}

HOOK_FN(int, open, const char *path, int flags, ...)
{
	WITH_MODE
	OPEN(flags, REAL(open)(path, flags, mode));
}
HOOK_ALIAS(__open, open);

HOOK_FN(int, open64, const char *path, int flags, ...)
{
	WITH_MODE
	OPEN(flags, REAL(open64)(path, flags, mode));
}
HOOK_ALIAS(__open64, open64);

HOOK_FN(int, openat, int dir, const char *path, int flags, ...)
{
	WITH_MODE
	OPEN(flags, REAL(openat)(dir, path, flags, mode));
}

HOOK_FN(int, openat64, int dir, const char *path, int flags, ...)
{
	WITH_MODE
	OPEN(flags, REAL(openat64)(dir, path, flags, mode));
}

HOOK_FN(int, creat, const char *path, mode_t mode)
{
	OPEN(O_CREAT | O_WRONLY | O_TRUNC, REAL(creat)(path, mode));
}

HOOK_FN(int, creat64, const char *path, mode_t mode)
{
	OPEN(O_CREAT | O_WRONLY | O_TRUNC, REAL(creat64)(path, mode));
}

HOOK_FN(int, __open_2, const char *path, int flags)
{
	OPEN(flags, REAL(__open_2)(path, flags));
}

HOOK_FN(int, __open64_2, const char *path, int flags)
{
	OPEN(flags, REAL(__open64_2)(path, flags));
}

HOOK_FN(int, __openat_2, int dir, const char *path, int flags)
{
	OPEN(flags, REAL(__openat_2)(dir, path, flags));
}

HOOK_FN(int, __openat64_2, int dir, const char *path, int flags)
{
	OPEN(flags, REAL(__openat64_2)(dir, path, flags));
}

/* An event, which leads nowhere: told as a file of the name that /proc gives it, and only where descriptors grow. */
HOOK_FN(int, eventfd, unsigned int initial, int flags)
{
	static const char name[] = "anon_inode:[eventfd]";
	struct call c;
	int r;

	if (!shim_on() || !session_is_set_up() || !fd_opens_are_told() || !call_enter(&c, WIRE_OPEN, -1) || session_is_aside())
		return REAL(eventfd)(initial, flags);
	call_begin(&c);
	r = REAL(eventfd)(initial, flags);
	call_end(&c, r, r < 0);
	if (r >= 0)
		fd_set_policy(r, WIRE_POLICY_NONE);
	c.a0 = (uint32_t)flags & (O_CLOEXEC | O_NONBLOCK);
	emit(&c, name, sizeof(name) - 1, 0);
	return r;
}
