/*
 * The timers that a running Go program has set, from the heaps of its runtime. For one that is watched from the middle on: whoever set them is not
 * seen again. Reads memory only (go_processors.h); any thread.
 */
#ifndef GAPSCOPE_COMMANDS_GO_TIMERS_H
#define GAPSCOPE_COMMANDS_GO_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "commands/go_goroutine.h"
#include "commands/go_processors.h"

struct go_timer {
	uint64_t when;                /* CLOCK_MONOTONIC */
	uint64_t period;              /* 0: once */
	uint64_t code;                /* what it calls */
	uint64_t func;                /* what that goes on to call, if it is time.goFunc */
	uint64_t waiter;              /* the goroutine that it wakes, or that waits for its channel; 0 if that is not known */
	uint64_t callers[GO_CALLERS]; /* who called that goroutine's wait, from the inside; up to the first 0 */
};

typedef void (*go_timers_fn)(void *ctx, const struct go_timer *t);

/*
 * Each timer that is set. `heaps_of_pairs`: the heaps hold pairs of timer and moment, as they do from Go 1.23 on. 0; -EAGAIN if they changed
 * meanwhile, again and again, or -EINVAL if they do not look as they should: then the timers are not known, whichever were told.
 */
int go_timers_read(uint32_t pid, const struct go_processors *p, bool heaps_of_pairs, go_timers_fn fn, void *ctx);

#endif
