/*
 * The session's clock: turns the shim's ticks into ns since the Unix epoch.
 *
 * Ticks are mapped by a chain of straight segments that meet: each refinement starts a new one where the last one stands and
 * bends its slope towards CLOCK_MONOTONIC, so time never steps back. The epoch is CLOCK_REALTIME at the session's start: a later change of
 * the wall clock does not move the session. Owned by ingest; its thread only.
 */
#ifndef GAPSCOPE_INGEST_CLOCK_H
#define GAPSCOPE_INGEST_CLOCK_H

#include <stdint.h>

#include "wire/shared.h"

#define CLOCK_SHIFT 40U    /* binary places of a slope */
#define CLOCK_SEGMENTS 32U /* kept; older ticks are read by extending the oldest */

struct clock_segment {
	uint64_t ticks;    /* where it begins */
	uint64_t mono_ns;  /* CLOCK_MONOTONIC there */
	uint64_t ns_per_t; /* slope, fixed point */
};

struct tick_clock {
	enum wire_clock kind;
	uint64_t first_ticks, first_mono_ns; /* of the first sample: the long base for the rate */
	uint64_t epoch_ns;                   /* Unix time when CLOCK_MONOTONIC was 0 */
	uint64_t start_ns;                   /* Unix time of the session's start */
	uint64_t next_refine_ns;             /* CLOCK_MONOTONIC */
	uint64_t refine_gap_ns;
	unsigned int n;
	struct clock_segment segment[CLOCK_SEGMENTS]; /* oldest first */
};

/* Choose the counter (the TSC where it is invariant) and measure its rate: takes about 5 ms. */
void clock_start(struct tick_clock *c);
/* The same from given samples (ticks, CLOCK_MONOTONIC ns), for tests; realtime_ns belongs to the second sample. */
void clock_start_at(struct tick_clock *c, enum wire_clock kind, const uint64_t ticks[2], const uint64_t mono_ns[2],
		    uint64_t realtime_ns);
/* Ticks now, as the shim would read them. */
uint64_t clock_ticks(const struct tick_clock *c);
/* Unix ns of a tick count, wherever it lies. */
uint64_t clock_ns_far(const struct tick_clock *c, uint64_t ticks);
/* Ticks that `ns` last. */
uint64_t clock_ticks_of(const struct tick_clock *c, uint64_t ns);
/* Compare with CLOCK_MONOTONIC where that is due, ever more rarely. */
void clock_refine(struct tick_clock *c);
/* The same with a given sample. */
void clock_refine_at(struct tick_clock *c, uint64_t ticks, uint64_t mono_ns);

/* Unix ns of a tick count. Grows with ticks. Each record has two, and nearly all are of the latest segment: one product. */
static inline uint64_t clock_ns(const struct tick_clock *c, uint64_t ticks)
{
	const struct clock_segment *s = &c->segment[c->n - 1];
	const uint64_t since = ticks - s->ticks;

	if (since >> CLOCK_SHIFT != 0)
		return clock_ns_far(c, ticks);
	return c->epoch_ns + s->mono_ns + (uint64_t)((unsigned __int128)since * s->ns_per_t >> CLOCK_SHIFT);
}

#endif
