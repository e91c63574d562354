/*
 * How long a gap was meant to be. A thread that sleeps says for how long, and a busy machine wakes it late: what was asked for shows the shape
 * of a back-off, what passed shows the machine's as well. Threads share the slots of a small table; the newest has a slot. The session's thread.
 */
#include "core/elapsed.h"
#include "detectors/retry.h"

#define EDGE_NS NS_PER_MS /* what is done around a wait */
#define BUSY_DIV 4U       /* waits that are shorter than so much of the least back-off are none */

static struct retry_waits *waits_of(struct retry *r, uint32_t tid)
{
	return &r->waits[(tid * 2654435761U >> 16) % RETRY_THREADS_MAX];
}

void retry_asked_event(struct retry *r, const struct event *e)
{
	const uint64_t took = elapsed_ns(e->t0, e->t1);
	struct retry_waits *w = waits_of(r, e->tid);

	if (e->id != WIRE_SLEEP && e->id != WIRE_POLL && e->id != WIRE_EPOLL_WAIT && e->id != WIRE_COND_WAIT)
		return;
	if (!e->a1 || !took)
		return;
	if (w->tid != e->tid)
		*w = (struct retry_waits){.tid = e->tid, .pid = e->pid};
	w->loop = w->loop || e->id == WIRE_EPOLL_WAIT;
	struct retry_wait *at = &w->waits[w->n++ % RETRY_WAITS_MAX];
	*at = (struct retry_wait){.t0 = e->t0, .t1 = e->t1, .asked_ns = (int64_t)e->a1 > 0 && e->a1 < took ? e->a1 : took};
	at->woken = e->id == WIRE_COND_WAIT && (int64_t)e->a1 < 0 && !e->err;
	at->sleep = (int64_t)e->a1 > 0 && (e->id == WIRE_SLEEP || (e->id == WIRE_POLL && !e->a0));
}

/* What a thread waited for within a gap. */
struct waited {
	uint64_t asked_ns, late_ns; /* by sleeps, and how much too late these ended */
	bool whole;                 /* all of its waits are known */
};

/* Of an event loop only the last wait came late for this: it makes up for a timer of something else that did. */
static struct waited waited_within(const struct retry_waits *w, uint64_t from_ns, uint64_t to_ns)
{
	struct waited sum = {.whole = w->n < RETRY_WAITS_MAX};
	uint64_t last_ns = 0, last_late_ns = 0;

	for (uint32_t i = 0; i < RETRY_WAITS_MAX && i < w->n; i++) {
		const struct retry_wait *at = &w->waits[i];
		const uint64_t late_ns = elapsed_ns(at->t0, at->t1) - at->asked_ns;
		sum.whole = sum.whole || at->t1 <= from_ns;
		if (at->t0 + EDGE_NS < from_ns || at->t1 > to_ns + EDGE_NS)
			continue;
		if (at->sleep) {
			sum.asked_ns += at->asked_ns;
			sum.late_ns += late_ns;
		} else if (at->t1 > last_ns) {
			last_ns = at->t1;
			last_late_ns = late_ns;
		}
	}
	sum.late_ns += last_late_ns;
	return sum;
}

/*
 * Sleeps that make up most of a gap are the back-off: they stand for it. Else something was done, too, and only what waits came late is taken
 * off: an event loop waits for what is left of a timer that was set before. Nobody becomes hasty by it who was seen to wait.
 */
uint64_t retry_asked_gap(struct retry *r, const struct retry_sequence *s, const struct retry_attempt *a, uint64_t gap_ns,
			 bool *ret_exact)
{
	const struct retry_waits *w = waits_of(r, a->tid);
	const uint64_t least = retry_option_ns(r, RETRY_O_NO_BACKOFF);

	*ret_exact = false;
	if (w->tid != a->tid || a->tid != s->tid || a->pid != s->pid)
		return gap_ns;
	const struct waited sum = waited_within(w, s->last_end_ns, s->last_end_ns + gap_ns);
	const uint64_t kept = sum.late_ns < gap_ns ? gap_ns - sum.late_ns : 0;
	const bool is_backoff =
		sum.whole && sum.asked_ns < kept && 2 * sum.asked_ns >= kept && (sum.asked_ns >= least || kept < least);
	const uint64_t meant = is_backoff ? sum.asked_ns : kept;
	if (meant < least && gap_ns >= least)
		return gap_ns;
	*ret_exact = is_backoff;
	return meant;
}

/* Time that a thread waited for within a gap; `limited`: only what ended as its limit passed. */
static uint64_t waited_ns(const struct retry_waits *w, uint64_t from_ns, uint64_t to_ns, bool limited)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < RETRY_WAITS_MAX && i < w->n; i++) {
		const struct retry_wait *at = &w->waits[i];
		const uint64_t t0 = at->t0 > from_ns ? at->t0 : from_ns, t1 = at->t1 < to_ns ? at->t1 : to_ns;
		const bool passed = elapsed_ns(at->t0, at->t1) > at->asked_ns;
		if (t1 > t0 && (!limited || (passed && at->t1 <= to_ns)))
			sum += t1 - t0;
	}
	return sum;
}

/* A loop that has a timer asks for that long in its wait. Where the machine holds it up, the timer may be due before it comes to wait, so that this
 * says little of one gap, and something of all gaps of a sequence. Of Go's threads not all waits are told. */
bool retry_asked_nothing(struct retry *r, const struct retry_sequence *s, const struct retry_attempt *a, uint64_t gap_ns)
{
	const struct retry_waits *w = waits_of(r, a->tid);
	const uint64_t from_ns = s->last_end_ns, to_ns = from_ns + gap_ns,
		       least_ns = retry_option_ns(r, RETRY_O_NO_BACKOFF) / BUSY_DIV;
	const struct process *p = r->env.model ? model_process(r->env.model, a->pid) : NULL;

	if (w->tid != a->tid || !w->loop || a->tid != s->tid || a->pid != s->pid || !p || p->go ||
	    !waited_within(w, from_ns, to_ns).whole || waited_ns(w, from_ns, to_ns, false) >= least_ns)
		return false;
	for (size_t i = 0; i < RETRY_THREADS_MAX; i++) {
		if (r->waits[i].pid == a->pid && waited_ns(&r->waits[i], from_ns, to_ns, true) >= least_ns)
			return false;
	}
	return true;
}

bool retry_asked_woken(struct retry *r, uint32_t tid, uint64_t from_ns, uint64_t to_ns)
{
	const struct retry_waits *w = waits_of(r, tid);
	uint64_t woken_ns = 0, slept_ns = 0;

	for (uint32_t i = 0; w->tid == tid && i < RETRY_WAITS_MAX && i < w->n; i++) {
		const struct retry_wait *at = &w->waits[i];
		if (at->t0 < from_ns || at->t1 > to_ns || elapsed_ns(at->t0, at->t1) < EDGE_NS)
			continue;
		woken_ns = at->woken && at->t1 > woken_ns ? at->t1 : woken_ns;
		slept_ns = at->sleep && at->t1 > slept_ns ? at->t1 : slept_ns;
	}
	return woken_ns > slept_ns;
}
