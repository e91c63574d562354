/*
 * syslog: libc sends the message itself, so only these entry points show it. Any thread of the watched process.
 * (The systemd journal is seen in hooks_vector.c, where libsystemd sends it.)
 */
#include <stdarg.h>
#include <syslog.h>

#include "preload/call.h"
#include "preload/stream.h"

/* In a function that has its arguments in `ap`. */
#define LOG(real) \
	do { \
		const int saved_errno = errno; \
		struct call c; \
		va_list again; \
\
		if (!call_enter(&c, WIRE_SYSLOG, -1)) { \
			real; \
			break; \
		} \
		va_copy(again, ap); \
		call_waits(&c, -1); \
		call_begin(&c); \
		real; \
		call_end(&c, 0, false); \
		c.flags = WIRE_F_SINK; \
		c.a0 = (uint64_t)(int64_t)priority; \
		stream_say_format(&c, saved_errno, STREAM_ALL, format, again); \
		va_end(again); \
	} while (0)

HOOK_FN(void, vsyslog, int priority, const char *format, va_list ap)
{
	LOG(REAL(vsyslog)(priority, format, ap));
}

HOOK_FN(void, __vsyslog_chk, int priority, int flag, const char *format, va_list ap)
{
	LOG(REAL(__vsyslog_chk)(priority, flag, format, ap));
}

HOOK_FN(void, syslog, int priority, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	LOG(REAL(vsyslog)(priority, format, ap));
	va_end(ap);
}

HOOK_FN(void, __syslog_chk, int priority, int flag, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	LOG(REAL(__vsyslog_chk)(priority, flag, format, ap));
	va_end(ap);
}
