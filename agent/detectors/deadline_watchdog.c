/*
 * Watchdogs: a thread that sleeps for the time limit of another thread's wait, and then shuts the connection down. While nothing hangs, a
 * recv() under a watchdog looks like one without any bound; all that differs is a thread that went to sleep when the operation began and
 * sleeps for longer. Such an operation is undecided. A sleep is told when it is over or a second old, later than a quick answer: so
 * such observations are held back for a few seconds. So is giving up: a process that dies right afterwards without calling exit was killed
 * by a signal, and what it closed in the signal's handler it did not give up.
 *
 * Bounded rings in struct deadline: of each thread its latest timers count, of many threads the latest, of many observations the oldest is counted early. The session's
 * thread.
 */
#include <stdio.h>
#include <string.h>

#include "core/elapsed.h"
#include "detectors/deadline.h"
#include "protocols/protocol.h"

#define TIMER_MIN_NS (100 * NS_PER_MS)  /* shorter sleeps are pauses */
#define START_SLACK_NS (50 * NS_PER_MS) /* a watchdog starts with the operation, give or take */
#define START_SHARE 4U /* … or by a part of its length, where preparing takes a while: a JVM loads classes before it connects */
#define START_MOST_NS (3 * NS_PER_S)
#define START_NEWBORN_NS NS_PER_S /* … but a thread that was only just made for it takes no longer */
#define START_GO_NS NS_PER_S      /* … and a goroutine that was made for it takes no longer */
#define TIMERS_OF_THREAD 2U
#define FIRST_NS (2 * NS_PER_S)       /* so old at most, the connection was opened for this operation */
#define FIRED_NS (20 * NS_PER_MS)     /* from the end of its sleep to what it does */
#define ALARM_SHARE 16U               /* … and so much more of an alarm's length: where a thread has to be made for it */
#define ALARM_SLACK_NS (NS_PER_S / 2) /* so long after it has fired, its effect may still come */
#define FAR_NS (1200 * NS_PER_S)      /* nobody waits so long for an answer */
#define HOLD_NS (4 * NS_PER_S)
#define SAME_MOMENT_NS (25 * NS_PER_MS)
#define CLEAR_UP_NS NS_PER_S /* from the first thing that a handler of a fatal signal does to the end */

static bool near_to(uint64_t a, uint64_t b)
{
	return a > b ? a - b <= SAME_MOMENT_NS : b - a <= SAME_MOMENT_NS;
}

static bool same_length(uint64_t a, uint64_t b)
{
	return a > b ? a - b <= a / 10 : b - a <= b / 10;
}

static void uncover(struct deadline *d, const struct deadline_timer *t);

/* So long before the operation it may have begun. */
static uint64_t head_start(const struct deadline_timer *t)
{
	const uint64_t share = t->limit_ns / START_SHARE;

	if ((!t->before && pool_keeps(t, t->t0)) || share < START_SLACK_NS)
		return START_SLACK_NS;
	const uint64_t most = t->newborn ? START_NEWBORN_NS : START_MOST_NS;

	return share < most ? share : most;
}

/* Did it end just then, as far as is known? */
static bool fires(const struct deadline_timer *t, uint64_t now_ns)
{
	const uint64_t late = FIRED_NS + (t->alarm ? t->limit_ns / ALARM_SHARE : 0);

	return t->due <= now_ns && now_ns >= t->woke_ns && now_ns - t->woke_ns <= late;
}

/* Where a thread's next sleep is kept. It has two places of its own: threads that doze all the time, as a JVM's compilers do, would push out
 * the one that watches. */
static struct deadline_timer *place_of(struct deadline *d, uint32_t pid, uint32_t tid)
{
	struct deadline_timer *oldest = NULL;
	uint32_t own = 0;

	for (uint32_t i = 0; i < d->timers_used; i++) {
		struct deadline_timer *t = &d->timers[i];
		if (t->pid != pid || t->tid != tid)
			continue;
		own++;
		if (!oldest || t->t0 < oldest->t0)
			oldest = t;
	}
	if (own >= TIMERS_OF_THREAD)
		return oldest;
	if (d->timers_used < DEADLINE_TIMERS)
		return &d->timers[d->timers_used++];
	return &d->timers[d->timers_n++ % DEADLINE_TIMERS];
}

void watchdog_remember(struct deadline *d, const struct deadline_timer *timer)
{
	if (timer->limit_ns < TIMER_MIN_NS)
		return;
	*place_of(d, timer->pid, timer->tid) = *timer;
	uncover(d, timer);
}

void watchdog_sleep(struct deadline *d, const struct wait *w)
{
	if (w->limit_ns < (int64_t)TIMER_MIN_NS || !w->process || stacks_is_housekeeping(d->env.stacks, w->stack))
		return;
	struct deadline_timer timer = {
		.pid = w->process->pid,
		.tid = w->tid,
		.t0 = w->t0,
		.since_ns = w->t0,
		.first_ns = w->t0,
		.limit_ns = (uint64_t)w->limit_ns,
		.due = w->t0 + (uint64_t)w->limit_ns,
		.ended = w->outcome != WAIT_PENDING,
		.before = w->before,
		.dated = w->dated,
		.loop = w->op == WAIT_LOOP,
	};
	timer.woke_ns = timer.ended ? w->t1 : timer.due;
	timer.jvm = w->process->jvm;
	pool_sleep(d, &timer, NULL, w->process);
	for (uint32_t i = 0; i < d->timers_used; i++) {
		struct deadline_timer *t = &d->timers[i];
		if (t->pid != timer.pid || t->tid != timer.tid || !t->t0)
			continue;
		if (t->t0 == timer.t0) {
			t->ended = timer.ended;
			t->woke_ns = timer.woke_ns;
			return;
		}
		pool_sleep(d, &timer, t, w->process);
		/* Woken in between, it sleeps on towards the same moment. */
		if (t->t0 < timer.t0 && near_to(t->due, timer.due) && t->since_ns < timer.since_ns)
			timer.since_ns = t->since_ns;
		/* It slept just so before, to the end, and nothing came of it: a clock that ticks. */
		const bool next = (t->ended || t->before) && same_length(t->limit_ns, timer.limit_ns) && t->due <= timer.t0;
		timer.again = timer.again || next;
		if (next && timer.t0 <= t->woke_ns + timer.limit_ns / 2 && t->first_ns < timer.first_ns)
			timer.first_ns = t->first_ns;
	}
	watchdog_remember(d, &timer);
}

/* Of a wait from before anybody watched, of which it is not known when it began, nothing is known; an alarm may be meant for any wait. */
static bool begun_with(const struct deadline_timer *t, uint64_t from_ns, uint64_t wait_ns)
{
	if ((t->before && !t->dated) || t->alarm)
		return true;
	return t->since_ns + head_start(t) >= from_ns && t->since_ns <= wait_ns + START_SLACK_NS;
}

/* Stopped in time, an alarm does nothing any more. */
static uint64_t over_ns(const struct deadline_timer *t)
{
	return t->due + (t->alarm && t->woke_ns ? ALARM_SLACK_NS : 0);
}

/* Was t begun with the operation, and does it reach beyond until_ns? */
static bool spans(const struct deadline_timer *t, uint32_t pid, uint32_t tid, uint64_t from_ns, uint64_t wait_ns, uint64_t until_ns)
{
	return t->t0 && t->pid == pid && t->tid != tid && !t->again && t->limit_ns <= FAR_NS && !t->idles &&
	       begun_with(t, from_ns, wait_ns) && t->t0 < until_ns && over_ns(t) > until_ns;
}

/* A loop's timer may be anybody's. Only whoever calls exit when it runs out has shown whose it was (watchdog_ran_out). */
static bool covers(const struct deadline_timer *t, uint32_t pid, uint32_t tid, uint64_t from_ns, uint64_t wait_ns,
		   uint64_t until_ns)
{
	return !t->loop && spans(t, pid, tid, from_ns, wait_ns, until_ns);
}

static uint64_t began(const struct deadline_conn *k, const struct watch *w)
{
	const uint64_t opened = k->conn->opened_ns;

	return opened && opened < w->operation_ns && w->operation_ns - opened < FIRST_NS ? opened : w->operation_ns;
}

/* Who watches has begun by then. Go's poller waits again whenever anything happens, so its latest wait says nothing. */
static uint64_t begun_by(const struct deadline_conn *k, const struct watch *w)
{
	return k->conn->process->go ? w->operation_ns + START_GO_NS : w->last_t0;
}

uint64_t watchdog_due(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t now_ns)
{
	uint64_t due = 0;

	const bool old = elapsed_ns(w->since_ns, now_ns) >= evidence_option_ns(d->env.options[DEADLINE_O_NO_GIVE_UP]);

	for (uint32_t i = 0; w->calls && i < d->timers_used; i++) {
		const struct deadline_timer *t = &d->timers[i];
		if (!covers(t, k->conn->process->pid, w->last_tid, began(k, w), begun_by(k, w), now_ns) ||
		    (old && (pool_idles(d, t, now_ns) || (w->forever && pool_keeps(t, began(k, w))))))
			continue;
		if (!due || t->due < due)
			due = t->due;
	}
	return due;
}

bool watchdog_over(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t now_ns)
{
	for (uint32_t i = 0; i < d->timers_used; i++) {
		if (covers(&d->timers[i], k->conn->process->pid, w->last_tid, began(k, w), began(k, w), now_ns))
			return true;
	}
	return false;
}

bool watchdog_fired(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t now_ns)
{
	for (uint32_t i = 0; w->calls && i < d->timers_used; i++) {
		const struct deadline_timer *t = &d->timers[i];
		if (fires(t, now_ns) && covers(t, k->conn->process->pid, w->last_tid, began(k, w), w->last_t0, t->due - 1))
			return true;
	}
	return false;
}

bool watchdog_looked(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t slack_ns)
{
	const struct process *p = k->conn->process;

	for (uint32_t i = 0; i < d->timers_used; i++) {
		const struct deadline_timer *t = &d->timers[i];
		if (t->again && t->ended && !t->loop && t->pid == p->pid && t->tid == p->exit_tid && t->tid != w->last_tid &&
		    t->woke_ns <= p->exit_ns && p->exit_ns - t->woke_ns <= slack_ns)
			return true;
	}
	return false;
}

/* A caller that looks every now and then whether the answer is there, from the question on, and is the one who calls exit in the end. */
static bool looked_meanwhile(const struct deadline_timer *t, const struct process *p, uint64_t from_ns, uint64_t wait_ns)
{
	struct deadline_timer whole = *t;

	whole.limit_ns = elapsed_ns(t->first_ns, t->due);
	return t->again && t->ended && !t->loop && t->pid == p->pid && t->tid == p->exit_tid &&
	       t->first_ns + head_start(&whole) >= from_ns && t->first_ns <= wait_ns + START_SLACK_NS;
}

/* Its thread slept just so again, right afterwards: it is no caller who leaves. */
static bool goes_on(const struct deadline *d, const struct deadline_timer *t)
{
	for (uint32_t i = 0; i < d->timers_used; i++) {
		const struct deadline_timer *o = &d->timers[i];
		if (o->again && o->pid == t->pid && o->tid == t->tid && o->t0 >= t->woke_ns &&
		    same_length(o->limit_ns, t->limit_ns))
			return true;
	}
	return false;
}

uint64_t watchdog_ran_out(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t exit_ns,
			  uint64_t slack_ns)
{
	const struct process *p = k->conn->process;
	uint64_t ran_out = 0;

	for (uint32_t i = 0; w->calls && i < d->timers_used; i++) {
		const struct deadline_timer *t = &d->timers[i];
		const uint64_t end = t->woke_ns > t->due ? t->woke_ns : t->due;

		if (t->woke_ns >= t->due && end <= exit_ns && exit_ns - end <= slack_ns && end > ran_out &&
		    (!t->loop || t->tid == p->exit_tid) &&
		    ((spans(t, p->pid, w->last_tid, began(k, w), w->last_t0, t->due - 1) && !goes_on(d, t)) ||
		     (t->tid != w->last_tid && looked_meanwhile(t, p, began(k, w), w->last_t0))))
			ran_out = end;
	}
	return ran_out;
}

uint64_t watchdog_alarmed(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t gone_ns,
			  uint64_t slack_ns)
{
	uint64_t fired = 0;

	for (uint32_t i = 0; w->calls && i < d->timers_used; i++) {
		const struct deadline_timer *t = &d->timers[i];

		if (t->alarm && t->woke_ns && t->due <= gone_ns && gone_ns - t->due <= slack_ns && t->due > fired &&
		    covers(t, k->conn->process->pid, w->last_tid, began(k, w), w->last_t0, t->due - 1))
			fired = t->due;
	}
	return fired;
}

uint64_t watchdog_length(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t now_ns)
{
	const uint64_t lasted = elapsed_ns(w->operation_ns, now_ns);

	for (uint32_t i = 0; i < d->timers_used; i++) {
		const struct deadline_timer *t = &d->timers[i];
		if (!t->t0 || t->pid != k->conn->process->pid || t->tid == w->last_tid || t->again || !t->ended || t->loop)
			continue;
		if (fires(t, now_ns) && t->limit_ns >= lasted && t->limit_ns / 2 <= lasted)
			return t->limit_ns;
	}
	return 0;
}

static void count(struct deadline *d, struct deadline_recent *r)
{
	/* It takes a wheel a while to show. */
	if (r->o.how == HOW_LOOP_FOREVER && r->o.weight == W_NONE_WEAK && wheel_turns(d, r->pid)) {
		r->o.weight = W_UNDECIDED;
		r->o.how = HOW_CLOCK;
	}
	if (r->o.operations)
		deadline_count(d, r->peer, &r->o);
	r->peer = NULL;
}

/* A timer has come to light: what it covered is undecided. */
static void uncover(struct deadline *d, const struct deadline_timer *t)
{
	for (uint32_t i = 0; i < DEADLINE_RECENT; i++) {
		struct deadline_recent *r = &d->recent[i];
		if (!r->peer || !covers(t, r->pid, r->tid, r->from_ns, r->wait_ns, r->o.last_ns))
			continue;
		if (r->o.weight == W_FINITE_PROVEN || (r->o.weight == W_FINITE && r->wait_ns + r->o.limit_ns < t->due))
			continue;
		r->o.weight = r->o.weight == W_NONE_WEAK ? W_DOUBT : W_UNDECIDED;
		r->o.how = HOW_OTHER_THREAD;
	}
}

void watchdog_hold(struct deadline *d, const struct deadline_conn *k, const struct watch *w, const struct observation *o,
		   const struct observation *killed)
{
	struct deadline_recent *r = &d->recent[d->recent_n++ % DEADLINE_RECENT];
	struct deadline_peer *peer;

	if (deadline_by_design(k, o->phase))
		return;
	if (r->peer)
		count(d, r);
	peer = deadline_peer_get(d, k->conn->peer);
	if (peer && k->conn->protocol && strcmp(peer->protocol, k->conn->protocol->name) != 0)
		snprintf(peer->protocol, sizeof peer->protocol, "%s", k->conn->protocol->name);
	*r = (struct deadline_recent){
		.peer = peer,
		.conn_id = k->conn->id,
		.pid = k->conn->process->pid,
		.tid = w->last_tid,
		.from_ns = began(k, w),
		.wait_ns = w->last_t0,
		.o = *o,
		.killed = *killed,
	};
}

/* The process is dead, by a signal: what it did in its last moments was clearing up after that, not giving up. */
void watchdog_killed(struct deadline *d, const struct process *p, uint64_t now_ns)
{
	for (uint32_t i = 0; i < DEADLINE_RECENT; i++) {
		struct deadline_recent *r = &d->recent[i];
		if (r->peer && r->pid == p->pid && r->o.weight == W_FINITE_PROVEN && now_ns < r->o.last_ns + CLEAR_UP_NS)
			r->o = r->killed;
	}
}

void watchdog_stopping(struct deadline *d)
{
	for (uint32_t i = 0; i < DEADLINE_RECENT; i++) {
		struct deadline_recent *r = &d->recent[i];
		if (r->peer && r->o.weight == W_FINITE_PROVEN && r->o.last_ns >= d->stopping_ns)
			r->o = r->killed;
	}
}

void watchdog_release(struct deadline *d, uint64_t now_ns, bool all)
{
	for (uint32_t i = 0; i < DEADLINE_RECENT; i++) {
		struct deadline_recent *r = &d->recent[(d->recent_n + i) % DEADLINE_RECENT];
		if (r->peer && (all || now_ns >= r->o.last_ns + HOLD_NS))
			count(d, r);
	}
}

void watchdog_forget(struct deadline *d, const struct conn *c)
{
	for (uint32_t i = 0; i < DEADLINE_RECENT; i++) {
		if (d->recent[i].peer && d->recent[i].conn_id == c->id && d->recent[i].o.phase != PHASE_CONNECT)
			d->recent[i].peer = NULL;
	}
}
