/*
 * stdio with a format: the printf family and its fortified names. Any thread of the watched process.
 *
 * A variadic hook cannot pass its arguments on: it calls the va_list form, which is the same function inside libc.
 */
#include <stdarg.h>
#include <stdio.h>

#include "preload/call.h"
#include "preload/stream.h"

/* In a function that has its arguments in `ap`; sets r. */
#define PRINT(stream, real) \
	do { \
		struct stream_mark before; \
		struct call c; \
		va_list again; \
\
		if (!STREAM_ENTER(&c, stream)) { \
			r = real; \
			break; \
		} \
		va_copy(again, ap); \
		before = stream_mark(stream); \
		call_begin(&c); \
		r = real; \
		call_end(&c, r, r < 0); \
		stream_say_printf(&c, stream, before, r, format, again); \
		va_end(again); \
	} while (0)

HOOK_FN(int, vprintf, const char *format, va_list ap)
{
	int r;

	PRINT(stdout, REAL(vprintf)(format, ap));
	return r;
}

HOOK_FN(int, __vprintf_chk, int flag, const char *format, va_list ap)
{
	int r;

	PRINT(stdout, REAL(__vprintf_chk)(flag, format, ap));
	return r;
}

HOOK_FN(int, vfprintf, FILE *f, const char *format, va_list ap)
{
	int r;

	PRINT(f, REAL(vfprintf)(f, format, ap));
	return r;
}
HOOK_ALIAS(_IO_vfprintf, vfprintf);

HOOK_FN(int, __vfprintf_chk, FILE *f, int flag, const char *format, va_list ap)
{
	int r;

	PRINT(f, REAL(__vfprintf_chk)(f, flag, format, ap));
	return r;
}

HOOK_FN(int, printf, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	PRINT(stdout, REAL(vprintf)(format, ap));
	va_end(ap);
	return r;
}
HOOK_ALIAS(_IO_printf, printf);

HOOK_FN(int, __printf_chk, int flag, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	PRINT(stdout, REAL(__vprintf_chk)(flag, format, ap));
	va_end(ap);
	return r;
}

HOOK_FN(int, fprintf, FILE *f, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	PRINT(f, REAL(vfprintf)(f, format, ap));
	va_end(ap);
	return r;
}
HOOK_ALIAS(_IO_fprintf, fprintf);

HOOK_FN(int, __fprintf_chk, FILE *f, int flag, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	PRINT(f, REAL(__vfprintf_chk)(f, flag, format, ap));
	va_end(ap);
	return r;
}

/* dprintf goes straight to its descriptor: to a sink it is a log line, to a socket a write like any other. */
static bool fd_wanted(struct call *c)
{
	const uint8_t policy = call_policy(c, false);

	if (policy == WIRE_POLICY_NONE || c->fd < 0)
		return false;
	if (policy == WIRE_POLICY_SINK)
		c->flags = WIRE_F_SINK;
	else
		c->event = WIRE_WRITE;
	return true;
}

static void fd_say(struct call *c, int saved_errno, const char *format, va_list ap)
{
	const uint32_t want = call_want(c->policy, c->ret > 0 ? (uint64_t)c->ret : 0);

	c->a0 = c->ret > 0 ? (uint64_t)c->ret : 0;
	stream_say_format(c, saved_errno, want, format, ap);
}

#define PRINT_FD(real) \
	do { \
		const int saved_errno = errno; \
		struct call c; \
		va_list again; \
\
		if (!call_enter(&c, WIRE_STDIO, fd) || !fd_wanted(&c)) { \
			r = real; \
			break; \
		} \
		va_copy(again, ap); \
		call_waits(&c, -1); \
		call_begin(&c); \
		r = real; \
		call_end(&c, r, r < 0); \
		fd_say(&c, saved_errno, format, again); \
		va_end(again); \
	} while (0)

HOOK_FN(int, vdprintf, int fd, const char *format, va_list ap)
{
	int r;

	PRINT_FD(REAL(vdprintf)(fd, format, ap));
	return r;
}

HOOK_FN(int, __vdprintf_chk, int fd, int flag, const char *format, va_list ap)
{
	int r;

	PRINT_FD(REAL(__vdprintf_chk)(fd, flag, format, ap));
	return r;
}

HOOK_FN(int, dprintf, int fd, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	PRINT_FD(REAL(vdprintf)(fd, format, ap));
	va_end(ap);
	return r;
}

HOOK_FN(int, __dprintf_chk, int fd, int flag, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	PRINT_FD(REAL(__vdprintf_chk)(fd, flag, format, ap));
	va_end(ap);
	return r;
}
