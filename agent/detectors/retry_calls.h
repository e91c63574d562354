/*
 * Many calls that fail one after the other, against one that never gives up: what tells them apart. A service whose dependency is down for
 * minutes makes a call of a few attempts, gives up, and makes the next; with delays drawn at random that looks like one long sequence.
 */
#ifndef GAPSCOPE_DETECTORS_RETRY_CALLS_H
#define GAPSCOPE_DETECTORS_RETRY_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALLS_GAPS_MAX 128U /* gaps of one sequence that are looked at */
#define CALLS_ROUND_MAX 12U /* attempts of a call whose end may show by its place among the others */
#define CALLS_MIN 6U        /* rounds from which they are calls of their own: no layer tries so often around others */

/* One gap: how long, and what happened in it. */
struct calls_gap {
	uint32_t us;
	uint32_t wait;  /* hash of the place of the sleep in it, 0 none seen */
	uint32_t send;  /* hash of the place of the attempt after it, 0 unknown */
	uint32_t depth; /* calls on the stack that the sleep and the attempts around it share, 0 unknown */
	uint32_t line;  /* hash of the lines of source on the stack of the attempt after it, 0 unknown */
	bool logged;    /* the process wrote to a log in it */
	bool woken;     /* its thread waited for another one, and went on at once when that had come */
};

struct calls_shown {
	uint32_t round; /* attempts of a call (the most, where they differ); 0: calls do not show */
	uint32_t calls;
	bool even;      /* all of them have as many */
	bool one_place; /* every gap was slept away at the same place: one loop */
	bool handed;    /* the thread was woken for most attempts: another one knows what for */
	bool hint;      /* something differs from gap to gap as it would between calls, but does not prove them */
};

/* What `n` gaps in order show. A pure function. */
struct calls_shown calls_look(const struct calls_gap *gaps, size_t n);

#endif
