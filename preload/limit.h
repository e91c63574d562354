/*
 * Wait limits in ns, as events.def has them: -1 without end, 0 do not wait. Pure functions of their arguments.
 */
#ifndef GAPSCOPE_PRELOAD_LIMIT_H
#define GAPSCOPE_PRELOAD_LIMIT_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#define LIMIT_NS_PER_S 1000000000LL

static inline int64_t limit_of(int64_t seconds, int64_t ns)
{
	if (seconds < 0 || ns < 0)
		return 0;
	return seconds > INT64_MAX / LIMIT_NS_PER_S - 1 ? INT64_MAX : seconds * LIMIT_NS_PER_S + ns;
}

static inline int64_t limit_ms(int ms)
{
	return ms < 0 ? -1 : (int64_t)ms * 1000000;
}

static inline int64_t limit_timespec(const struct timespec *t)
{
	return t ? limit_of(t->tv_sec, t->tv_nsec) : -1;
}

static inline int64_t limit_timeval(const struct timeval *t)
{
	return t ? limit_of(t->tv_sec, (int64_t)t->tv_usec * 1000) : -1;
}

#endif
