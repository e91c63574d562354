/*
 * Wait limits in ns, as events.def has them: -1 without end, 0 do not wait. clock_gettime is the vDSO's: no system call.
 */
#ifndef GAPSCOPE_PRELOAD_LIMIT_H
#define GAPSCOPE_PRELOAD_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#define LIMIT_NS_PER_S 1000000000LL
#define LIMIT_CLOCK_GUESS ((clockid_t)-1) /* the hook is not told the clock: the time itself tells which */

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

/* Can this be an address of the caller's? What cannot is the kernel's to refuse: reading it would crash where EFAULT is due. */
static inline bool limit_address(const void *p)
{
	return (uintptr_t)p >= 65536 && (uintptr_t)p < (1ULL << 48);
}

static inline int64_t limit_timespec(const struct timespec *t)
{
	return limit_address(t) ? limit_of(t->tv_sec, t->tv_nsec) : -1;
}

static inline int64_t limit_timeval(const struct timeval *t)
{
	return limit_address(t) ? limit_of(t->tv_sec, (int64_t)t->tv_usec * 1000) : -1;
}

/* From now until an absolute time of `clock`; 0 if it is past. A time that is decades away from the wall clock's is a monotonic one. */
static inline int64_t limit_until(clockid_t clock, const struct timespec *at)
{
	struct timespec now;

	if (!limit_address(at))
		return 0;
	if (clock == LIMIT_CLOCK_GUESS) {
		clock_gettime(CLOCK_REALTIME, &now);
		if (at->tv_sec < now.tv_sec / 2)
			clock_gettime(CLOCK_MONOTONIC, &now);
	} else if (clock_gettime(clock, &now) != 0) {
		return 0;
	}
	if (at->tv_sec < now.tv_sec || (at->tv_sec == now.tv_sec && at->tv_nsec <= now.tv_nsec))
		return 0;
	if (at->tv_sec - now.tv_sec > INT64_MAX / LIMIT_NS_PER_S - 2)
		return INT64_MAX;
	return (at->tv_sec - now.tv_sec) * LIMIT_NS_PER_S + at->tv_nsec - now.tv_nsec;
}

#endif
