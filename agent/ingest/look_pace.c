/* See look_pace.h. */
#include "ingest/look_pace.h"

#define MS 1000000ULL
#define FRESH_MS 4U    /* while records come, and what is new has to be named … */
#define CALM_SHARE 16U /* … or they take less than this part of any ring in between */
#define CALM_LOOKS 8U  /* so many of those for each further millisecond */
#define LATE_MS 20U    /* a look that is later than it was asked for: the machine is busy, and rings may fill before the next one */
#define HELD_MS 2U     /* while events wait in the window */
#define IDLE_DIVISOR 40U /* of a rest so far: a burst after a short one still finds its ring watched */
#define IDLE_SHARE 2U    /* of a ring, for what comes at the peak's rate while nobody looks */
#define AGE_NS (1000 * MS)
#define AGE_SHIFT 6U /* of the peak, for each of these: half of it after three quarters of a minute */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Milliseconds in which `room` bytes are filled. */
static uint64_t lasts(uint64_t room, uint64_t rate)
{
	return rate > 0 ? room / rate : UINT64_MAX;
}

/* Bytes a ms into the fullest ring; the first look does not know since when. */
static uint64_t rate_of(const struct look_pace *p, const struct look *l, uint64_t took_ms)
{
	return p->last_ns > 0 ? l->fullest / (took_ms > 0 ? took_ms : 1) : 0;
}

static void note(struct look_pace *p, const struct look *l, uint64_t rate)
{
	if (l->now_ns >= p->aged_ns + AGE_NS) {
		p->peak -= p->peak >> AGE_SHIFT;
		p->aged_ns = l->now_ns;
	}
	if (rate > p->peak)
		p->peak = rate;
}

static uint64_t while_busy(struct look_pace *p, const struct look *l, uint64_t took_ms, uint64_t rate)
{
	p->idle_ms = 0;
	if (l->fullest >= l->ring_bytes / CALM_SHARE) {
		p->calm = 0;
		return LOOK_MIN_MS;
	}
	p->calm = l->news || took_ms >= p->wait_ms + LATE_MS ? 0 : p->calm + 1;
	return least(least(FRESH_MS + p->calm / CALM_LOOKS, LOOK_BUSY_MAX_MS), lasts(l->ring_bytes / CALM_SHARE, rate));
}

static uint64_t while_idle(struct look_pace *p, const struct look *l, uint64_t took_ms)
{
	const uint64_t room = lasts(l->ring_bytes / IDLE_SHARE, p->peak);

	p->calm = 0;
	p->idle_ms += (unsigned int)least(took_ms, LOOK_MAX_MS * IDLE_DIVISOR);
	if (p->idle_ms > LOOK_MAX_MS * IDLE_DIVISOR)
		p->idle_ms = LOOK_MAX_MS * IDLE_DIVISOR;
	return least(least(p->idle_ms / IDLE_DIVISOR, l->held ? HELD_MS : LOOK_MAX_MS), room);
}

unsigned int look_pace_wait(struct look_pace *p, const struct look *l)
{
	const uint64_t took_ms = l->now_ns > p->last_ns && p->last_ns > 0 ? (l->now_ns - p->last_ns) / MS : 0;
	const uint64_t rate = rate_of(p, l, took_ms);
	uint64_t wait;

	note(p, l, rate);
	p->last_ns = l->now_ns;
	wait = l->records > 0 ? while_busy(p, l, took_ms, rate) : while_idle(p, l, took_ms);
	p->wait_ms = wait < LOOK_MIN_MS ? LOOK_MIN_MS : (unsigned int)wait;
	return p->wait_ms;
}
