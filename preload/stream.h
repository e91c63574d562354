/*
 * Bytes that enter a stdio stream, for hooks_stdio.c, hooks_printf.c and hooks_error.c: libc's own write() of them is never seen.
 * Implemented in stream.c. On the thread that makes the call.
 */
#ifndef GAPSCOPE_PRELOAD_STREAM_H
#define GAPSCOPE_PRELOAD_STREAM_H

#include <stdarg.h>
#include <stdio.h>

#include "preload/call.h"

/* Is fd a log sink? Then c is ready for call_begin; otherwise the call passes through. */
bool stream_sink(struct call *c);

/* call_enter for a stream: in the hook itself, because it notes where it was called from. */
#define STREAM_ENTER(c, stream) (call_enter(c, WIRE_STDIO, (stream)->_fileno) && stream_sink(c))
#define STREAM_ENTER_FD(c, number) (call_enter(c, WIRE_STDIO, number) && stream_sink(c))

/* `len` bytes at `data` entered the stream. */
void stream_say(struct call *c, const void *data, size_t len);
/* The same for text in up to four pieces; NULL is none. */
void stream_say_parts(struct call *c, const char *a, const char *b, const char *d, const char *end);

/* Where a stream's buffer stood before a call, to find what the call put there. */
struct stream_mark {
	const char *base;
	const char *at;
	int saved_errno; /* for %m when the text is formatted a second time */
};

static inline struct stream_mark stream_mark(const FILE *f)
{
	return (struct stream_mark){.base = f->_IO_write_base, .at = f->_IO_write_ptr, .saved_errno = errno};
}

/* A printf to f returned r: take the bytes from the stream's buffer if they are still there, otherwise format them again. */
void stream_say_printf(struct call *c, const FILE *f, struct stream_mark before, int r, const char *format, va_list ap);
/* Format again, and take at most `want` bytes of it; STREAM_ALL: as many as there are, and a0 of a STDIO event is their number. */
#define STREAM_ALL UINT32_MAX
void stream_say_format(struct call *c, int saved_errno, uint32_t want, const char *format, va_list ap);

#endif
