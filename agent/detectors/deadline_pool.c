/*
 * Threads of a pool: with nothing to do they wait for work for as long as the pool keeps them, which looks like a watchdog's sleep if it
 * begins just when an operation does. Two things tell them apart. A thread that slept just so before the process had connected to anybody
 * does not sleep for an operation's sake. And of threads that have only just begun, or have waited since before anybody watched, and all sleep
 * for the same long time, there are more than the process has operations to watch over. Of one thread alone less is known: a new one that
 * sleeps for as long as pools keep their threads, or one that has slept just so before, waits for work more often than not; any other may be
 * a caller, who waits for the thread that asks.
 *
 * The births are a ring in struct deadline. The session's thread.
 */
#include "core/elapsed.h"
#include "detectors/deadline.h"

#define NEWBORN_NS NS_PER_S /* from its beginning to its first sleep: there was a task in between */
#define TWINS_MIN 2U
#define TWINS_SLACK_NS (NS_PER_S / 4) /* between the ends of waits from before that were begun together */
#define KEPT_NS (60 * NS_PER_S) /* so long pools keep a thread without work, unless they are told otherwise: Java's, OkHttp's */
#define KEPT_BEFORE_SLACK_NS (NS_PER_S / 2) /* … as far as it is known of a wait that began before anybody watched */

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

static bool twins(const struct deadline_timer *a, const struct deadline_timer *b)
{
	if (!a->before && !b->before)
		return twin_lengths(a, b);
	return a->due > b->due ? a->due - b->due <= TWINS_SLACK_NS : b->due - a->due <= TWINS_SLACK_NS;
}

/* A process's first thread is no pool's. */
static bool is_newborn(const struct deadline *d, const struct deadline_timer *t)
{
	if (t->tid == t->pid)
		return false;
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
	if (before->t0 >= t->t0 || !twin_lengths(before, t))
		return;
	t->habit = t->habit || before->habit || before->due + before->limit_ns / 1000 < t->due; /* not woken, and asleep again */
	if (before->idles || !p->first_client_ns || before->t0 < p->first_client_ns)
		t->idles = true;
}

bool pool_keeps(const struct deadline_timer *t, uint64_t from_ns)
{
	const uint64_t length = t->before && !t->dated ? elapsed_ns(from_ns, t->due) : t->limit_ns;
	const uint64_t slack = t->before ? KEPT_BEFORE_SLACK_NS : KEPT_NS / 1000;
	const bool kept = length + slack >= KEPT_NS && length <= KEPT_NS + slack;

	return (length > DEADLINE_IDLE_NS && t->habit) || (kept && ((t->newborn && t->jvm) || t->before));
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
	uint32_t n = 0;

	if ((!t->newborn && !t->before) || t->limit_ns < DEADLINE_IDLE_NS)
		return false;
	for (uint32_t i = 0; i < d->timers_used; i++) {
		const struct deadline_timer *o = &d->timers[i];
		n += o->t0 && o->pid == t->pid && (o == t || o->tid != t->tid) && !o->ended && o->due > now_ns && twins(o, t);
	}
	return n >= TWINS_MIN && n > under_way(d, t->pid, now_ns, n);
}
