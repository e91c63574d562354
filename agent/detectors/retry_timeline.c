/*
 * A sequence of attempts as a line for people: "7 attempts in 0.9 s: 0, 41, 42, 40 ms …, never gave up". Pure functions.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "detectors/retry.h"

static const char *const outcomes[] = {
	[RETRY_GOES_ON] = "never gave up",
	[RETRY_GAVE_UP] = "gave up",
	[RETRY_RECOVERED] = "ended well",
};

/* Appends, cutting where the room ends. */
__attribute__((format(printf, 4, 5))) static size_t add(char *buf, size_t size, size_t at, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = at < size ? vsnprintf(buf + at, size - at, format, ap) : 0;
	va_end(ap);
	return n < 0 ? at : at + (size_t)n < size ? at + (size_t)n : size - 1;
}

const char *retry_timeline(const struct retry_line *l, char *buf, size_t size)
{
	bool in_s = false;
	uint32_t n = l->gaps_n < RETRY_LINE_GAPS ? l->gaps_n : RETRY_LINE_GAPS;

	for (uint32_t i = 0; i < n; i++)
		in_s = in_s || l->gaps[i] >= 10 * NS_PER_S;
	size_t at = add(buf, size, 0, "%" PRIu32 " attempts in %.1f s", l->attempts, (double)l->span_ns / (double)NS_PER_S);
	for (uint32_t i = 0; i < n; i++) {
		at = add(buf, size, at, i ? ", " : ": ");
		at = in_s ? add(buf, size, at, "%.1f", (double)l->gaps[i] / (double)NS_PER_S)
			  : add(buf, size, at, "%llu", (l->gaps[i] + NS_PER_MS / 2) / NS_PER_MS);
	}
	if (n)
		at = add(buf, size, at, in_s ? " s" : " ms");
	add(buf, size, at, "%s, %s", l->gaps_n > n ? " …" : "", outcomes[l->outcome]);
	return buf;
}
