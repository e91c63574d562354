/*
 * Phases that end, and phases that go on: gathers what is known of one phase, has it judged (deadline_bound.c), and hands on what it shows
 * at the right time. A phase that has ended stays for a moment, because waits are told before or after the bytes that end them; one that
 * goes on is told for now, and taken back when more is known; a young connection's are held, because it may turn out to be a subscription.
 *
 * The state is in struct deadline_conn. The session's thread.
 */
#include <string.h>

#include "core/elapsed.h"
#include "detectors/deadline.h"
#include "protocols/protocol.h"

#define YOUNG_NS (2 * NS_PER_S)         /* so long, what a connection shows is held back: it may turn out to be a subscription */
#define DRIP_GAPS_MIN 2U                /* gaps that make a body drip */
#define DRIP_GAP_NS (NS_PER_S / 5)      /* … of at least this on the average */
#define DRIP_ANEW_MIN 4U                /* gaps that are bounded anew, one after the other: nothing is left over for the whole */
#define TIMER_FAR_NS (NS_PER_S * 3 / 2) /* nearer ones may be a tick */
#define DRIP_SLACK_NS (50 * NS_PER_MS)
#define NEXT_MIN 3U                 /* connects that were begun while one waits … */
#define NEXT_PACE_NS (NS_PER_S / 2) /* … so far apart at least */
#define NEXT_LOOKED_MAX 64U
#define EXIT_SLACK_NS (NS_PER_S / 2) /* from the end of a wait to the exit that it caused */

static const char *protocol_of(const struct conn *c)
{
	return c->protocol ? c->protocol->name : "";
}

/* Is the connection still being set up? A deadline on connecting covers that, for as long as the kernel's would. */
static bool sets_up(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t age_ns)
{
	const struct conn *c = k->conn;

	if (age_ns >= DEADLINE_KERNEL_NS)
		return false;
	if (w->phase == PHASE_CONNECT)
		return runtime_leaves_connect(d->env.stacks, c->connect_stack);
	return w->phase == PHASE_RESPONSE && !k->asked && !c->bytes_in &&
	       (!c->inherited || (c->set_up && !runtime_connects_itself(d->env.stacks, w->wait_stack)));
}

static struct judge judge_of(const struct deadline *d, const struct deadline_conn *k, uint64_t now_ns, const struct watch *w)
{
	uint64_t age = elapsed_ns(w->since_ns, now_ns);

	return (struct judge){
		.now_ns = now_ns,
		.no_give_up_ns = evidence_option_ns(d->env.options[DEADLINE_O_NO_GIVE_UP]),
		.user_timeout_ns = k->conn->user_timeout_ns,
		.syn_count = k->conn->syncnt,
		.wheel = wheel_turns(d, k->conn->process->pid),
		.set_up = sets_up(d, k, w, age),
		.dripping = k->gaps && k->longest_gap_ns >= DRIP_GAP_NS &&
			    age <= k->longest_gap_ns + k->longest_gap_ns / 8 + DRIP_SLACK_NS,
	};
}

bool deadline_is_stopping(const struct deadline *d, uint64_t now_ns)
{
	return d->stopping_ns && now_ns >= d->stopping_ns;
}

void deadline_release(struct deadline *d, struct deadline_conn *k)
{
	for (uint32_t i = 0; i < k->held_n; i++)
		deadline_observe(d, k->conn->peer, protocol_of(k->conn), &k->held[i]);
	k->held_n = 0;
}

void deadline_release_old(struct deadline *d, struct deadline_conn *k, uint64_t now_ns)
{
	if (now_ns > k->conn->opened_ns + YOUNG_NS)
		deadline_release(d, k);
}

bool deadline_by_design(const struct deadline_conn *k, enum phase phase)
{
	return (k->by_design || k->waits) && phase != PHASE_CONNECT && phase != PHASE_WRITE;
}

void deadline_hold(struct deadline *d, struct deadline_conn *k, const struct observation *o)
{
	if (deadline_by_design(k, o->phase))
		return;
	if (o->last_ns > k->conn->opened_ns + YOUNG_NS || o->phase == PHASE_CONNECT || o->phase == PHASE_WRITE) {
		deadline_release(d, k);
		deadline_observe(d, k->conn->peer, protocol_of(k->conn), o);
		return;
	}
	for (uint32_t i = 0; i < k->held_n; i++) {
		struct observation *h = &k->held[i];
		if (h->phase == o->phase && h->weight == o->weight && h->how == o->how && h->stack == o->stack) {
			h->calls += o->calls;
			h->operations += o->operations;
			h->last_ns = o->last_ns;
			if (o->limit_ns > h->limit_ns)
				h->limit_ns = o->limit_ns;
			if (o->waited_ns > h->waited_ns)
				h->waited_ns = o->waited_ns;
			return;
		}
	}
	if (k->held_n == DEADLINE_HELD_MAX)
		deadline_release(d, k);
	k->held[k->held_n++] = *o;
}

static uint64_t timer_due(const struct deadline_conn *k, const struct watch *w)
{
	return w->hint_ns > k->timer_due_ns ? w->hint_ns : k->timer_due_ns;
}

bool deadline_drips(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t now_ns,
		    struct observation *ret)
{
	const uint64_t lasted = elapsed_ns(w->operation_ns, now_ns), limit = k->gap_limit_ns;
	const bool outlived = limit && lasted > limit + limit / 5;
	const uint64_t noise = lasted / 10 > NS_PER_S ? lasted / 10 : NS_PER_S;

	if (!w->operation_ns || k->gaps < DRIP_GAPS_MIN || lasted / k->gaps < DRIP_GAP_NS)
		return false;
	const bool anew = k->gaps_anew >= DRIP_ANEW_MIN || k->timer_moves >= DRIP_ANEW_MIN;
	if (!outlived && !anew && (limit || lasted < evidence_option_ns(d->env.options[DEADLINE_O_NO_GIVE_UP])))
		return false;
	const bool timer =
		!outlived && !anew && ((timer_due(k, w) > now_ns + noise && !watch_ticks(w)) || w->alarm_due_ns > now_ns);
	const bool watched = watchdog_over(d, k, w, now_ns);
	*ret = (struct observation){
		.phase = PHASE_TOTAL,
		.weight = timer || watched ? W_UNDECIDED
			  : outlived       ? W_NONE
					   : W_NONE_WEAK,
		.how = watched ? HOW_OTHER_THREAD
		       : timer ? HOW_LOOP_TIMER
			       : HOW_DRIPPED,
		.observed = true,
		.waited_ns = lasted,
		.stack = w->wait_stack ? w->wait_stack : w->stack,
		.first_ns = w->operation_ns,
		.last_ns = now_ns,
		.calls = k->gaps,
		.operations = 1,
		.request_id = w->request_id,
	};
	return true;
}

void deadline_take_back(struct told *t)
{
	if (t->tally)
		tally_take_back(t->tally, t->weight, t->calls, 1);
	t->tally = NULL;
}

static void tell_for_now(struct deadline *d, struct deadline_conn *k, struct told *t, const struct observation *o)
{
	t->tally = deadline_observe(d, k->conn->peer, protocol_of(k->conn), o);
	t->weight = o->weight;
	t->calls = o->calls;
}

/* The thread that waited called exit as soon as its wait was over. A process that was killed, or ended by another thread, gave nothing
 * up. */
static bool exited_by_itself(const struct deadline_conn *k, const struct watch *w)
{
	const struct process *p = k->conn->process;

	return p->exit_ns && p->exit_tid == w->last_tid && w->last_t1 && p->exit_ns >= w->last_t1 &&
	       p->exit_ns - w->last_t1 < EXIT_SLACK_NS;
}

/*
 * While this connect waited, the same thread began others to the same peer at an even pace. Then it may be a loop whose caller leaves after that pace
 * (a signal that aborts), while the library holds on to the connect until a limit of its own; or something periodic. Nothing tells the two apart.
 */
static bool next_ones_began(const struct deadline_conn *k)
{
	const struct conn *c = k->conn;
	uint64_t last = c->connect_t0, shortest = UINT64_MAX, longest = 0;
	unsigned int n = 0, looked = 0;

	for (const struct deadline_conn *i = k->next; i && looked < NEXT_LOOKED_MAX; i = i->next, looked++) {
		if (i->now.phase != PHASE_CONNECT || i->conn->process != c->process || i->conn->open_tid != c->open_tid ||
		    strcmp(i->conn->peer, c->peer) != 0)
			continue;
		const uint64_t pace = elapsed_ns(last, i->conn->connect_t0);

		last = i->conn->connect_t0;
		if (n > 0 && pace < shortest) /* the first of all may have been begun late, while its caller counted */
			shortest = pace;
		longest = pace > longest ? pace : longest;
		n++;
	}
	return n >= NEXT_MIN && shortest >= NEXT_PACE_NS && longest <= shortest + shortest / 4;
}

/* The process called exit as soon as another thread's wait for the one that waits here had run out: the caller's, who has given up. When was that? 0: it
 * was not so. A JVM exits in a thread of its own. */
static uint64_t caller_left(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t now_ns)
{
	const struct process *p = k->conn->process;

	/* The thread that waited may have been interrupted by who watched over it: in a wait from before, that is not seen. */
	const bool by_other = p->exit_tid != w->last_tid || !w->last_t1;

	if (!p->exit_ns) /* a signal ended it: an alarm's, perhaps */
		return watchdog_alarmed(d, k, w, now_ns, EXIT_SLACK_NS);
	return by_other ? watchdog_ran_out(d, k, w, p->exit_ns, EXIT_SLACK_NS) : 0;
}

/* Of a wait that was begun before anybody watched the end is not seen; but it ran out, if it should have and its thread goes on just then. */
void deadline_ran_out_unseen(struct watch *w, uint32_t tid, uint64_t now_ns)
{
	if (w->last_t1 || tid != w->last_tid || w->last_due_ns <= w->since_ns || now_ns < w->last_due_ns ||
	    now_ns - w->last_due_ns >= EXIT_SLACK_NS)
		return;
	w->last_t1 = now_ns; /* as far as is known */
	w->loop_timed_out = true;
}

/* The wait ran out, and its thread did what comes before a close that the process's exit forestalled. */
static bool closing_at_exit(const struct deadline_conn *k, const struct watch *w)
{
	const struct process *p = k->conn->process;

	return w->half_closed && p->exit_ns >= w->last_t1 && p->exit_ns - w->last_t1 < EXIT_SLACK_NS;
}

/*
 * A blocking read or write from before anybody watched does not tell what it brought. It is over if its own thread closes the connection: before any limit of its own, or
 * an alarm, it was an answer that ended it.
 */
static bool answered_unseen(const struct deadline *d, const struct deadline_conn *k, const struct watch *w, uint64_t now_ns)
{
	const bool limited = w->last_due_ns > w->last_t0, alarmed = w->alarm_due_ns && now_ns >= w->alarm_due_ns;

	return w->phase != PHASE_CONNECT && w->end_unseen && !w->other_thread && !alarmed &&
	       (!limited || now_ns < w->last_due_ns) && !watchdog_fired(d, k, w, now_ns);
}

static void settle(struct deadline *d, struct deadline_conn *k, struct watch *w, enum ending end, uint64_t now_ns)
{
	struct observation o;

	deadline_take_back(&w->told);
	if (w->phase == PHASE_IDLE)
		return;
	w->watchdog_due_ns = watchdog_due(d, k, w, now_ns);
	const bool exits = end == END_EXIT && !deadline_is_stopping(d, now_ns);
	if (exits && k->conn->process->exit_ns)
		deadline_ran_out_unseen(w, k->conn->process->exit_tid, k->conn->process->exit_ns);
	const uint64_t left_ns = exits ? caller_left(d, k, w, now_ns) : 0;
	if (left_ns)
		end = END_FAILED;
	else if (exits && closing_at_exit(k, w))
		end = END_GAVE_UP;
	if ((end == END_EXIT && !exited_by_itself(k, w)) ||
	    ((end == END_EXIT || end == END_GAVE_UP) && deadline_is_stopping(d, now_ns)))
		end = END_PENDING;
	if (end == END_GAVE_UP && answered_unseen(d, k, w, now_ns))
		end = END_DATA;
	const uint64_t fired_ns = left_ns ? left_ns : now_ns;
	struct judge j = judge_of(d, k, fired_ns, w);
	j.left = left_ns != 0;
	j.fired = end == END_FAILED && (j.left || watchdog_fired(d, k, w, fired_ns));
	j.fired_len_ns = end == END_GAVE_UP || j.fired ? watchdog_length(d, k, w, fired_ns) : 0;
	if (!watch_judge(w, end, &j, &o))
		return;
	if (exits && !left_ns && k->conn->inherited && (o.weight == W_NONE || o.weight == W_NONE_WEAK) &&
	    watchdog_looked(d, k, w, EXIT_SLACK_NS))
		judge_weighs(&o, HOW_OTHER_THREAD, W_UNDECIDED);
	if (o.phase == PHASE_BODY && o.weight == W_FINITE) {
		k->gaps_anew = o.limit_ns >= k->gap_limit_ns - k->gap_limit_ns / 10 ? k->gaps_anew + 1 : 0;
		if (o.limit_ns > k->gap_limit_ns)
			k->gap_limit_ns = o.limit_ns;
	}
	if (o.phase == PHASE_CONNECT && o.weight == W_FINITE_PROVEN && end == END_GAVE_UP && next_ones_began(k))
		judge_weighs(&o, HOW_NEXT_BEGAN, W_UNDECIDED);
	const bool gave_up = o.weight == W_FINITE_PROVEN && (end == END_GAVE_UP || end == END_EXIT);
	struct observation killed = {0};
	if (gave_up && !watch_judge(w, END_PENDING, &j, &killed))
		killed.operations = 0;
	if (gave_up && w->phase == PHASE_BODY)
		(void)deadline_drips(d, k, w, now_ns, &killed);
	if (gave_up || (w->calls && (w->forever || w->loop_forever || o.weight == W_FINITE)))
		watchdog_hold(d, k, w, &o, &killed);
	else
		deadline_hold(d, k, &o);
}

/* The same of a phase that goes on: taken back when it is looked at again, or ends. */
void deadline_settle_for_now(struct deadline *d, struct deadline_conn *k, uint64_t now_ns)
{
	struct watch *w = &k->now;
	struct observation o;

	deadline_take_back(&w->told);
	deadline_take_back(&k->drip);
	watch_runtime(w, &(struct wait){.conn = k->conn, .process = k->conn->process, .t0 = now_ns, .t1 = now_ns});
	w->watchdog_due_ns = watchdog_due(d, k, w, now_ns);
	struct judge j = judge_of(d, k, now_ns, w);
	if (deadline_by_design(k, w->phase) || !watch_judge(w, END_PENDING, &j, &o))
		return;
	tell_for_now(d, k, &w->told, &o);
	if (w->phase == PHASE_BODY && deadline_drips(d, k, w, now_ns, &o))
		tell_for_now(d, k, &k->drip, &o);
}

void deadline_settle_before(struct deadline *d, struct deadline_conn *k)
{
	if (k->before_open)
		settle(d, k, &k->before, k->before_end, k->before.until_ns);
	k->before_open = false;
}

/* The timer that a loop waits for is the whole operation's only if bytes that arrive leave it where it is. */
static void note_timer(struct deadline_conn *k, enum phase next, uint64_t now_ns)
{
	const uint64_t before = k->timer_due_ns, due = k->now.hint_ns, gap = elapsed_ns(k->now.since_ns, now_ns);

	if (next != PHASE_BODY)
		return;
	if (before && due > now_ns + TIMER_FAR_NS)
		k->timer_moves = due > before + gap / 2 ? k->timer_moves + 1 : 0;
	k->timer_due_ns = timer_due(k, &k->now);
}

void deadline_turn(struct deadline *d, struct deadline_conn *k, enum phase next, uint64_t now_ns, enum ending end,
		   const struct event *e)
{
	if (k->before_open)
		settle(d, k, &k->before, k->before_end, k->before.until_ns);
	note_timer(k, next, now_ns);
	k->before = k->now;
	k->before.until_ns = now_ns;
	k->before_end = end;
	k->before_open = k->now.phase != PHASE_IDLE;
	watch_begin(&k->now, next, now_ns, e ? e->tid : 0, e ? e->stack : 0, k->open_n && k->open[0] ? k->open[0]->id : 0);
	k->now.stated_ns = k->open_n && k->open[0] && k->open[0]->deadline_ns > 0 ? (uint64_t)k->open[0]->deadline_ns : 0;
	if (next == PHASE_BODY) { /* the loop goes on */
		k->now.timer_ns = k->before.timer_ns;
		k->now.timer_len_ns = k->before.timer_len_ns;
		k->now.tick_len_ns = k->before.tick_len_ns;
	}
	if (k->operation_ns && k->operation_ns < now_ns)
		k->now.operation_ns = k->operation_ns;
}

void deadline_settle_all(struct deadline *d, struct deadline_conn *k, enum ending end, uint64_t now_ns)
{
	deadline_turn(d, k, PHASE_IDLE, now_ns, end, NULL);
	deadline_settle_before(d, k);
}
