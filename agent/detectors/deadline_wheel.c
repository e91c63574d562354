/*
 * Timer wheels (Varghese and Lauck, 1987), as Netty's and its kin: a thread of the library's own looks at each tick which of the limits that
 * callers have set ran out. No wait on the connection shows these limits. What shows is the thread: it sleeps whole milliseconds
 * towards ticks of a fixed grid, so each time that it is late the next sleep is a millisecond or more shorter, and none is longer than a tick.
 * A heartbeat that sleeps and works in turn asks for the same length each time.
 *
 * A table in struct deadline, of the threads that sleep so; who slept longest ago makes room. The session's thread.
 */
#include "core/elapsed.h"
#include "detectors/deadline.h"

#define MS_NS UINT64_C(1000000)
#define NEAR_NS UINT64_C(5000) /* runtimes make a moment of a length, and a length of the moment */
#define TICK_MOST_MS 1000U
#define TICK_LEAST_MS 10U
#define GRID_SLACK_NS (2 * MS_NS)
#define TICKS_MIN 8U
#define SHORTER_MIN 2U

/* In whole milliseconds; 0: it is not. */
static uint32_t whole_ms(uint64_t ns)
{
	const uint64_t ms = (ns + NEAR_NS) / MS_NS, rest = ns > ms * MS_NS ? ns - ms * MS_NS : ms * MS_NS - ns;

	return rest <= NEAR_NS && ms <= TICK_MOST_MS ? (uint32_t)ms : 0;
}

static struct deadline_wheel *wheel_of(struct deadline *d, uint32_t pid, uint32_t tid)
{
	struct deadline_wheel *oldest = &d->wheels[0];

	for (uint32_t i = 0; i < d->wheels_used; i++) {
		struct deadline_wheel *w = &d->wheels[i];
		if (w->pid == pid && w->tid == tid)
			return w;
		if (w->slept_ns < oldest->slept_ns)
			oldest = w;
	}
	if (d->wheels_used < DEADLINE_WHEELS)
		oldest = &d->wheels[d->wheels_used++];
	*oldest = (struct deadline_wheel){.pid = pid, .tid = tid};
	return oldest;
}

/* Lengths are rounded up to whole milliseconds. */
static bool on_grid(const struct deadline_wheel *t, uint64_t due_ns)
{
	const uint64_t tick = t->tick_ms * MS_NS, past = elapsed_ns(t->tick_ns, due_ns) % tick;

	return past <= GRID_SLACK_NS || tick - past <= GRID_SLACK_NS;
}

void wheel_sleep(struct deadline *d, const struct wait *w)
{
	const uint32_t ms = w->limit_ns > 0 && w->process && w->outcome == WAIT_TIMED_OUT ? whole_ms((uint64_t)w->limit_ns) : 0;
	struct deadline_wheel *t;

	if (ms == 0)
		return;
	t = wheel_of(d, w->process->pid, w->tid);
	t->slept_ns = w->t1;
	if (ms > t->tick_ms || !on_grid(t, w->t0 + (uint64_t)w->limit_ns)) {
		t->tick_ms = ms;
		t->tick_ns = w->t0 + (uint64_t)w->limit_ns;
		t->ticks = t->shorter = 0;
		return;
	}
	t->ticks++;
	t->shorter += ms < t->tick_ms;
}

bool wheel_turns(const struct deadline *d, uint32_t pid)
{
	for (uint32_t i = 0; i < d->wheels_used; i++) {
		const struct deadline_wheel *t = &d->wheels[i];
		if (t->pid == pid && t->tick_ms >= TICK_LEAST_MS && t->ticks >= TICKS_MIN && t->shorter >= SHORTER_MIN)
			return true;
	}
	return false;
}
