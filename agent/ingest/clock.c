/* The session's clock: see clock.h. */
#include "ingest/clock.h"

#include <string.h>
#include <time.h>

#include "ingest/cpu.h"

#define SECOND_NS 1000000000ULL
#define FIRST_LOOK_NS 5000000L       /* length of the first measurement */
#define FIRST_REFINE_NS 100000000ULL /* then this, four times longer each time */
#define LAST_REFINE_NS (60ULL * SECOND_NS)
#define STEP_NS 100000000LL /* further behind than this is a stop of the machine: step forward at once */
#define TRIES 8

static uint64_t now_of(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

/* A pair of readings as close together as we get in some tries. */
static void sample(enum wire_clock kind, uint64_t *ret_ticks, uint64_t *ret_mono)
{
	uint64_t best = UINT64_MAX;

	if (kind == WIRE_CLOCK_MONOTONIC) {
		*ret_ticks = *ret_mono = now_of(CLOCK_MONOTONIC);
		return;
	}
	for (int i = 0; i < TRIES; i++) {
		const uint64_t a = cpu_ticks();
		const uint64_t mono = now_of(CLOCK_MONOTONIC);
		const uint64_t b = cpu_ticks();

		if (b - a < best) {
			best = b - a;
			*ret_ticks = a + (b - a) / 2;
			*ret_mono = mono;
		}
	}
}

static uint64_t rate(uint64_t ticks, uint64_t ns)
{
	if (ticks == 0)
		return 1ULL << CLOCK_SHIFT;
	const uint64_t r = (uint64_t)(((unsigned __int128)ns << CLOCK_SHIFT) / ticks);

	return r > 0 ? r : 1;
}

/* CLOCK_MONOTONIC of a tick count by a segment; before its begin too. */
static uint64_t by_segment(const struct clock_segment *s, uint64_t ticks)
{
	const uint64_t since = ticks - s->ticks;

	if (since <= INT64_MAX) { /* as nearly all are: one product */
		const unsigned __int128 after = ((unsigned __int128)since * s->ns_per_t >> CLOCK_SHIFT) + s->mono_ns;

		return after > INT64_MAX ? (uint64_t)INT64_MAX : (uint64_t)after;
	}

	const __int128 ns = (__int128)s->mono_ns + (((__int128)(int64_t)(ticks - s->ticks) * (__int128)s->ns_per_t) >> CLOCK_SHIFT);

	if (ns < 0)
		return 0;
	return ns > INT64_MAX ? (uint64_t)INT64_MAX : (uint64_t)ns;
}

static uint64_t mono_of(const struct tick_clock *c, uint64_t ticks)
{
	unsigned int i = c->n - 1;

	while (i > 0 && (int64_t)(ticks - c->segment[i].ticks) < 0)
		i--;
	return by_segment(&c->segment[i], ticks);
}

void clock_start_at(struct tick_clock *c, enum wire_clock kind, const uint64_t ticks[2], const uint64_t mono_ns[2],
		    uint64_t realtime_ns)
{
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->first_ticks = ticks[0];
	c->first_mono_ns = mono_ns[0];
	c->epoch_ns = realtime_ns - mono_ns[1];
	c->start_ns = realtime_ns;
	c->refine_gap_ns = FIRST_REFINE_NS;
	c->next_refine_ns = mono_ns[1] + c->refine_gap_ns;
	c->n = 1;
	c->segment[0].ticks = ticks[1];
	c->segment[0].mono_ns = mono_ns[1];
	c->segment[0].ns_per_t =
		kind == WIRE_CLOCK_MONOTONIC ? 1ULL << CLOCK_SHIFT : rate(ticks[1] - ticks[0], mono_ns[1] - mono_ns[0]);
}

void clock_start(struct tick_clock *c)
{
	const enum wire_clock kind = cpu_ticks_invariant() ? WIRE_CLOCK_TSC : WIRE_CLOCK_MONOTONIC;
	const struct timespec look = {.tv_nsec = FIRST_LOOK_NS};
	uint64_t ticks[2], mono[2];

	sample(kind, &ticks[0], &mono[0]);
	if (kind == WIRE_CLOCK_TSC)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &look, NULL);
	sample(kind, &ticks[1], &mono[1]);
	clock_start_at(c, kind, ticks, mono, now_of(CLOCK_REALTIME));
}

uint64_t clock_ticks(const struct tick_clock *c)
{
	return c->kind == WIRE_CLOCK_TSC ? cpu_ticks() : now_of(CLOCK_MONOTONIC);
}

uint64_t clock_ns_far(const struct tick_clock *c, uint64_t ticks)
{
	return c->epoch_ns + mono_of(c, ticks);
}

uint64_t clock_ticks_of(const struct tick_clock *c, uint64_t ns)
{
	return (uint64_t)(((unsigned __int128)ns << CLOCK_SHIFT) / c->segment[c->n - 1].ns_per_t);
}

void clock_refine_at(struct tick_clock *c, uint64_t ticks, uint64_t mono_ns)
{
	if (c->kind == WIRE_CLOCK_MONOTONIC || (int64_t)(ticks - c->segment[c->n - 1].ticks) <= 0 || mono_ns <= c->first_mono_ns)
		return;

	const uint64_t here = mono_of(c, ticks);
	const int64_t behind = (int64_t)(mono_ns - here);
	const uint64_t true_rate = rate(ticks - c->first_ticks, mono_ns - c->first_mono_ns);
	/* Meet the true line when the next refinement is due, at half to double speed. */
	const double want = 1.0 + (double)behind / (double)c->refine_gap_ns;
	const double bend = want < 0.5 ? 0.5 : want > 2.0 ? 2.0 : want;
	struct clock_segment s = {.ticks = ticks, .mono_ns = here};

	if (behind > STEP_NS)
		s.mono_ns = mono_ns;
	s.ns_per_t = behind > STEP_NS ? true_rate : (uint64_t)((double)true_rate * bend);
	if (s.ns_per_t == 0)
		s.ns_per_t = 1;
	if (c->n == CLOCK_SEGMENTS) {
		memmove(c->segment, c->segment + 1, (CLOCK_SEGMENTS - 1) * sizeof(c->segment[0]));
		c->n--;
	}
	c->segment[c->n++] = s;
	if (c->refine_gap_ns < LAST_REFINE_NS)
		c->refine_gap_ns = c->refine_gap_ns * 4 < LAST_REFINE_NS ? c->refine_gap_ns * 4 : LAST_REFINE_NS;
	c->next_refine_ns = mono_ns + c->refine_gap_ns;
}

void clock_refine(struct tick_clock *c)
{
	uint64_t ticks = 0, mono = 0;

	if (c->kind == WIRE_CLOCK_MONOTONIC || mono_of(c, cpu_ticks()) < c->next_refine_ns)
		return;
	sample(c->kind, &ticks, &mono);
	clock_refine_at(c, ticks, mono);
}
