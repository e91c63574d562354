/*
 * The runtime's own word (DETECTORS, "Deadlines", 5): a Go program's deadlines are timers of its runtime, and where these were told (DEADLINE), no
 * argument of a wait needs to be guessed at. Outcomes still weigh more. Other libraries keep their deadlines by a clock of their own, which
 * ticks for as long as one is set: that there is one is all that its ticks say. Pure functions.
 */
#include <string.h>

#include "core/elapsed.h"
#include "detectors/deadline.h"
#include "wire/record.h"

#define OUTLIVED_NS (NS_PER_S / 5) /* a wait that goes on so long after a timer is gone was not ended by it */
#define REARMED_NS (5 * NS_PER_MS) /* a deadline that is set so near the end of the one before, or later, is set anew */
#define ANEW_MIN 3U                /* so many in a row, and nobody counts */
#define PASSED_NS (NS_PER_S / 2)   /* a deadline so long past, and nothing came of it, was not this operation's */
#define FAR_NS (1200 * NS_PER_S)   /* nobody waits so long for an answer */
#define IDLE_NS (300 * NS_PER_S)   /* who sleeps so long has nothing else to do, more likely than that it watches */

/* What bounds each phase. */
static const enum wire_deadline covering[PHASES][3] = {
	[PHASE_CONNECT] = {WIRE_DEADLINE_WRITE},
	[PHASE_RESPONSE] = {WIRE_DEADLINE_READ, WIRE_DEADLINE_HEAD, WIRE_DEADLINE_WHOLE},
	[PHASE_BODY] = {WIRE_DEADLINE_READ, WIRE_DEADLINE_WHOLE},
};

static void cover(struct watch *w, const struct wait *wait)
{
	uint64_t due = 0, set = 0;

	for (size_t i = 0; i < 3 && covering[w->phase][i]; i++) {
		const struct conn_deadline *d = &wait->conn->runtime[covering[w->phase][i]];

		if (d->due_ns <= wait->t0 || (due && d->due_ns >= due))
			continue;
		due = d->due_ns;
		set = d->set_ns;
		w->runtime_whole = covering[w->phase][i] == WIRE_DEADLINE_WHOLE;
	}
	if (w->runtime_due_ns && due > w->runtime_due_ns && set + REARMED_NS >= w->runtime_due_ns)
		w->runtime_anew++;
	w->runtime_due_ns = due;
}

void watch_runtime(struct watch *w, const struct wait *wait)
{
	const struct process *p = wait->process;

	if (!p || !p->go || !wait->conn || w->phase >= PHASES)
		return;
	cover(w, wait);
	if (!p->timers_known)
		return;
	if (!w->runtime_last_ns)
		w->runtime_last_ns = p->timers_due_ns;
	const uint64_t from = p->timers_gone_ns > w->since_ns ? p->timers_gone_ns : w->since_ns;
	/* Timers that came and went, and it waits on: they were not its own. */
	if (!p->timers_due_ns && (from == w->since_ns || wait->t1 >= from + OUTLIVED_NS)) {
		w->runtime_unclear = w->runtime_unclear && wait->t1 < from + OUTLIVED_NS;
		w->runtime_none = true;
	} else {
		w->runtime_unclear = true;
	}
}

bool judge_runtime(const struct watch *w, const struct judge *j, struct observation *o)
{
	const uint64_t from = w->runtime_whole ? w->operation_ns : w->since_ns, age = elapsed_ns(w->since_ns, j->now_ns);

	/* A connect may go on for the next one to use, when who asked for it has given up at a time of his own. */
	if (w->phase == PHASE_CONNECT && w->runtime_unclear && w->runtime_due_ns)
		return judge_weighs(o, HOW_GO_TIMER, W_UNDECIDED);
	if (w->runtime_anew >= ANEW_MIN) {
		o->observed = true;
		return judge_weighs(o, HOW_SLICES, W_NONE);
	}
	if (w->runtime_anew)
		return judge_weighs(o, HOW_REARMED, W_UNDECIDED);
	if (w->runtime_due_ns > from && j->now_ns < w->runtime_due_ns + PASSED_NS) {
		if (w->runtime_whole)
			o->phase = PHASE_TOTAL;
		return judge_bounded(o, HOW_RUNTIME, elapsed_ns(from, w->runtime_due_ns), false);
	}
	if (w->runtime_none && !w->runtime_unclear && !w->runtime_due_ns && w->watchdog_due_ns &&
	    (age < j->no_give_up_ns || w->watchdog_due_ns < w->operation_ns + IDLE_NS))
		return judge_weighs(o, HOW_OTHER_THREAD, W_UNDECIDED);
	if (w->runtime_none && !w->runtime_unclear && !w->runtime_due_ns)
		return judge_weighs(o, HOW_RUNTIME_NONE, W_NONE_WEAK);
	/* There are timers, so the poller waits for them, even if it has begun without: the wait that was seen proves nothing. Nor does one that goes
	 * on, while the timer that it saw first has not run out. */
	if (w->runtime_unclear && (w->loop_forever || (w->runtime_last_ns > j->now_ns && w->runtime_last_ns - j->now_ns < FAR_NS)))
		return judge_weighs(o, HOW_GO_TIMER, W_UNDECIDED);
	return false;
}

/* Clocks of libraries, and the programs that have them: undici is Node's fetch. */
static const struct {
	uint64_t tick_ns;
	const char *module;
} clocks[] = {
	{499 * NS_PER_MS, "node"},
	{499 * NS_PER_MS, "libnode"},
};

static bool is_of(const struct frame *f, const char *module)
{
	return f->module && strncmp(f->module, module, strlen(module)) == 0;
}

bool runtime_clock(const struct stacks *stacks, const struct wait *wait)
{
	size_t n;
	const struct frame *f = stacks_frames(stacks, wait->stack, &n);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < sizeof(clocks) / sizeof(clocks[0]); k++) {
			if (wait->limit_ns == (int64_t)clocks[k].tick_ns && is_of(&f[i], clocks[k].module))
				return true;
		}
	}
	return false;
}

/* libpq: PQconnectPoll does not look at connect_timeout, whoever calls it has to (its manual, "Database Connection Control Functions"). */
bool runtime_leaves_connect(const struct stacks *stacks, uint32_t stack)
{
	size_t n;
	const struct frame *f = stacks_frames(stacks, stack, &n);

	for (size_t i = 0; i < n; i++)
		if (is_of(&f[i], "libpq"))
			return true;
	return false;
}

/* Libraries that make their connections in calls of their own and then wait for these alone. */
static const char *const own_connections[] = {"libcurl",   "libhiredis",  "libmariadb",  "libmysqlclient",
					      "libmongoc", "librabbitmq", "libmemcached"};

bool runtime_connects_itself(const struct stacks *stacks, uint32_t stack)
{
	size_t n;
	const struct frame *f = stacks_frames(stacks, stack, &n);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof(own_connections) / sizeof(own_connections[0]); k++)
			if (is_of(&f[i], own_connections[k]))
				return true;
	return false;
}
