/*
 * Threads of a pool: with nothing to do they wait for work for as long as the pool keeps them, which looks like a watchdog's sleep if it
 * begins just when an operation does. Two things tell them apart. A thread that slept just so before the process had connected to anybody
 * does not sleep for an operation's sake. And of threads that have only just begun, and all sleep for the same long time, there are more
 * than the process has operations to watch over.
 *
 * The births are a ring in struct deadline. The session's thread.
 */
#include "core/elapsed.h"
#include "detectors/deadline.h"

#define NEWBORN_NS NS_PER_S /* from its beginning to its first sleep: there was a task in between */
#define TWINS_MIN 2U

void pool_born(struct deadline *d, const struct event *e)
{
	d->births[d->births_n++ % DEADLINE_BIRTHS] = (struct deadline_birth){.pid = e->pid, .tid = e->tid, .t0 = e->t0};
}

/* Told in whole milliseconds, or what is left of them. */
static bool twin_lengths(const struct deadline_timer *a, const struct deadline_timer *b)
{
	const uint64_t longer = a->limit_ns > b->limit_ns ? a->limit_ns : b->limit_ns;

	return longer - a->limit_ns <= longer / 1000 && longer - b->limit_ns <= longer / 1000;
}

static bool is_newborn(const struct deadline *d, const struct deadline_timer *t)
{
	for (uint32_t i = 0; i < DEADLINE_BIRTHS; i++) {
		const struct deadline_birth *b = &d->births[i];
		if (b->pid == t->pid && b->tid == t->tid && b->t0 <= t->t0 && t->t0 - b->t0 <= NEWBORN_NS)
			return true;
	}
	return false;
}

void pool_sleep(const struct deadline *d, struct deadline_timer *t, const struct deadline_timer *before, const struct process *p)
{
	if (t->limit_ns < DEADLINE_IDLE_NS)
		return;
	if (!before) {
		t->newborn = is_newborn(d, t);
		return;
	}
	if (before->t0 < t->t0 && twin_lengths(before, t) &&
	    (before->idles || !p->first_client_ns || before->t0 < p->first_client_ns))
		t->idles = true;
}

/* Operations of a process that wait for their peer, up to `most`; those too that end at this moment, as all do when the session is over. */
static uint32_t under_way(const struct deadline *d, uint32_t pid, uint64_t now_ns, uint32_t most)
{
	uint32_t n = 0;

	for (const struct deadline_conn *k = d->conns; k && n < most; k = k->next) {
		const bool waits = k->now.phase != PHASE_IDLE || (k->before.phase != PHASE_IDLE && k->before.until_ns == now_ns);
		if (waits && k->conn->process->pid == pid)
			n += k->open_n ? k->open_n : 1;
	}
	return n;
}

bool pool_idles(const struct deadline *d, const struct deadline_timer *t, uint64_t now_ns)
{
	uint32_t twins = 0;

	if (!t->newborn || t->limit_ns < DEADLINE_IDLE_NS)
		return false;
	for (uint32_t i = 0; i < d->timers_used; i++) {
		const struct deadline_timer *o = &d->timers[i];
		twins += o->t0 && o->pid == t->pid && (o == t || o->tid != t->tid) && !o->ended && o->due > now_ns &&
			 twin_lengths(o, t);
	}
	return twins >= TWINS_MIN && twins > under_way(d, t->pid, now_ns, twins);
}
