/*
 * See go_deadlines.h. A timer is known by the moment that it is set for, in nanoseconds: who stops or resets it hands over the timer, among whose
 * bytes that moment is, wherever a version of Go has put it.
 */
#include "commands/go_deadlines.h"

#include <stdlib.h>
#include <string.h>

#include "commands/go_context.h"
#include "commands/go_purpose.h"

#define NS_PER_MS 1000000ULL
#define TIMERS_MAX 512U
#define TASKS_MAX 1024U /* a power of two; goroutines that meet share a place, and the later one has it */
#define FDS_MAX 4096U
#define SAME_NS (20 * NS_PER_MS)     /* a context's deadline and its timer */
#define ASKED_NS (1000 * NS_PER_MS)  /* a goroutine that asked a context for its end writes soon */
#define FAR_NS (1200000 * NS_PER_MS) /* nobody waits so long for an answer */
#define FOREVER_NS (1ULL << 62)      /* such a timer is meant never to come */
#define GOROUTINES 0x80000000U       /* no thread has such a number */
#define MODE_READ 'r'
#define MODE_WRITE 'w'
#define NONE (-1)
#define UNKNOWN (-2)

/* A context's timer may be known to act through one descriptor: by the deadline that was set there from it, or as the end of the operation. */
enum tie { TIE_NONE, TIE_DEADLINE, TIE_OPERATION };

struct timer {
	uint64_t when; /* CLOCK_MONOTONIC; 0 = the place is free */
	enum tie tie;
	int fd;    /* that descriptor */
	bool read; /* in the runtime's heap: who set it may still be heard */
};

struct task {
	uint64_t task;
	int fd; /* of its round trip, -1 = none */
	bool asked;
	enum go_chain_end end;
	uint64_t due, asked_ns;      /* CLOCK_MONOTONIC */
	uint64_t slept_ns, sleep_ns; /* when it last went to sleep, and for how long; 0 = it did not */
};

enum link { LINK_NONE, LINK_ROUND_TRIP, LINK_WRITER };

struct go_deadlines {
	struct gopclntab *table;
	uint64_t bias;
	bool whole;
	struct timer timers[TIMERS_MAX];
	size_t timers_n;    /* places that were ever used */
	uint64_t beyond_ns; /* timers that found no place: the last of them is due then */
	int64_t others_ns;  /* as told last: when, or NONE; 0 = not yet */
	struct task tasks[TASKS_MAX];
	uint8_t links[FDS_MAX]; /* enum link */
};

struct go_deadlines *go_deadlines_new(struct gopclntab *t, bool whole)
{
	struct go_deadlines *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		gopclntab_free(t);
		return NULL;
	}
	g->table = t;
	g->whole = whole;
	return g;
}

void go_deadlines_free(struct go_deadlines *g)
{
	if (g == NULL)
		return;
	gopclntab_free(g->table);
	free(g);
}

int go_deadlines_fd(const struct go_deadlines *g, const struct probe_go_conn *c)
{
	return go_conn_fd(c, g->table, g->bias);
}

void go_deadlines_moved(struct go_deadlines *g, uint64_t bias)
{
	g->bias = bias;
}

static void say(const struct go_sink *to, uint64_t now_ns, int fd, enum wire_deadline what, int64_t left_ns)
{
	const struct wire_record r = {
		.event = WIRE_DEADLINE, .units = 1, .t0 = now_ns, .t1 = now_ns, .fd = fd, .a0 = what, .a1 = (uint64_t)left_ns};

	to->say(to->ctx, &r);
}

static int64_t left(uint64_t due_ns, uint64_t now_ns)
{
	return due_ns > now_ns ? (int64_t)(due_ns - now_ns) : 0;
}

/* -- timers that may end anything -- */

/* Which of two is told: the later one, but one that is far off only if both are, for in its shadow a nearer one would not be seen. */
static bool outranks(uint64_t a, uint64_t b, uint64_t now_ns)
{
	const uint64_t far = now_ns + FAR_NS;

	return b == 0 || ((a > far) == (b > far) ? a > b : b > far);
}

static void tell_others(struct go_deadlines *g, uint64_t now_ns, const struct go_sink *to)
{
	uint64_t last = g->beyond_ns > now_ns ? g->beyond_ns : 0;
	int64_t told;

	for (size_t i = 0; i < g->timers_n; i++) {
		struct timer *t = &g->timers[i];

		if (t->when <= now_ns)
			t->when = 0;
		if (t->when != 0 && t->tie == TIE_NONE && outranks(t->when, last, now_ns))
			last = t->when;
	}
	told = last != 0 ? (int64_t)last : NONE;
	if (told == g->others_ns || !g->whole)
		return;
	g->others_ns = told;
	say(to, now_ns, -1, WIRE_DEADLINE_OTHERS, told == NONE ? NONE : left(last, now_ns));
}

static void timer_add(struct go_deadlines *g, uint64_t when, bool read)
{
	for (size_t i = 0; i < TIMERS_MAX; i++)
		if (g->timers[i].when == 0) {
			g->timers[i] = (struct timer){.when = when, .read = read};
			g->timers_n = i < g->timers_n ? g->timers_n : i + 1;
			return;
		}
	if (when > g->beyond_ns)
		g->beyond_ns = when;
}

/* Whose moment is among these bytes. */
static void timer_remove(struct go_deadlines *g, const uint8_t *object)
{
	for (size_t at = 0; at + sizeof(uint64_t) <= PROBE_GO_OBJECT; at += sizeof(uint64_t)) {
		uint64_t when;

		memcpy(&when, object + at, sizeof(when));
		for (size_t i = 0; when != 0 && i < g->timers_n; i++)
			if (g->timers[i].when == when) {
				g->timers[i].when = 0;
				return;
			}
	}
}

/* The timer of a context with this deadline is tied to a descriptor. False if there is none any more: the context is done with. */
static bool tie(struct go_deadlines *g, uint64_t due_ns, enum tie how, int fd)
{
	bool found = false;

	for (size_t i = 0; i < g->timers_n; i++) {
		struct timer *t = &g->timers[i];

		if (t->when + SAME_NS <= due_ns || t->when >= due_ns + SAME_NS)
			continue;
		found = true;
		if (t->tie == TIE_OPERATION && how == TIE_DEADLINE)
			continue;
		t->tie = how;
		t->fd = fd;
	}
	return found;
}

/* The descriptor has no deadline any more: its connect is over. The context that it was taken from may end whatever comes next. */
static void untie(struct go_deadlines *g, int fd)
{
	for (size_t i = 0; i < g->timers_n; i++)
		if (g->timers[i].tie == TIE_DEADLINE && g->timers[i].fd == fd)
			g->timers[i].tie = TIE_NONE;
}

static struct task *task_of(struct go_deadlines *g, uint64_t task)
{
	struct task *t = &g->tasks[(task >> 6 ^ task >> 16) & (TASKS_MAX - 1)];

	if (t->task != task)
		*t = (struct task){.task = task, .fd = -1};
	return t;
}

/* A timer is set for this moment: one that was read was this. */
static void timer_heard(struct go_deadlines *g, uint64_t when)
{
	for (size_t i = 0; i < g->timers_n; i++)
		if (g->timers[i].read && g->timers[i].when == when)
			g->timers[i].when = 0;
}

static void timer_set(struct go_deadlines *g, const struct probe_call *c, const struct probe_go_timer *t, uint64_t when,
		      uint64_t period, const struct go_sink *to)
{
	const struct task *task;

	if (period != 0 || when <= c->t0 || when - c->t0 > FOREVER_NS)
		return; /* a tick is nobody's deadline */
	timer_heard(g, when);
	switch (go_purpose_of(g->table, g->bias, t->callers, PROBE_GO_CALLERS)) {
	case GO_FOR_ANYTHING:
		timer_add(g, when, false);
		break;
	case GO_FOR_HEAD:
		task = task_of(g, c->task);
		if (task->fd >= 0)
			say(to, c->t0, task->fd, WIRE_DEADLINE_HEAD, left(when, c->t0));
		break;
	case GO_FOR_NOTHING:
		break;
	}
}

/* struct runtimeTimer up to Go 1.22: a pointer, when, period. */
static uint64_t word_at(const struct probe_go_timer *t, size_t word)
{
	uint64_t v;

	memcpy(&v, t->object + word * sizeof(v), sizeof(v));
	return v;
}

static void on_timer(struct go_deadlines *g, const struct probe_call *c, const struct probe_go_timer *t, const struct go_sink *to)
{
	switch (c->nr) {
	case GO_NEW_TIMER:
		timer_set(g, c, t, c->args[0], c->args[1], to);
		break;
	case GO_START_TIMER:
		timer_set(g, c, t, word_at(t, 1), word_at(t, 2), to);
		break;
	case GO_RESET_TIMER:
		timer_remove(g, t->object);
		timer_set(g, c, t, c->args[1], 0, to);
		break;
	default:
		timer_remove(g, t->object);
		break;
	}
	tell_others(g, c->t0, to);
}

/* Who sleeps may be a watchdog of others. A goroutine is told as a thread of its own: its place is its number. */
static void on_sleep(struct go_deadlines *g, const struct probe_call *c, const struct go_sink *to)
{
	struct task *t = task_of(g, c->task);
	struct wire_record r = {.event = WIRE_SLEEP, .units = 1, .t0 = t->slept_ns, .t1 = c->t0, .fd = -1, .a1 = t->sleep_ns};
	const uint32_t number = GOROUTINES + (uint32_t)(t - g->tasks);

	if (t->sleep_ns != 0)
		to->sleeps(to->ctx, number, &r);
	t->slept_ns = c->t0;
	t->sleep_ns = (int64_t)c->args[0] > 0 ? c->args[0] : 0;
	if (t->sleep_ns == 0)
		return;
	r.event = WIRE_INFLIGHT;
	r.t0 = r.t1 = c->t0;
	r.a0 = WIRE_SLEEP;
	r.a1 = t->sleep_ns;
	to->sleeps(to->ctx, number, &r);
}

/* -- deadlines of descriptors -- */

static void on_set_deadline(struct go_deadlines *g, const struct probe_call *c, const struct go_sink *to)
{
	const int64_t ns = (int64_t)c->args[1];
	const int fd = (int)c->args[3];
	const enum wire_deadline what = c->args[2] == MODE_READ    ? WIRE_DEADLINE_READ
					: c->args[2] == MODE_WRITE ? WIRE_DEADLINE_WRITE
								   : WIRE_DEADLINE_BOTH;

	/* Taken from a context, whose timer is this and no other then. */
	if (ns > 0)
		(void)tie(g, c->t0 + (uint64_t)ns, TIE_DEADLINE, fd);
	else if (ns == 0)
		untie(g, fd);
	tell_others(g, c->t0, to);
	say(to, c->t0, fd, what, ns == 0 ? NONE : ns < 0 ? 0 : ns);
}

static void tell_whole(struct go_deadlines *g, int fd, enum go_chain_end end, uint64_t due, uint64_t now_ns,
		       const struct go_sink *to)
{
	if (end == GO_CHAIN_DEADLINE)
		(void)tie(g, due, TIE_OPERATION, fd);
	say(to, now_ns, fd, WIRE_DEADLINE_WHOLE,
	    end == GO_CHAIN_DEADLINE      ? left(due, now_ns)
	    : end == GO_CHAIN_NO_DEADLINE ? NONE
					  : UNKNOWN);
	tell_others(g, now_ns, to);
}

static void on_round_trip(struct go_deadlines *g, const struct probe_call *c, const struct probe_go_chain *chain, uint64_t wall_ns,
			  const struct go_sink *to)
{
	const int fd = go_conn_fd(&chain->conn, g->table, g->bias);
	uint64_t due = 0;
	enum go_chain_end end;

	task_of(g, c->task)->fd = fd;
	if (fd < 0 || (uint32_t)fd >= FDS_MAX)
		return;
	end = go_chain_deadline(chain, g->table, g->bias, wall_ns, &due);
	g->links[fd] = LINK_ROUND_TRIP;
	say(to, c->t0, fd, WIRE_DEADLINE_HEAD, NONE);
	tell_whole(g, fd, end, due, c->t0, to);
}

static void on_done(struct go_deadlines *g, const struct probe_call *c, const struct probe_go_chain *chain, uint64_t wall_ns)
{
	struct task *t = task_of(g, c->task);

	t->asked = true;
	t->asked_ns = c->t0;
	t->end = go_chain_deadline(chain, g->table, g->bias, wall_ns, &t->due);
}

void go_deadlines_call(struct go_deadlines *g, const struct probe_call *c, const uint8_t *data, uint64_t wall_ns,
		       const struct go_sink *to)
{
	const bool chained = c->nr == GO_ROUND_TRIP || c->nr == GO_DONE;
	struct probe_go_timer timer;
	struct probe_go_chain chain;

	if (c->data_len != (chained ? sizeof(chain) : sizeof(timer)))
		return;
	if (chained)
		memcpy(&chain, data, sizeof(chain));
	else
		memcpy(&timer, data, sizeof(timer));
	if (c->nr == GO_ROUND_TRIP)
		on_round_trip(g, c, &chain, wall_ns, to);
	else if (c->nr == GO_DONE)
		on_done(g, c, &chain, wall_ns);
	else if (c->nr == GO_SET_DEADLINE)
		on_set_deadline(g, c, to);
	else if (c->nr == GO_SLEEP)
		on_sleep(g, c, to);
	else
		on_timer(g, c, &timer, to);
}

void go_deadlines_moves(struct go_deadlines *g, const struct probe_call *c, bool reads, const struct go_sink *to)
{
	const uint64_t fd = c->args[0];
	struct task *t = task_of(g, c->task);

	if (fd >= FDS_MAX || c->ret <= 0 || g->links[fd] == LINK_ROUND_TRIP)
		return;
	if (reads) { /* an answer: what is written next is another operation, and may have another context */
		t->asked = false;
		return;
	}
	const bool asked = t->asked && c->t0 < t->asked_ns + ASKED_NS;

	if (asked && (t->end != GO_CHAIN_DEADLINE || tie(g, t->due, TIE_OPERATION, (int)fd))) {
		g->links[fd] = LINK_WRITER;
		tell_whole(g, (int)fd, t->end, t->due, c->t0, to);
	} else if (g->links[fd] == LINK_WRITER) {
		g->links[fd] = LINK_NONE;
		say(to, c->t0, (int)fd, WIRE_DEADLINE_WHOLE, UNKNOWN);
	}
}

void go_deadlines_closed(struct go_deadlines *g, int fd)
{
	if (fd >= 0 && (uint32_t)fd < FDS_MAX)
		g->links[fd] = LINK_NONE;
}

/* -- from before -- */

static bool is_known(const struct go_deadlines *g, uint64_t when)
{
	for (size_t i = 0; i < g->timers_n; i++)
		if (g->timers[i].when == when)
			return true;
	return false;
}

/* The goroutine sleeps, nobody knows since when. */
static void sleeps_already(struct go_deadlines *g, uint64_t goroutine, uint64_t when, uint64_t now_ns, const struct go_sink *to)
{
	struct task *t = task_of(g, goroutine);
	const struct wire_record r = {.event = WIRE_INFLIGHT,
				      .units = 1,
				      .flags = WIRE_F_BEFORE,
				      .t0 = now_ns,
				      .t1 = now_ns,
				      .fd = -1,
				      .a0 = WIRE_SLEEP,
				      .a1 = when - now_ns};

	if (t->sleep_ns != 0)
		return;
	t->slept_ns = now_ns;
	t->sleep_ns = when - now_ns;
	to->sleeps(to->ctx, GOROUTINES + (uint32_t)(t - g->tasks), &r);
}

void go_deadlines_timer(struct go_deadlines *g, const struct go_timer *t, bool first, uint64_t now_ns, const struct go_sink *to)
{
	const char *code = go_function(g->table, g->bias, t->code);
	enum go_purpose p;

	if (t->period != 0 || t->when <= now_ns || t->when - now_ns > FOREVER_NS)
		return;
	if (strcmp(code, "runtime.goroutineReady") == 0 && t->waiter != 0) {
		if (first)
			sleeps_already(g, t->waiter, t->when, now_ns, to);
		return;
	}
	/* Descriptors' deadlines are told by themselves, and what else the runtime does in time ends nothing. */
	if (strncmp(code, "runtime.", strlen("runtime.")) == 0 && strcmp(code, "runtime.goroutineReady") != 0)
		return;
	p = strcmp(code, "time.goFunc") == 0 ? go_purpose_named(go_function(g->table, g->bias, t->func))
					     : go_purpose_of(g->table, g->bias, t->callers, GO_CALLERS);
	/* Of an answer's beginning: whose, is not known, unless it was set since, and told then. */
	if (p == GO_FOR_NOTHING || (p == GO_FOR_HEAD && !first) || is_known(g, t->when))
		return;
	timer_add(g, t->when, true);
}

/* net/http reads a body of a known length through a LimitedReader. One without may be a stream, which is meant to go on. */
static bool reads_body(const struct go_deadlines *g, const uint64_t callers[GO_CALLERS])
{
	static const char limited[] = "io.(*LimitedReader).Read", body[] = "net/http.(*body).";
	bool known_length = false;

	for (size_t i = 0; i < GO_CALLERS && callers[i] != 0; i++) {
		const char *name = go_function(g->table, g->bias, callers[i] - 1);

		if (known_length && strncmp(name, body, sizeof(body) - 1) == 0)
			return true;
		known_length = known_length || strcmp(name, limited) == 0;
	}
	return false;
}

void go_deadlines_descriptor(struct go_deadlines *g, const struct go_descriptor *d, uint64_t now_ns, const struct go_sink *to)
{
	if (d->read_due > now_ns)
		say(to, now_ns, d->fd, WIRE_DEADLINE_READ, left(d->read_due, now_ns));
	if (d->write_due > now_ns)
		say(to, now_ns, d->fd, WIRE_DEADLINE_WRITE, left(d->write_due, now_ns));
	if (d->reader_known)
		to->reads(to->ctx, d->fd, now_ns, d->callers, reads_body(g, d->callers));
}

void go_deadlines_know_all(struct go_deadlines *g)
{
	g->whole = true;
}

void go_deadlines_tick(struct go_deadlines *g, uint64_t now_ns, const struct go_sink *to)
{
	tell_others(g, now_ns, to);
}
