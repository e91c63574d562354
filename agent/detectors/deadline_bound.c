/*
 * The evidence ladder (DETECTORS, "Deadlines", 1 to 4; 5 is deadline_runtime.c's): from the waits of one phase to the bound that they show. Pure functions.
 *
 * A wait "belongs to the descriptor" if nothing but it can end it: a blocking call, or a poll on that descriptor alone, by the thread that
 * sent the request. All other waits are an event loop's: their limit may be anybody's timer.
 */
#include <errno.h>

#include "core/elapsed.h"
#include "detectors/deadline.h"

#define SLICE_NS NS_PER_S               /* a limit up to this is a slice of a longer wait */
#define SLICES_MIN 3U                   /* slices without data that show the lack of a bound */
#define GIVE_UP_MIN_NS (50 * NS_PER_MS) /* closed sooner, it was no timeout */
#define READY_NS (10 * NS_PER_MS)       /* a read that takes no longer found its bytes there */
#define TRIES_MIN 3U                    /* reads that found nothing make a loop that asks again and again */
#define LAST_LOOK_NS (100 * NS_PER_MS)  /* from the last look for an answer to the close that it led to */
#define LATE_PAUSES 4U                  /* so many usual pauses between two looks at the clock are no pause any more */
#define CLOCK_TICKS_MIN 2U
#define CLOCK_MOST_NS (600 * NS_PER_S) /* a clock that ticks on for so long looks after somebody else */
#define SMALL_SET 4U                   /* a poll on so few: the others are wake-up descriptors */
#define FAR_NS (1200 * NS_PER_S)     /* a loop that sleeps for so long has no deadline of a call in mind, but a pool's idle ones */
#define GO_ASKED_NS (10 * NS_PER_MS) /* after sending, until a Go program has set its timer for the answer */
#define GO_SETTLED_NS (100 * NS_PER_MS) /* a wait that goes on for so long was not ended by a new timer */
#define DUE_SLACK_NS (25 * NS_PER_MS)   /* waits that fall towards one moment agree on it to within this … */
#define DUE_SLACK_DIV 50U               /* … or a fiftieth of their limit */

void watch_begin(struct watch *w, enum phase phase, uint64_t now_ns, uint32_t tid, uint32_t stack, uint64_t request_id)
{
	*w = (struct watch){.phase = phase,
			    .since_ns = now_ns,
			    .operation_ns = now_ns,
			    .sender_tid = tid,
			    .stack = stack,
			    .request_id = request_id};
}

enum belongs { TO_LOOP, TO_SMALL_SET, TO_DESCRIPTOR };

static enum belongs belongs(const struct watch *w, const struct wait *wait)
{
	if (w->sender_tid && wait->tid && wait->tid != w->sender_tid)
		return TO_LOOP;
	if (wait->how == WAIT_BY_EPOLL && wait->process && wait->process->go)
		return TO_LOOP;
	switch (wait->how) {
	case WAIT_BY_CALL:
		return TO_DESCRIPTOR;
	case WAIT_BY_POLL:
		return wait->covers <= 1 ? TO_DESCRIPTOR : wait->covers <= SMALL_SET ? TO_SMALL_SET : TO_LOOP;
	case WAIT_BY_EPOLL:
		return wait->covers == 1 ? TO_SMALL_SET : TO_LOOP;
	case WAIT_BY_SLEEP:
	case WAIT_BY_COND:
		break;
	}
	return TO_LOOP;
}

static void arm(struct watch *w, uint64_t t0, uint64_t limit)
{
	uint64_t due = t0 + limit;

	if (!w->armed || due < w->due_lo)
		w->due_lo = due;
	if (due > w->due_hi)
		w->due_hi = due;
	if (!w->armed)
		w->armed_first = t0;
	w->armed_last = t0;
	w->armed++;
	w->last_limit_ns = limit;
}

/* Limits that fall as time goes by, all towards the same moment: what is left of one deadline. */
static bool falls(const struct watch *w)
{
	uint64_t slack = DUE_SLACK_NS + (w->due_hi - w->armed_first) / DUE_SLACK_DIV;

	return w->armed >= 2 && w->due_hi - w->armed_first > SLICE_NS && w->due_hi - w->due_lo <= slack &&
	       elapsed_ns(w->armed_first, w->armed_last) >= 4 * slack;
}

/*
 * Go's poller waits until the next of all the program's timers, and a new one that is nearer wakes it. Without a limit it says that there is
 * none; but not at once, because the wait may have begun before the phase, or a moment before the timer is set; and if something else ended
 * it, only after a while: that may have been a timer, told late. A connect is ready before Go's own code sets its timer.
 */
static bool go_may_set_timer(const struct watch *w, const struct wait *wait)
{
	const uint64_t from = wait->t0 > w->since_ns ? wait->t0 : w->since_ns;
	const uint64_t least = wait->outcome == WAIT_READY && w->phase != PHASE_CONNECT ? GO_ASKED_NS : GO_SETTLED_NS;

	return wait->how == WAIT_BY_EPOLL && wait->process && wait->process->go && wait->t1 < from + least;
}

/* Begun by another thread before the phase, and ended at once, perhaps because a timer was set: if the next wait has a limit, this said nothing. */
static bool from_before(const struct watch *w, const struct wait *wait)
{
	return wait->t0 < w->since_ns && wait->outcome != WAIT_PENDING && wait->t1 < w->since_ns + READY_NS;
}

static void wait_forever(struct watch *w, const struct wait *wait)
{
	const struct process *p = wait->process;

	if (p && p->itimer_due_ns > wait->t0 && p->sigalrm_interrupts) {
		w->alarm_due_ns = p->itimer_due_ns;
		w->alarm_len_ns = p->itimer_len_ns;
	} else if (w->alarm_due_ns)
		return;
	else if (wait->timer_due_ns > wait->t0)
		w->hint_ns = wait->timer_due_ns;
	else if (go_may_set_timer(w, wait))
		w->go_timer = true;
	else if (belongs(w, wait) != TO_LOOP)
		w->forever = true;
	else {
		w->loop_forever = true;
		w->loop_forever_sure = w->loop_forever_sure || !from_before(w, wait);
	}
}

/* A loop's next timer. One that came and went unheeded, and those no longer than it, are ticks of something else. */
static void loop_timer(struct watch *w, uint64_t t0, uint64_t limit)
{
	uint64_t due = t0 + limit;
	bool same = w->timer_ns && due < w->timer_ns + DUE_SLACK_NS && w->timer_ns < due + DUE_SLACK_NS;

	if (!same) {
		if (w->timer_ns && t0 + DUE_SLACK_NS >= w->timer_ns && w->timer_len_ns > w->tick_len_ns)
			w->tick_len_ns = w->timer_len_ns;
		w->timer_ns = due;
		w->timer_len_ns = limit;
	}
	w->hint_ns = due;
}

bool watch_ticks(const struct watch *w)
{
	return w->timer_len_ns <= w->tick_len_ns + w->tick_len_ns / 4;
}

static void wait_limited(struct watch *w, const struct wait *wait, bool again)
{
	uint64_t limit = (uint64_t)wait->limit_ns;
	enum belongs to = belongs(w, wait);

	if (to == TO_LOOP || (to == TO_SMALL_SET && limit > SLICE_NS)) {
		loop_timer(w, wait->t0, limit);
		w->loop_forever = w->loop_forever && w->loop_forever_sure;
		w->go_timer = w->go_timer || (wait->process && wait->process->go);
		w->loop_timed_out = wait->outcome == WAIT_TIMED_OUT;
		return;
	}
	if (again)
		return;
	arm(w, wait->t0, limit);
	if (limit > SLICE_NS && limit > w->limit_ns)
		w->limit_ns = limit;
	if (limit <= SLICE_NS)
		w->slices = true;
}

void watch_wait(struct watch *w, const struct wait *wait)
{
	bool again = w->calls && w->last_t0 == wait->t0 && w->last_tid == wait->tid;

	if (wait->limit_ns == 0)
		return;
	/* What a poll, or the same thread's loop, has just announced is there: the read that fetches it does not wait, whatever its limit. */
	const bool told = w->ready || (w->announced && wait->tid == w->last_tid);
	if (wait->how == WAIT_BY_CALL && told && elapsed_ns(wait->t0, wait->t1) < READY_NS && wait->outcome != WAIT_PENDING)
		return;
	if (!again) {
		w->calls++;
		if (w->last_timed_out)
			w->rearmed = true;
		w->last_timed_out = false;
		w->last_t0 = wait->t0;
		w->last_tid = wait->tid;
		if (wait->limit_ns > 0)
			w->last_due_ns = wait->t0 + (uint64_t)wait->limit_ns;
	}
	if (wait->stack)
		w->wait_stack = wait->stack;
	w->by_call = wait->how == WAIT_BY_CALL;
	w->end_unseen = w->by_call && wait->outcome == WAIT_PENDING && wait->conn && wait->conn->inherited;
	watch_runtime(w, wait);
	if (wait->limit_ns == WAIT_INFINITE)
		wait_forever(w, wait);
	else if (wait->limit_ns < 0)
		w->unknown = true;
	else
		wait_limited(w, wait, again);
	if (wait->outcome == WAIT_TIMED_OUT && belongs(w, wait) != TO_LOOP) {
		w->timeouts++;
		w->last_timed_out = true;
	}
	w->interrupted = wait->outcome == WAIT_INTERRUPTED && wait->err == EINTR;
	/* Of a poll that was begun before anybody watched, the end is not told. */
	w->ready = wait->how == WAIT_BY_POLL && (wait->outcome == WAIT_READY || wait->outcome == WAIT_PENDING);
	w->announced = wait->how != WAIT_BY_CALL && wait->outcome == WAIT_READY;
	if (wait->outcome != WAIT_PENDING)
		w->last_t1 = wait->t1;
}

void watch_try(struct watch *w, const struct event *e)
{
	w->tries++;
	w->announced = false;
	w->last_t1 = e->t1;
	w->last_tid = e->tid;
	if (e->stack)
		w->wait_stack = e->stack;
}

bool judge_bounded(struct observation *o, enum how how, uint64_t limit_ns, bool proven)
{
	o->how = how;
	o->limit_ns = limit_ns;
	o->weight = proven ? W_FINITE_PROVEN : W_FINITE;
	return true;
}

bool judge_weighs(struct observation *o, enum how how, enum weight weight)
{
	o->how = how;
	o->weight = weight;
	return true;
}

/* An alarm that was set for the operation is meant to last as long as it was set for, although preparing takes a while: long, where the
 * process gets no processor meanwhile. One of which less than half is left was set for something before. */
static uint64_t alarm_limit(const struct watch *w)
{
	const uint64_t left = elapsed_ns(w->operation_ns, w->alarm_due_ns);

	return left < w->alarm_len_ns && left >= w->alarm_len_ns / 2 ? w->alarm_len_ns : left;
}

static bool near_ns(uint64_t a, uint64_t b, uint64_t slack)
{
	return a > b ? a - b <= slack : b - a <= slack;
}

/* Who reads again and again looks at the clock each time: much later than its last look it did not decide, it only got no processor. Where it
 * decided it can then be no later than one of its usual pauses after that look. */
static uint64_t age_of_decision(const struct watch *w, uint64_t now_ns)
{
	const uint64_t age = elapsed_ns(w->since_ns, now_ns), looked = elapsed_ns(w->since_ns, w->last_t1);
	const uint64_t pause = w->tries ? looked / w->tries : 0;

	return !w->calls && w->tries >= TRIES_MIN && age > looked + LATE_PAUSES * pause ? looked + pause : age;
}

/* When the last wait was to end says what was meant: where the process gets no processor, it comes back from there late. */
static uint64_t age_when_due(const struct watch *w, uint64_t now_ns)
{
	const uint64_t age = elapsed_ns(w->since_ns, now_ns);
	const bool late = w->last_due_ns > w->since_ns && w->last_due_ns <= now_ns && now_ns - w->last_due_ns <= age / 5;

	return late ? w->last_due_ns - w->since_ns : age;
}

/* The decisive evidence: the wait ended because the process ended it. */
static bool judge_outcome(const struct watch *w, enum ending end, const struct judge *j, struct observation *o)
{
	uint64_t age = elapsed_ns(w->since_ns, j->now_ns);
	if (w->phase == PHASE_RESPONSE && w->announced && (end == END_GAVE_UP || end == END_EXIT))
		return false;
	bool alarmed = w->interrupted && w->alarm_due_ns && j->now_ns >= w->alarm_due_ns;

	if (alarmed && end != END_DATA && end != END_PENDING) {
		o->phase = w->phase == PHASE_CONNECT ? PHASE_CONNECT : PHASE_TOTAL;
		return judge_bounded(o, HOW_ALARM, alarm_limit(w), true);
	}
	/* Left between two drops: nothing but the whole's own limit ends that. */
	if (w->phase == PHASE_BODY && j->dripping && (end == END_GAVE_UP || (end == END_EXIT && w->last_t1))) {
		o->phase = PHASE_TOTAL;
		return judge_bounded(o, HOW_GAVE_UP, j->fired_len_ns ? j->fired_len_ns : elapsed_ns(w->operation_ns, j->now_ns),
				     true);
	}
	if ((end == END_GAVE_UP || end == END_EXIT) && w->last_timed_out && w->timeouts) {
		if (falls(w))
			o->phase = w->phase == PHASE_CONNECT ? PHASE_CONNECT : PHASE_TOTAL;
		bool single = !w->rearmed && w->last_limit_ns && !w->seen_late;
		return judge_bounded(o, HOW_TIMED_OUT, single ? w->last_limit_ns : age_when_due(w, j->now_ns), true);
	}
	/* Its shutdown may not have been seen: the process can be gone before that call returns. */
	const bool unlimited = w->forever || (w->limit_ns ? j->now_ns < w->last_t0 + w->limit_ns : j->left);
	if (end == END_FAILED && j->fired && unlimited) {
		o->phase = w->phase == PHASE_CONNECT ? PHASE_CONNECT : PHASE_TOTAL;
		o->observed = true;
		return judge_bounded(o, HOW_GAVE_UP, j->fired_len_ns ? j->fired_len_ns : elapsed_ns(w->operation_ns, j->now_ns),
				     false);
	}
	if (end != END_GAVE_UP && (end != END_EXIT || !w->last_t1))
		return false;
	/* It looked once more, and then it closed: a few looks are enough. */
	const bool last_look =
		end == END_GAVE_UP && w->tries && age >= SLICE_NS && elapsed_ns(w->last_t1, j->now_ns) < LAST_LOOK_NS;
	if (age < GIVE_UP_MIN_NS || (!w->calls && w->tries < TRIES_MIN && !last_look))
		return false;
	/* A watchdog has no limit of the socket's own, so it covers the whole; begun before the socket was there, it knows best how long. */
	if (w->phase != PHASE_CONNECT && ((w->forever && w->other_thread) || j->fired_len_ns)) {
		o->phase = PHASE_TOTAL;
		return judge_bounded(o, HOW_GAVE_UP, j->fired_len_ns ? j->fired_len_ns : elapsed_ns(w->operation_ns, j->now_ns),
				     true);
	}
	if (j->fired_len_ns)
		return judge_bounded(o, HOW_GAVE_UP, j->fired_len_ns, true);
	/* A busy machine acts late on its timers: the timer says what was meant. */
	bool late = w->loop_timed_out && w->hint_ns > w->since_ns && w->hint_ns <= j->now_ns && j->now_ns - w->hint_ns <= age / 5;
	/* The same where the end of the wait was not seen: it was begun before anybody watched, or begun again because somebody began to. */
	if (w->limit_ns && !w->rearmed && age >= w->limit_ns &&
	    (age - w->limit_ns <= age / 5 || near_ns(w->last_t0 + w->limit_ns, j->now_ns, w->limit_ns / 10)))
		return judge_bounded(o, HOW_TIMED_OUT, w->limit_ns, true);
	return judge_bounded(o, HOW_GAVE_UP, late ? w->hint_ns - w->since_ns : age_of_decision(w, j->now_ns), true);
}

static bool judge_descriptor(const struct watch *w, const struct judge *j, struct observation *o)
{
	if (w->alarm_due_ns) {
		o->phase = w->phase == PHASE_CONNECT ? PHASE_CONNECT : PHASE_TOTAL;
		return judge_bounded(o, HOW_ALARM, alarm_limit(w), false);
	}
	if (w->forever && w->watchdog_due_ns)
		return judge_weighs(o, HOW_OTHER_THREAD, W_UNDECIDED);
	if (w->forever)
		return judge_weighs(o, w->by_call ? HOW_CALL_FOREVER : HOW_POLL_FOREVER, W_NONE);
	if (falls(w)) {
		o->phase = w->phase == PHASE_CONNECT ? PHASE_CONNECT : PHASE_TOTAL;
		o->observed = true;
		return judge_bounded(o, HOW_REMAINDER,
				     elapsed_ns(o->phase == PHASE_CONNECT ? w->since_ns : w->operation_ns, w->due_hi), false);
	}
	if (w->timeouts >= SLICES_MIN && j->set_up)
		return judge_weighs(o, HOW_SET_UP, W_UNDECIDED);
	if (w->timeouts >= SLICES_MIN) {
		o->observed = true;
		return judge_weighs(o, HOW_SLICES, W_NONE);
	}
	if (w->rearmed)
		return judge_weighs(o, HOW_REARMED, W_UNDECIDED);
	if (w->limit_ns && w->watchdog_due_ns && w->watchdog_due_ns < w->last_t0 + w->limit_ns)
		return judge_weighs(o, HOW_OTHER_THREAD, W_UNDECIDED);
	if (w->limit_ns)
		return judge_bounded(o, w->by_call ? HOW_CALL_LIMIT : HOW_POLL_LIMIT, w->limit_ns, false);
	return false;
}

static bool judge_loop(const struct watch *w, const struct judge *j, struct observation *o)
{
	uint64_t age = elapsed_ns(w->since_ns, j->now_ns);
	uint64_t noise = age / 10 > NS_PER_S ? age / 10 : NS_PER_S;

	if ((w->loop_forever || age >= j->no_give_up_ns) && w->watchdog_due_ns)
		return judge_weighs(o, HOW_OTHER_THREAD, W_DOUBT);
	if (j->wheel && age < CLOCK_MOST_NS && (w->loop_forever || age >= j->no_give_up_ns))
		return judge_weighs(o, HOW_CLOCK, W_UNDECIDED);
	if (w->loop_forever)
		return judge_weighs(o, HOW_LOOP_FOREVER, W_NONE_WEAK);
	if (w->clock_ticks >= CLOCK_TICKS_MIN && age < CLOCK_MOST_NS)
		return judge_weighs(o, HOW_CLOCK, W_UNDECIDED);
	if (age >= j->no_give_up_ns && (w->hint_ns <= j->now_ns + noise || w->hint_ns > j->now_ns + FAR_NS || watch_ticks(w)))
		return j->set_up ? judge_weighs(o, HOW_SET_UP, W_UNDECIDED) : judge_weighs(o, HOW_NO_GIVE_UP, W_NONE_WEAK);
	if (w->go_timer)
		return judge_weighs(o, HOW_GO_TIMER, W_UNDECIDED);
	if (w->tries)
		return judge_weighs(o, HOW_BUSY, W_UNDECIDED);
	if (w->slices)
		return judge_weighs(o, HOW_ONE_SLICE, W_UNDECIDED);
	if (w->hint_ns)
		return judge_weighs(o, HOW_LOOP_TIMER, W_UNDECIDED);
	return judge_weighs(o, HOW_UNKNOWN_LIMIT, W_UNDECIDED);
}

/* A connect is never without a bound: the kernel gives up by itself, sooner if the socket was told so. */
static void bound_connect(const struct judge *j, struct observation *o)
{
	if (o->weight != W_NONE && o->weight != W_NONE_WEAK)
		return;
	if (j->user_timeout_ns > 0)
		judge_bounded(o, HOW_USER_TIMEOUT, (uint64_t)j->user_timeout_ns, false);
	else if (j->syn_count > 0 && j->syn_count < 32)
		judge_bounded(o, HOW_SYN_COUNT, ((2ULL << j->syn_count) - 1) * NS_PER_S, false);
	else
		judge_weighs(o, HOW_KERNEL, W_KERNEL);
}

/* The sender of a request that states a deadline keeps to it, wherever its library has the timer; if it passes without effect, nobody did. */
static bool judge_stated(const struct watch *w, const struct judge *j, struct observation *o)
{
	if (!w->stated_ns || (w->phase != PHASE_RESPONSE && w->phase != PHASE_BODY) ||
	    j->now_ns > w->operation_ns + w->stated_ns + w->stated_ns / 5 + NS_PER_S)
		return false;
	o->phase = PHASE_TOTAL;
	return judge_bounded(o, HOW_STATED, w->stated_ns, false);
}

bool watch_judge(const struct watch *w, enum ending end, const struct judge *j, struct observation *ret)
{
	struct observation o = {
		.phase = w->phase,
		.stack = w->wait_stack ? w->wait_stack : w->stack,
		.first_ns = w->since_ns,
		.last_ns = j->now_ns,
		.calls = w->calls,
		.operations = 1,
		.request_id = w->request_id,
	};

	if (!judge_outcome(w, end, j, &o)) {
		if (!w->calls && !w->tries && elapsed_ns(w->since_ns, j->now_ns) < j->no_give_up_ns)
			return false;
		if (!judge_stated(w, j, &o) && !judge_runtime(w, j, &o) && !judge_descriptor(w, j, &o))
			judge_loop(w, j, &o);
		o.waited_ns = elapsed_ns(w->since_ns, j->now_ns);
		if (w->phase == PHASE_CONNECT && o.phase == PHASE_CONNECT)
			bound_connect(j, &o);
	}
	/* What is left of a deadline, perhaps. */
	const bool remains =
		w->seen_late && o.weight == W_FINITE && o.how == HOW_POLL_LIMIT && w->last_t0 > w->since_ns + NS_PER_S / 10;

	if ((w->begun_before || remains) && (o.weight == W_FINITE || o.weight == W_FINITE_PROVEN)) {
		o.phase = w->phase;
		o.limit_ns = 0;
		(void)judge_weighs(&o, HOW_BEGUN_BEFORE, W_UNDECIDED);
	}
	*ret = o;
	return true;
}
