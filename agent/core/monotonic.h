/*
 * The clock that only goes forward: what all of the agent's own waiting and its time stamps go by. Any thread; keeps nothing.
 */
#ifndef GAPSCOPE_CORE_MONOTONIC_H
#define GAPSCOPE_CORE_MONOTONIC_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC, in ns. */
static inline uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

#endif
