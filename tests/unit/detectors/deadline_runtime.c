/* deadline_runtime.c: what a runtime was heard to say of its deadlines, against what waits and endings show. */
#include "detectors/deadline.h"

#include "detectors/deadline_rig.h"
#include "test.h"

#define START (1000 * NS_PER_S)

struct row {
	const char *what;
	enum phase phase;
	enum wire_deadline kind; /* that is set, 0 = none */
	uint64_t due_ms;         /* from the phase's start */
	bool known;              /* the program's timers are */
	uint64_t others_ms;      /* when the last of others is due, 0 = there is none … */
	uint64_t gone_ms;        /* … since then */
	uint64_t waits_ms;
	enum ending end;
	enum weight weight;
	enum how how;
	uint64_t limit_ms;
	enum phase says;
};

static const struct row rows[] = {
	{"a read deadline", PHASE_RESPONSE, WIRE_DEADLINE_READ, 3000, true, 0, 0, 300, END_DATA, W_FINITE, HOW_RUNTIME, 3000,
	 PHASE_RESPONSE},
	{"of the body too", PHASE_BODY, WIRE_DEADLINE_READ, 3000, true, 0, 0, 300, END_DATA, W_FINITE, HOW_RUNTIME, 3000,
	 PHASE_BODY},
	{"of a request", PHASE_RESPONSE, WIRE_DEADLINE_WHOLE, 3000, true, 0, 0, 300, END_DATA, W_FINITE, HOW_RUNTIME, 3000,
	 PHASE_TOTAL},
	{"of the head", PHASE_RESPONSE, WIRE_DEADLINE_HEAD, 3000, true, 0, 0, 300, END_DATA, W_FINITE, HOW_RUNTIME, 3000,
	 PHASE_RESPONSE},
	{"the head's is not the body's", PHASE_BODY, WIRE_DEADLINE_HEAD, 3000, true, 0, 0, 300, END_DATA, W_NONE_WEAK,
	 HOW_RUNTIME_NONE, 0, PHASE_BODY},
	{"of a connect", PHASE_CONNECT, WIRE_DEADLINE_WRITE, 2000, true, 0, 0, 300, END_DATA, W_FINITE, HOW_RUNTIME, 2000,
	 PHASE_CONNECT},
	{"a connect whose caller may go first", PHASE_CONNECT, WIRE_DEADLINE_WRITE, 30000, true, 2000, 0, 300, END_DATA,
	 W_UNDECIDED, HOW_GO_TIMER, 0, PHASE_CONNECT},
	{"none at all", PHASE_RESPONSE, 0, 0, true, 0, 0, 300, END_DATA, W_NONE_WEAK, HOW_RUNTIME_NONE, 0, PHASE_RESPONSE},
	{"a timer of anybody's", PHASE_RESPONSE, 0, 0, true, 3000, 0, 300, END_DATA, W_UNDECIDED, HOW_GO_TIMER, 0, PHASE_RESPONSE},
	{"one that went meanwhile", PHASE_RESPONSE, 0, 0, true, 0, 200, 300, END_DATA, W_UNDECIDED, HOW_GO_TIMER, 0,
	 PHASE_RESPONSE},
	{"one that was outlived", PHASE_RESPONSE, 0, 0, true, 0, 200, 3000, END_DATA, W_NONE_WEAK, HOW_RUNTIME_NONE, 0,
	 PHASE_RESPONSE},
	{"timers are not known", PHASE_RESPONSE, 0, 0, false, 0, 0, 300, END_DATA, W_UNDECIDED, HOW_GO_TIMER, 0, PHASE_RESPONSE},
	{"a deadline that passed without effect", PHASE_RESPONSE, WIRE_DEADLINE_WHOLE, 1000, false, 0, 0, 5000, END_DATA,
	 W_UNDECIDED, HOW_GO_TIMER, 0, PHASE_RESPONSE},
	{"it gave up", PHASE_RESPONSE, WIRE_DEADLINE_READ, 3000, true, 0, 0, 2000, END_GAVE_UP, W_FINITE_PROVEN, HOW_GAVE_UP, 2000,
	 PHASE_RESPONSE},
};

static void what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct process p = {
			.go = true,
			.timers_known = r->known,
			.timers_due_ns = r->others_ms ? START + r->others_ms * NS_PER_MS : 0,
			.timers_gone_ns = r->gone_ms ? START + r->gone_ms * NS_PER_MS : 0,
		};
		struct conn c = {.process = &p};
		const uint64_t end = START + r->waits_ms * NS_PER_MS;
		struct watch w;
		struct observation o;

		if (r->kind)
			c.runtime[r->kind] = (struct conn_deadline){.due_ns = START + r->due_ms * NS_PER_MS, .set_ns = START};
		watch_begin(&w, r->phase, START, 1, 0, 0);
		watch_wait(&w, &(struct wait){.conn = &c,
					      .process = &p,
					      .op = r->phase == PHASE_CONNECT ? WAIT_CONNECT : WAIT_READ,
					      .how = WAIT_BY_EPOLL,
					      .outcome = WAIT_READY,
					      .limit_ns = (int64_t)(60 * NS_PER_S),
					      .t0 = START,
					      .t1 = end,
					      .covers = 3,
					      .tid = 1});
		w.announced = false; /* what came was not read yet, or it did not come */
		const struct judge j = {.now_ns = end, .no_give_up_ns = 12 * NS_PER_S};
		assert_true(watch_judge(&w, r->end, &j, &o));
		if (o.weight != r->weight || o.how != r->how || o.limit_ns != r->limit_ms * NS_PER_MS || o.phase != r->says)
			fail_msg("%s: weight %d how %d limit %lu phase %d", r->what, (int)o.weight, (int)o.how,
				 (unsigned long)(o.limit_ns / NS_PER_MS), (int)o.phase);
	}
}

/* Another goroutine sleeps meanwhile, and may close the connection then. */
static void a_sleeper_may_be_a_watchdog(void **state)
{
	struct process p = {.go = true, .timers_known = true};
	struct conn c = {.process = &p};
	const struct wait wait = {.conn = &c, .process = &p, .t0 = START, .t1 = START + NS_PER_S};
	const struct judge j = {.now_ns = START + NS_PER_S, .no_give_up_ns = 12 * NS_PER_S};
	struct observation o = {.phase = PHASE_RESPONSE};
	struct watch w;

	(void)state;
	watch_begin(&w, PHASE_RESPONSE, START, 1, 0, 0);
	watch_runtime(&w, &wait);
	w.watchdog_due_ns = START + 3 * NS_PER_S;
	assert_true(judge_runtime(&w, &j, &o));
	assert_int_equal(o.weight, W_UNDECIDED);
	assert_int_equal(o.how, HOW_OTHER_THREAD);
	/* Nor has it done nothing when the wait is old: only one that sleeps for very long is there for nothing else. */
	for (uint64_t sleeps_s = 40; sleeps_s <= 600; sleeps_s += 560) {
		o = (struct observation){.phase = PHASE_RESPONSE};
		w.watchdog_due_ns = START + sleeps_s * NS_PER_S;
		assert_true(
			judge_runtime(&w, &(struct judge){.now_ns = START + 25 * NS_PER_S, .no_give_up_ns = 12 * NS_PER_S}, &o));
		assert_int_equal(o.how, sleeps_s == 40 ? HOW_OTHER_THREAD : HOW_RUNTIME_NONE);
	}
}

/* A poller that wakes all the time, for whatever else the program does, has waited long: but a timer that was there first runs still. */
static void a_timer_that_runs_still(void **state)
{
	static const struct {
		uint64_t due_s;
		enum how how;
	} timers[] = {{0, HOW_RUNTIME_NONE}, {5, HOW_NO_GIVE_UP}, {40, HOW_GO_TIMER}, {3600, HOW_NO_GIVE_UP}};

	(void)state;
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		struct process p = {.go = true, .timers_known = true};
		struct conn c = {.process = &p};
		struct observation o;
		struct watch w;

		p.timers_due_ns = timers[i].due_s ? START + timers[i].due_s * NS_PER_S : 0;
		watch_begin(&w, PHASE_RESPONSE, START, 1, 0, 0);
		for (uint64_t now = START; now < START + 25 * NS_PER_S; now += NS_PER_S / 10)
			watch_wait(&w, &(struct wait){.conn = &c,
						      .process = &p,
						      .op = WAIT_READ,
						      .how = WAIT_BY_EPOLL,
						      .outcome = WAIT_TIMED_OUT,
						      .limit_ns = (int64_t)(NS_PER_S / 10),
						      .t0 = now,
						      .t1 = now + NS_PER_S / 10,
						      .covers = 3,
						      .tid = 1});
		assert_true(watch_judge(&w, END_PENDING,
					&(struct judge){.now_ns = START + 25 * NS_PER_S, .no_give_up_ns = 12 * NS_PER_S}, &o));
		assert_int_equal(o.how, timers[i].how);
	}
}

/* Other programs' waits are judged by their arguments. */
static void only_where_it_speaks(void **state)
{
	struct process p = {.timers_known = true};
	struct conn c = {.process = &p};
	const struct wait wait = {.conn = &c, .process = &p, .t0 = START, .t1 = START + NS_PER_S};
	const struct judge j = {.now_ns = START + NS_PER_S};
	struct observation o = {0};
	struct watch w;

	(void)state;
	watch_begin(&w, PHASE_RESPONSE, START, 1, 0, 0);
	watch_runtime(&w, &wait);
	assert_false(judge_runtime(&w, &j, &o));
}

/* A deadline that runs out and is set again and again bounds nothing, however long each is. */
static void set_anew(void **state)
{
	static const enum weight weight[] = {W_FINITE, W_UNDECIDED, W_UNDECIDED, W_NONE, W_NONE};

	(void)state;
	for (uint32_t times = 0; times < sizeof(weight) / sizeof(weight[0]); times++) {
		struct process p = {.go = true, .timers_known = true};
		struct conn c = {.process = &p};
		struct observation o = {.phase = PHASE_RESPONSE};
		struct watch w;
		uint64_t now = START;

		watch_begin(&w, PHASE_RESPONSE, START, 1, 0, 0);
		for (uint32_t i = 0; i <= times; i++, now += 2 * NS_PER_S) {
			c.runtime[WIRE_DEADLINE_READ] = (struct conn_deadline){.due_ns = now + 2 * NS_PER_S, .set_ns = now};
			watch_runtime(&w, &(struct wait){.conn = &c, .process = &p, .t0 = now, .t1 = now + NS_PER_S});
		}
		assert_true(judge_runtime(&w, &(struct judge){.now_ns = now - NS_PER_S, .no_give_up_ns = 60 * NS_PER_S}, &o));
		assert_int_equal(o.weight, weight[times]);
		assert_int_equal(o.how, times >= 3 ? HOW_SLICES : times ? HOW_REARMED : HOW_RUNTIME);
	}
}

/* One that is moved on before it runs out is only longer. */
static void moved_on(void **state)
{
	struct process p = {.go = true, .timers_known = true};
	struct conn c = {.process = &p};
	struct observation o = {.phase = PHASE_RESPONSE};
	struct watch w;

	(void)state;
	watch_begin(&w, PHASE_RESPONSE, START, 1, 0, 0);
	for (uint64_t now = START; now < START + 5 * NS_PER_S; now += NS_PER_S) {
		c.runtime[WIRE_DEADLINE_READ] = (struct conn_deadline){.due_ns = now + 2 * NS_PER_S, .set_ns = now};
		watch_runtime(&w, &(struct wait){.conn = &c, .process = &p, .t0 = now, .t1 = now + NS_PER_S});
	}
	assert_true(judge_runtime(&w, &(struct judge){.now_ns = START + 5 * NS_PER_S, .no_give_up_ns = 60 * NS_PER_S}, &o));
	assert_int_equal(o.weight, W_FINITE);
	assert_int_equal(o.limit_ns, 6 * NS_PER_S);
}

/* On a busy machine the poller is woken late for a timer that was set meanwhile. */
static void a_poller_without_a_limit(void **state)
{
	(void)state;
	for (int timer = 0; timer < 2; timer++) {
		struct process p = {.go = true, .timers_known = true, .timers_due_ns = timer ? START + 3 * NS_PER_S : 0};
		struct conn c = {.process = &p};
		struct watch w;
		struct observation o;

		watch_begin(&w, PHASE_RESPONSE, START, 1, 0, 0);
		watch_wait(&w, &(struct wait){.conn = &c,
					      .process = &p,
					      .op = WAIT_READ,
					      .how = WAIT_BY_EPOLL,
					      .outcome = WAIT_READY,
					      .limit_ns = WAIT_INFINITE,
					      .t0 = START,
					      .t1 = START + NS_PER_S,
					      .covers = 3,
					      .tid = 1});
		assert_true(w.loop_forever);
		assert_true(
			watch_judge(&w, END_DATA, &(struct judge){.now_ns = START + NS_PER_S, .no_give_up_ns = 60 * NS_PER_S}, &o));
		assert_int_equal(o.weight, timer ? W_UNDECIDED : W_NONE_WEAK);
		assert_int_equal(o.how, timer ? HOW_GO_TIMER : HOW_RUNTIME_NONE);
	}
}

/* The head of an answer came before anybody watched; its body is waited for. */
static void waits_for_body(struct rig *r, int seconds)
{
	start(r);
	script_event(&r->s, (struct event){.id = WIRE_PROCESS_START, .fd = -1, .a1 = 1});
	connected_before(r, 5);
	script_nonblock(&r->s, 5, true);
	script_epoll_create(&r->s, 3);
	script_epoll_ctl(&r->s, 3, EPOLL_CTL_ADD, 5, EPOLLIN);
	const uint64_t since = r->s.now;

	script_event(&r->s, (struct event){.id = WIRE_OUTSTANDING, .fd = 5, .a0 = WIRE_OUTSTANDING_BODY});
	script_event(&r->s, (struct event){.id = WIRE_READ, .fd = 5, .ret = -1, .err = EAGAIN});
	script_event(&r->s, (struct event){.id = WIRE_DEADLINE, .fd = -1, .a0 = WIRE_DEADLINE_OTHERS, .a1 = (uint64_t)-1});
	for (int i = 0; i < seconds; i++) {
		script_pass(&r->s, SCRIPT_SEC);
		script_inflight(&r->s, WIRE_EPOLL_WAIT, 3, -1, since);
		script_tick(&r->s);
	}
}

static void body_from_before(void **state)
{
	struct rig r;

	(void)state;
	waits_for_body(&r, 20);
	rig_finish(&r);
	rig_print(&r);
	assert_string_equal(rig_text(&r, 0, "phase", "body", "bound", NULL), "none");
	assert_non_null(rig_found(&r, "deadline.body.missing"));
	rig_done(&r);
	/* It gave up, after how long is not known. */
	waits_for_body(&r, 5);
	script_close(&r.s, 5);
	rig_finish(&r);
	rig_print(&r);
	assert_string_equal(rig_text(&r, 0, "phase", "body", "bound", NULL), "unknown");
	assert_non_null(strstr(rig_text(&r, 0, "phase", "body", "evidence", NULL), "nobody knows since when"));
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

TEST_MAIN(cmocka_unit_test(a_timer_that_runs_still), cmocka_unit_test(a_poller_without_a_limit), cmocka_unit_test(what_it_says),
	  cmocka_unit_test(a_sleeper_may_be_a_watchdog), cmocka_unit_test(only_where_it_speaks), cmocka_unit_test(set_anew),
	  cmocka_unit_test(moved_on), cmocka_unit_test(body_from_before))
