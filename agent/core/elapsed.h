/*
 * Time that has passed, never less than none. What is told late, or of a moment that was looked up rather than seen, can lie behind the moment
 * that it is compared with; as a plain difference that is 584 years. Any thread; keeps nothing.
 */
#ifndef GAPSCOPE_CORE_ELAPSED_H
#define GAPSCOPE_CORE_ELAPSED_H

#include <stdint.h>

/* From `from_ns` to `to_ns`; 0 if that is not later. */
static inline uint64_t elapsed_ns(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

#endif
