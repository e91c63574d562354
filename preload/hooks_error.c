/*
 * Messages that glibc puts on stderr for a program: error, err, warn and their kin. Any thread of the watched process.
 *
 * They print the program's name, the message and perhaps the error's text; the message is what is recorded. The record comes before
 * the call, because most of these end the process.
 */
#include <err.h>
#include <error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "preload/call.h"
#include "preload/stream.h"

static void message_say(struct call *c, int saved_errno, const char *format, va_list ap)
{
	c->t0 = c->t1 = shim_ticks();
	if (format)
		stream_say_format(c, saved_errno, STREAM_ALL, format, ap);
	else
		stream_say(c, NULL, 0);
	errno = saved_errno;
}

#define MESSAGE(real) \
	do { \
		const int saved_errno = errno; \
		struct call c; \
		va_list ap; \
\
		if (STREAM_ENTER(&c, stderr)) { \
			va_start(ap, format); \
			message_say(&c, saved_errno, format, ap); \
			va_end(ap); \
		} \
		va_start(ap, format); \
		real; \
		va_end(ap); \
	} while (0)

#define MESSAGE_AP(real) \
	do { \
		const int saved_errno = errno; \
		struct call c; \
\
		if (STREAM_ENTER(&c, stderr)) { \
			va_list again; \
\
			va_copy(again, ap); \
			message_say(&c, saved_errno, format, again); \
			va_end(again); \
		} \
		real; \
	} while (0)

HOOK_FN(void, vwarn, const char *format, va_list ap)
{
	MESSAGE_AP(REAL(vwarn)(format, ap));
}

HOOK_FN(void, vwarnx, const char *format, va_list ap)
{
	MESSAGE_AP(REAL(vwarnx)(format, ap));
}

HOOK_FN(void, verr, int status, const char *format, va_list ap)
{
	MESSAGE_AP(REAL(verr)(status, format, ap));
}

HOOK_FN(void, verrx, int status, const char *format, va_list ap)
{
	MESSAGE_AP(REAL(verrx)(status, format, ap));
}

HOOK_FN(void, warn, const char *format, ...)
{
	MESSAGE(REAL(vwarn)(format, ap));
}

HOOK_FN(void, warnx, const char *format, ...)
{
	MESSAGE(REAL(vwarnx)(format, ap));
}

HOOK_FN(void, err, int status, const char *format, ...)
{
	MESSAGE(REAL(verr)(status, format, ap));
}

HOOK_FN(void, errx, int status, const char *format, ...)
{
	MESSAGE(REAL(verrx)(status, format, ap));
}

/* error() has no va_list form: it is given the finished message. NULL only if there is no memory for it. */
static char *finished(const char *format, va_list ap)
{
	char *text = NULL;

	return vasprintf(&text, format, ap) < 0 ? NULL : text;
}

HOOK_FN(void, error, int status, int number, const char *format, ...)
{
	char *text = NULL;

	MESSAGE(text = finished(format, ap));
	REAL(error)(status, number, "%s", text ? text : format);
	free(text);
}

HOOK_FN(void, error_at_line, int status, int number, const char *file, unsigned int line, const char *format, ...)
{
	char *text = NULL;

	MESSAGE(text = finished(format, ap));
	REAL(error_at_line)(status, number, file, line, "%s", text ? text : format);
	free(text);
}
