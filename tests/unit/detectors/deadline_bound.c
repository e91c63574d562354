/*
 * The evidence ladder, wait by wait: what each kind of wait and each ending shows.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detectors/deadline.h"

#define START (1000 * NS_PER_S)

struct step {
	enum wait_how how;
	unsigned int covers;
	int64_t limit_ms; /* -1 infinite, -2 unknown */
	enum wait_outcome outcome;
	uint64_t took_ms;
};

struct row {
	const char *what;
	enum phase phase;
	struct step steps[8];
	enum ending end;
	enum weight weight;
	enum how how;
	uint64_t limit_ms;
	enum phase says; /* phase of the observation */
};

static const struct row rows[] = {
	{"blocking, no limit",
	 PHASE_RESPONSE,
	 {{WAIT_BY_CALL, 1, -1, WAIT_READY, 10}},
	 END_DATA,
	 W_NONE,
	 HOW_CALL_FOREVER,
	 0,
	 PHASE_RESPONSE},
	{"poll, no limit",
	 PHASE_RESPONSE,
	 {{WAIT_BY_POLL, 1, -1, WAIT_READY, 10}},
	 END_DATA,
	 W_NONE,
	 HOW_POLL_FOREVER,
	 0,
	 PHASE_RESPONSE},
	{"SO_RCVTIMEO",
	 PHASE_RESPONSE,
	 {{WAIT_BY_CALL, 1, 3000, WAIT_READY, 10}},
	 END_DATA,
	 W_FINITE,
	 HOW_CALL_LIMIT,
	 3000,
	 PHASE_RESPONSE},
	{"a second is a slice",
	 PHASE_RESPONSE,
	 {{WAIT_BY_CALL, 1, 1000, WAIT_READY, 10}},
	 END_DATA,
	 W_UNDECIDED,
	 HOW_ONE_SLICE,
	 0,
	 PHASE_RESPONSE},
	{"just above a second",
	 PHASE_RESPONSE,
	 {{WAIT_BY_CALL, 1, 1001, WAIT_READY, 10}},
	 END_DATA,
	 W_FINITE,
	 HOW_CALL_LIMIT,
	 1001,
	 PHASE_RESPONSE},
	{"inherited socket",
	 PHASE_RESPONSE,
	 {{WAIT_BY_CALL, 1, -2, WAIT_READY, 10}},
	 END_DATA,
	 W_UNDECIDED,
	 HOW_UNKNOWN_LIMIT,
	 0,
	 PHASE_RESPONSE},
	{"armed twice",
	 PHASE_RESPONSE,
	 {{WAIT_BY_POLL, 1, 3000, WAIT_TIMED_OUT, 3000}, {WAIT_BY_POLL, 1, 3000, WAIT_READY, 10}},
	 END_DATA,
	 W_UNDECIDED,
	 HOW_REARMED,
	 0,
	 PHASE_RESPONSE},
	{"armed again and again",
	 PHASE_RESPONSE,
	 {{WAIT_BY_POLL, 1, 3000, WAIT_TIMED_OUT, 3000},
	  {WAIT_BY_POLL, 1, 3000, WAIT_TIMED_OUT, 3000},
	  {WAIT_BY_POLL, 1, 3000, WAIT_TIMED_OUT, 3000},
	  {WAIT_BY_POLL, 1, 3000, WAIT_READY, 10}},
	 END_DATA,
	 W_NONE,
	 HOW_SLICES,
	 0,
	 PHASE_RESPONSE},
	{"falling remainders",
	 PHASE_RESPONSE,
	 {{WAIT_BY_POLL, 1, 5000, WAIT_INTERRUPTED, 1000},
	  {WAIT_BY_POLL, 1, 4000, WAIT_INTERRUPTED, 1000},
	  {WAIT_BY_POLL, 1, 3000, WAIT_READY, 1}},
	 END_DATA,
	 W_FINITE,
	 HOW_REMAINDER,
	 5000,
	 PHASE_TOTAL},
	{"timed out, closed",
	 PHASE_RESPONSE,
	 {{WAIT_BY_CALL, 1, 3000, WAIT_TIMED_OUT, 3000}},
	 END_GAVE_UP,
	 W_FINITE_PROVEN,
	 HOW_TIMED_OUT,
	 3000,
	 PHASE_RESPONSE},
	{"timed out, exit",
	 PHASE_RESPONSE,
	 {{WAIT_BY_CALL, 1, 3000, WAIT_TIMED_OUT, 3000}},
	 END_EXIT,
	 W_FINITE_PROVEN,
	 HOW_TIMED_OUT,
	 3000,
	 PHASE_RESPONSE},
	{"no limit, exit",
	 PHASE_RESPONSE,
	 {{WAIT_BY_CALL, 1, -1, WAIT_PENDING, 3000}},
	 END_EXIT,
	 W_NONE,
	 HOW_CALL_FOREVER,
	 0,
	 PHASE_RESPONSE},
	{"loop without a timer",
	 PHASE_RESPONSE,
	 {{WAIT_BY_EPOLL, 5, -1, WAIT_READY, 10}},
	 END_DATA,
	 W_NONE_WEAK,
	 HOW_LOOP_FOREVER,
	 0,
	 PHASE_RESPONSE},
	{"loop with a timer",
	 PHASE_RESPONSE,
	 {{WAIT_BY_EPOLL, 5, 3000, WAIT_READY, 10}},
	 END_DATA,
	 W_UNDECIDED,
	 HOW_LOOP_TIMER,
	 0,
	 PHASE_RESPONSE},
	{"loop gave up",
	 PHASE_RESPONSE,
	 {{WAIT_BY_EPOLL, 5, 3000, WAIT_TIMED_OUT, 3000}},
	 END_GAVE_UP,
	 W_FINITE_PROVEN,
	 HOW_GAVE_UP,
	 3000,
	 PHASE_RESPONSE},
	{"loop ticks for long",
	 PHASE_RESPONSE,
	 {{WAIT_BY_EPOLL, 5, 10000, WAIT_TIMED_OUT, 10000},
	  {WAIT_BY_EPOLL, 5, 10000, WAIT_TIMED_OUT, 10000},
	  {WAIT_BY_EPOLL, 5, 1000, WAIT_PENDING, 900}},
	 END_PENDING,
	 W_NONE_WEAK,
	 HOW_NO_GIVE_UP,
	 0,
	 PHASE_RESPONSE},
	{"loop with a far timer",
	 PHASE_RESPONSE,
	 {{WAIT_BY_EPOLL, 5, 60000, WAIT_PENDING, 25000}},
	 END_PENDING,
	 W_UNDECIDED,
	 HOW_LOOP_TIMER,
	 0,
	 PHASE_RESPONSE},
	{"closed at once",
	 PHASE_RESPONSE,
	 {{WAIT_BY_EPOLL, 5, 3000, WAIT_READY, 10}},
	 END_GAVE_UP,
	 W_UNDECIDED,
	 HOW_LOOP_TIMER,
	 0,
	 PHASE_RESPONSE},
	{"many descriptors polled",
	 PHASE_RESPONSE,
	 {{WAIT_BY_POLL, 9, -1, WAIT_READY, 10}},
	 END_DATA,
	 W_NONE_WEAK,
	 HOW_LOOP_FOREVER,
	 0,
	 PHASE_RESPONSE},
	{"wake-up descriptor beside it",
	 PHASE_RESPONSE,
	 {{WAIT_BY_POLL, 2, 5000, WAIT_READY, 10}},
	 END_DATA,
	 W_UNDECIDED,
	 HOW_LOOP_TIMER,
	 0,
	 PHASE_RESPONSE},
	{"connect, kernel only",
	 PHASE_CONNECT,
	 {{WAIT_BY_CALL, 1, -1, WAIT_READY, 10}},
	 END_DATA,
	 W_KERNEL,
	 HOW_KERNEL,
	 0,
	 PHASE_CONNECT},
	{"connect with a limit",
	 PHASE_CONNECT,
	 {{WAIT_BY_POLL, 1, 2000, WAIT_READY, 10}},
	 END_DATA,
	 W_FINITE,
	 HOW_POLL_LIMIT,
	 2000,
	 PHASE_CONNECT},
	{"begun again by an attach, in full",
	 PHASE_RESPONSE,
	 {{WAIT_BY_POLL, 1, 0, WAIT_READY, 800}, {WAIT_BY_POLL, 1, 2000, WAIT_PENDING, 2010}},
	 END_GAVE_UP,
	 W_FINITE_PROVEN,
	 HOW_TIMED_OUT,
	 2000,
	 PHASE_RESPONSE},
	{"given up at another moment",
	 PHASE_RESPONSE,
	 {{WAIT_BY_POLL, 1, 0, WAIT_READY, 800}, {WAIT_BY_POLL, 1, 2000, WAIT_PENDING, 2700}},
	 END_GAVE_UP,
	 W_FINITE_PROVEN,
	 HOW_GAVE_UP,
	 3500,
	 PHASE_RESPONSE},
	{"connect given up",
	 PHASE_CONNECT,
	 {{WAIT_BY_EPOLL, 5, -1, WAIT_PENDING, 2000}},
	 END_GAVE_UP,
	 W_FINITE_PROVEN,
	 HOW_GAVE_UP,
	 2000,
	 PHASE_CONNECT},
};

/* Plays a row's steps; returns the end's time. */
static uint64_t play(struct watch *w, const struct row *row)
{
	uint64_t now = START;

	watch_begin(w, row->phase, now, row->phase == PHASE_CONNECT ? 0 : 7, 0, 0);
	for (size_t i = 0; i < 8 && row->steps[i].took_ms; i++) {
		const struct step *s = &row->steps[i];
		const struct wait wait = {
			.op = row->phase == PHASE_CONNECT ? WAIT_CONNECT : WAIT_READ,
			.how = s->how,
			.outcome = s->outcome,
			.limit_ns = s->limit_ms < 0 ? s->limit_ms : s->limit_ms * (int64_t)NS_PER_MS,
			.t0 = now,
			.t1 = now + s->took_ms * NS_PER_MS,
			.covers = s->covers,
			.tid = 7,
		};
		watch_wait(w, &wait);
		now = wait.t1;
	}
	return now;
}

static void test_ladder(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct watch w;
		struct observation o;
		struct judge j = {.now_ns = play(&w, &rows[i]), .no_give_up_ns = 20 * NS_PER_S};
		bool said = watch_judge(&w, rows[i].end, &j, &o);
		if (!said || o.weight != rows[i].weight || o.how != rows[i].how || o.phase != rows[i].says ||
		    o.limit_ns != rows[i].limit_ms * NS_PER_MS)
			fail_msg("%s: said %d, weight %d, how %d, phase %d, limit %llu ms", rows[i].what, said, (int)o.weight,
				 (int)o.how, (int)o.phase, (unsigned long long)(o.limit_ns / NS_PER_MS));
	}
}

static void test_silence_of_the_evidence(void **state)
{
	struct watch w;
	struct observation o;
	const struct judge j = {.now_ns = START + NS_PER_S, .no_give_up_ns = 20 * NS_PER_S};

	(void)state;
	watch_begin(&w, PHASE_RESPONSE, START, 7, 0, 0);
	assert_false(watch_judge(&w, END_DATA, &j, &o));
	const struct wait no_wait = {.how = WAIT_BY_POLL, .limit_ns = 0, .t0 = START, .t1 = START + 1, .covers = 1, .tid = 7};
	watch_wait(&w, &no_wait);
	assert_false(watch_judge(&w, END_DATA, &j, &o));
}

/* A call that has not returned is told again and again: it stays one call. */
static void test_pending_counts_once(void **state)
{
	struct watch w;
	struct observation o;
	const struct judge j = {.now_ns = START + 9 * NS_PER_S, .no_give_up_ns = 20 * NS_PER_S};

	(void)state;
	watch_begin(&w, PHASE_RESPONSE, START, 7, 0, 0);
	for (uint64_t s = 1; s < 9; s++) {
		const struct wait wait = {.how = WAIT_BY_CALL,
					  .outcome = WAIT_PENDING,
					  .limit_ns = WAIT_INFINITE,
					  .t0 = START,
					  .t1 = START + s * NS_PER_S,
					  .covers = 1,
					  .tid = 7};
		watch_wait(&w, &wait);
	}
	assert_true(watch_judge(&w, END_PENDING, &j, &o));
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.waited_ns, 9 * NS_PER_S);
}

/* A reader thread of a client library waits without a limit; the caller may well have one. */
static void test_other_thread_is_a_loop(void **state)
{
	struct watch w;
	struct observation o;
	const struct judge j = {.now_ns = START + NS_PER_S, .no_give_up_ns = 20 * NS_PER_S};
	const struct wait wait = {
		.how = WAIT_BY_CALL, .limit_ns = WAIT_INFINITE, .t0 = START, .t1 = START + NS_PER_S, .covers = 1, .tid = 8};

	(void)state;
	watch_begin(&w, PHASE_RESPONSE, START, 7, 0, 0);
	watch_wait(&w, &wait);
	assert_true(watch_judge(&w, END_DATA, &j, &o));
	assert_int_equal(o.weight, W_NONE_WEAK);
}

/* Who only reads again and again decides where it looks at the clock, not where it gets a processor for closing. */
static void test_busy_reader_without_a_processor(void **state)
{
	struct watch w;
	struct observation o;
	struct judge j = {.now_ns = START + 3600 * NS_PER_MS, .no_give_up_ns = 20 * NS_PER_S};

	(void)state;
	for (uint64_t pause = 20; pause <= 1000; pause *= 50) {
		watch_begin(&w, PHASE_RESPONSE, START, 7, 0, 0);
		for (uint64_t at = pause; at <= 3000; at += pause)
			watch_try(&w, &(struct event){.t1 = START + at * NS_PER_MS, .tid = 7});
		assert_true(watch_judge(&w, END_GAVE_UP, &j, &o));
		assert_int_equal(o.how, HOW_GAVE_UP);
		assert_int_equal(o.limit_ns, (pause == 20 ? 3020 : 3600) * NS_PER_MS);
	}
}

/* Go's poller without a limit says that no timer runs, once it has gone on for a while; before that, one may be about to be set. */
static void test_timers_of_go(void **state)
{
	struct process go = {.pid = 1, .go = true};
	struct watch w;
	struct observation o;
	struct judge j = {.now_ns = START + NS_PER_S, .no_give_up_ns = 20 * NS_PER_S};
	struct wait wait = {.process = &go, .how = WAIT_BY_EPOLL, .limit_ns = WAIT_INFINITE, .covers = 1, .tid = 7};

	(void)state;
	watch_begin(&w, PHASE_RESPONSE, START, 7, 0, 0);
	wait.t0 = START - 5 * NS_PER_S;
	wait.t1 = START + 2 * NS_PER_MS;
	watch_wait(&w, &wait);
	wait.t1 = START + 10 * NS_PER_MS;
	wait.outcome = WAIT_INTERRUPTED;
	watch_wait(&w, &wait);
	watch_try(&w, &(struct event){.t1 = wait.t1, .tid = 7});
	assert_true(watch_judge(&w, END_DATA, &j, &o));
	assert_int_equal(o.weight, W_UNDECIDED);
	assert_int_equal(o.how, HOW_GO_TIMER);
	wait.t0 = wait.t1;
	wait.limit_ns = 3 * (int64_t)NS_PER_S;
	wait.t1 = START + 900 * NS_PER_MS;
	watch_wait(&w, &wait);
	assert_true(watch_judge(&w, END_DATA, &j, &o));
	assert_int_equal(o.how, HOW_GO_TIMER);
	/* Silence beyond any timer in sight, and a poller that goes on without one. */
	j.now_ns = START + 21 * NS_PER_S;
	assert_true(watch_judge(&w, END_PENDING, &j, &o));
	assert_int_equal(o.how, HOW_NO_GIVE_UP);
	watch_begin(&w, PHASE_RESPONSE, START, 7, 0, 0);
	wait.t0 = START + NS_PER_MS;
	wait.limit_ns = WAIT_INFINITE;
	wait.t1 = START + 300 * NS_PER_MS;
	watch_wait(&w, &wait);
	j.now_ns = wait.t1;
	assert_true(watch_judge(&w, END_DATA, &j, &o));
	assert_int_equal(o.weight, W_NONE_WEAK);
	assert_int_equal(o.how, HOW_LOOP_FOREVER);
	/* A connect is ready before the timer is set. */
	watch_begin(&w, PHASE_CONNECT, START, 0, 0, 0);
	wait.t1 = START + 50 * NS_PER_MS;
	wait.outcome = WAIT_READY;
	watch_wait(&w, &wait);
	assert_true(watch_judge(&w, END_DATA, &j, &o));
	assert_int_equal(o.how, HOW_GO_TIMER);
}

/* A worker's loop was asleep without a limit when another thread asked and set a timer: what it sleeps for next counts. */
static void test_loop_of_another_thread(void **state)
{
	(void)state;
	for (int timer = 0; timer < 2; timer++) {
		const struct judge j = {.no_give_up_ns = 12 * NS_PER_S, .now_ns = START + 300 * NS_PER_MS};
		struct wait wait = {.how = WAIT_BY_EPOLL,
				    .outcome = WAIT_INTERRUPTED,
				    .limit_ns = WAIT_INFINITE,
				    .t0 = START - NS_PER_MS,
				    .t1 = START + NS_PER_MS,
				    .covers = 2,
				    .tid = 8};
		struct watch w;
		struct observation o;

		watch_begin(&w, PHASE_RESPONSE, START, 7, 0, 0);
		watch_wait(&w, &wait);
		wait.t0 = wait.t1;
		wait.t1 = j.now_ns;
		wait.limit_ns = timer ? 3 * (int64_t)NS_PER_S : WAIT_INFINITE;
		watch_wait(&w, &wait);
		assert_true(watch_judge(&w, END_DATA, &j, &o));
		assert_int_equal(o.weight, timer ? W_UNDECIDED : W_NONE_WEAK);
		assert_int_equal(o.how, timer ? HOW_LOOP_TIMER : HOW_LOOP_FOREVER);
	}
}

static void test_kernel_options_of_connect(void **state)
{
	struct watch w;
	struct observation o;
	struct judge j = {.no_give_up_ns = 20 * NS_PER_S, .syn_count = 2};
	const struct wait wait = {
		.how = WAIT_BY_CALL, .limit_ns = WAIT_INFINITE, .t0 = START, .t1 = START + 1, .covers = 1, .tid = 7};

	(void)state;
	watch_begin(&w, PHASE_CONNECT, START, 0, 0, 0);
	watch_wait(&w, &wait);
	j.now_ns = START + NS_PER_S;
	assert_true(watch_judge(&w, END_DATA, &j, &o));
	assert_int_equal(o.how, HOW_SYN_COUNT);
	assert_int_equal(o.limit_ns, 7 * NS_PER_S);
	j.user_timeout_ns = 3 * (int64_t)NS_PER_S;
	assert_true(watch_judge(&w, END_DATA, &j, &o));
	assert_int_equal(o.how, HOW_USER_TIMEOUT);
	assert_int_equal(o.limit_ns, 3 * NS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ladder),
		cmocka_unit_test(test_silence_of_the_evidence),
		cmocka_unit_test(test_pending_counts_once),
		cmocka_unit_test(test_other_thread_is_a_loop),
		cmocka_unit_test(test_busy_reader_without_a_processor),
		cmocka_unit_test(test_timers_of_go),
		cmocka_unit_test(test_loop_of_another_thread),
		cmocka_unit_test(test_kernel_options_of_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
