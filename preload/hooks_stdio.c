/*
 * stdio without a format: fwrite, fputs, puts, putc, perror; and the streams' own open and close. Any thread of the watched process.
 *
 * Only streams whose descriptor is a log sink are recorded; the bytes are the call's arguments.
 */
#include <fcntl.h>
#include <stdio.h>

#include "preload/call.h"
#include "preload/stream.h"

#undef putc
#undef putchar

#define WRITE_ITEMS(real) \
	do { \
		struct call c; \
		size_t r; \
\
		if (!STREAM_ENTER(&c, f)) \
			return real; \
		call_begin(&c); \
		r = real; \
		call_end(&c, (int64_t)r, r < n); \
		stream_say(&c, data, r *size); \
		return r; \
	} while (0)

HOOK_FN(size_t, fwrite, const void *data, size_t size, size_t n, FILE *f)
{
	WRITE_ITEMS(REAL(fwrite)(data, size, n, f));
}
HOOK_ALIAS(_IO_fwrite, fwrite);

HOOK_FN(size_t, fwrite_unlocked, const void *data, size_t size, size_t n, FILE *f)
{
	WRITE_ITEMS(REAL(fwrite_unlocked)(data, size, n, f));
}

#define WRITE_TEXT(stream, newline, real) \
	do { \
		struct call c; \
		int r; \
\
		if (!STREAM_ENTER(&c, stream)) \
			return real; \
		call_begin(&c); \
		r = real; \
		call_end(&c, r, r < 0); \
		if (r < 0) \
			stream_say(&c, NULL, 0); \
		else \
			stream_say_parts(&c, text, newline, NULL, NULL); \
		return r; \
	} while (0)

HOOK_FN(int, fputs, const char *text, FILE *f)
{
	WRITE_TEXT(f, NULL, REAL(fputs)(text, f));
}
HOOK_ALIAS(_IO_fputs, fputs);

HOOK_FN(int, fputs_unlocked, const char *text, FILE *f)
{
	WRITE_TEXT(f, NULL, REAL(fputs_unlocked)(text, f));
}

HOOK_FN(int, puts, const char *text)
{
	WRITE_TEXT(stdout, "\n", REAL(puts)(text));
}
HOOK_ALIAS(_IO_puts, puts);

#define WRITE_CHAR(stream, real) \
	do { \
		const char one = (char)ch; \
		struct call c; \
		int r; \
\
		if (!STREAM_ENTER(&c, stream)) \
			return real; \
		call_begin(&c); \
		r = real; \
		call_end(&c, r, r < 0); \
		stream_say(&c, &one, r < 0 ? 0 : 1); \
		return r; \
	} while (0)

HOOK_FN(int, fputc, int ch, FILE *f)
{
	WRITE_CHAR(f, REAL(fputc)(ch, f));
}

HOOK_FN(int, fputc_unlocked, int ch, FILE *f)
{
	WRITE_CHAR(f, REAL(fputc_unlocked)(ch, f));
}

HOOK_FN(int, putc, int ch, FILE *f)
{
	WRITE_CHAR(f, REAL(putc)(ch, f));
}
HOOK_ALIAS(_IO_putc, putc);

HOOK_FN(int, putc_unlocked, int ch, FILE *f)
{
	WRITE_CHAR(f, REAL(putc_unlocked)(ch, f));
}

HOOK_FN(int, putchar, int ch)
{
	WRITE_CHAR(stdout, REAL(putchar)(ch));
}

HOOK_FN(int, putchar_unlocked, int ch)
{
	WRITE_CHAR(stdout, REAL(putchar_unlocked)(ch));
}

HOOK_FN(void, perror, const char *text)
{
	const int number = errno;
	const bool prefix = text && text[0];
	char reason[128];
	struct call c;

	if (!STREAM_ENTER(&c, stderr)) {
		REAL(perror)(text);
		return;
	}
	call_begin(&c);
	REAL(perror)(text);
	call_end(&c, 0, false);
	{
		const int after = errno;
		const char *const why = strerror_r(number, reason, sizeof(reason));

		errno = after;
		stream_say_parts(&c, prefix ? text : NULL, prefix ? ": " : NULL, why, "\n");
	}
}

/* libc opens and closes a stream's descriptor by itself: the policy byte of its number must not outlive it. */
static void opened(struct call *c, const FILE *f, const char *path)
{
	const bool readable = path && c->err != EFAULT;
	const uint32_t len = readable ? (uint32_t)strnlen(path, SHIM_PATH_BYTES) : 0;
	int flags = 0;

	c->ret = f ? f->_fileno : -1;
	if (f) {
		flags = !(f->_flags & 0x8) ? O_RDWR : O_RDONLY; /* _IO_NO_WRITES */
		if (flags && (f->_flags & 0x1000))              /* _IO_IS_APPENDING */
			flags |= O_APPEND;
		fd_set_policy(f->_fileno, path ? fd_policy_of_path(path, flags) : (uint8_t)WIRE_POLICY_UNKNOWN);
	}
	c->a0 = (uint64_t)(uint32_t)flags;
	emit(c, path, len, 0);
}

/* As in hooks_open.c. */
static bool mode_reads(const char *mode)
{
	return mode && mode[0] == 'r' && !strchr(mode, '+');
}

#define OPEN_STREAM(reads, real) \
	do { \
		struct call c; \
		FILE *r; \
\
		if ((reads) && shim_on() && session_is_set_up()) { \
			r = real; \
			if (likely(!r || fd_opened(r->_fileno)) || !call_enter(&c, WIRE_OPEN, -1) || session_is_aside()) \
				return r; \
			call_begin(&c); \
			call_end(&c, 0, false); \
			opened(&c, r, path); \
			return r; \
		} \
		if (!call_enter(&c, WIRE_OPEN, -1) || session_is_aside()) \
			return real; \
		call_begin(&c); \
		r = real; \
		call_end(&c, 0, !r); \
		opened(&c, r, path); \
		return r; \
	} while (0)

HOOK_FN(FILE *, fopen, const char *path, const char *mode)
{
	OPEN_STREAM(mode_reads(mode), REAL(fopen)(path, mode));
}
HOOK_ALIAS(_IO_fopen, fopen);

HOOK_FN(FILE *, fopen64, const char *path, const char *mode)
{
	OPEN_STREAM(mode_reads(mode), REAL(fopen64)(path, mode));
}

HOOK_FN(FILE *, freopen, const char *path, const char *mode, FILE *f)
{
	OPEN_STREAM(false, REAL(freopen)(path, mode, f));
}

HOOK_FN(FILE *, freopen64, const char *path, const char *mode, FILE *f)
{
	OPEN_STREAM(false, REAL(freopen64)(path, mode, f));
}

#define CLOSE_STREAM(real) \
	do { \
		struct call c; \
		int r; \
\
		if (shim_on() && f && fd_closing(f->_fileno)) \
			return real; \
		if (!call_enter(&c, WIRE_CLOSE, f ? f->_fileno : -1) || c.fd < 0 || session_is_aside()) \
			return real; \
		if ((uint32_t)c.fd < shim.policy_fds) \
			atomic_store_explicit(&shim.policy[c.fd], WIRE_POLICY_UNKNOWN, memory_order_relaxed); \
		call_begin(&c); \
		r = real; \
		call_end(&c, r, r < 0); \
		emit(&c, NULL, 0, 0); \
		return r; \
	} while (0)

HOOK_FN(int, fclose, FILE *f)
{
	CLOSE_STREAM(REAL(fclose)(f));
}
HOOK_ALIAS(_IO_fclose, fclose);

HOOK_FN(int, pclose, FILE *f)
{
	CLOSE_STREAM(REAL(pclose)(f));
}
