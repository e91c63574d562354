/*
 * Watchdogs: what another thread's sleep says of a wait without a limit, and what a process that dies by a signal did not give up.
 */
#include <errno.h>

#include "detectors/deadline.h"
#include "detectors/deadline_rig.h"

#define WATCHDOG 101U

static void connected(struct rig *r)
{
	rig_init(r, &deadline_detector);
	r->s.stack = rig_stack(r, "charge", "shop");
	script_socket(&r->s, 5);
	script_connect(&r->s, 5, "10.0.0.9", 443, 0);
}

/* A thread other than the one that waits: asleep for 3 s since `since`, seen while it sleeps. */
static void asleep(struct rig *r, uint64_t since)
{
	uint32_t tid = r->s.tid;

	r->s.tid = WATCHDOG;
	script_inflight(&r->s, WIRE_SLEEP, -1, 3 * (int64_t)SCRIPT_SEC, since);
	r->s.tid = tid;
}

static const char *response(const struct rig *r)
{
	return rig_text(r, 0, "phase", "response", "bound", NULL);
}

/* Answered in 300 ms: without a limit it is none; with a sleeper that began with it, nobody knows, whenever that one is seen. */
static void test_sleeper(void **state)
{
	enum { NOBODY, SEEN_LATER, SEEN_BEFORE, BEGAN_LONG_AGO, CASES };
	static const char *const want[CASES] = {"none", "unknown", "unknown", "none"};

	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct rig r;
		if (i == BEGAN_LONG_AGO) {
			rig_init(&r, &deadline_detector);
			uint64_t since = r.s.now;
			script_pass(&r.s, SCRIPT_SEC);
			script_socket(&r.s, 5);
			script_connect(&r.s, 5, "10.0.0.9", 443, 0);
			asleep(&r, since);
		} else {
			connected(&r);
		}
		uint64_t began = r.s.now;
		script_write(&r.s, 5, RIG_GET);
		if (i == SEEN_BEFORE)
			asleep(&r, began);
		script_took(&r.s, 300 * SCRIPT_MSEC);
		script_read(&r.s, 5, RIG_200);
		script_pass(&r.s, SCRIPT_SEC);
		if (i == SEEN_LATER)
			asleep(&r, began);
		rig_finish(&r);
		assert_string_equal(response(&r), want[i]);
		assert_int_equal(rig_found(&r, "deadline.response.missing") != NULL, !strcmp(want[i], "none"));
		rig_done(&r);
	}
}

/* Threads that doze all the time, and are woken, do not make it forgotten who watches. */
static void test_dozers(void **state)
{
	struct rig r;

	(void)state;
	connected(&r);
	const uint64_t began = r.s.now;
	script_write(&r.s, 5, RIG_GET);
	asleep(&r, began);
	const uint32_t tid = r.s.tid;
	for (uint32_t i = 0; i < 8 * DEADLINE_TIMERS; i++) {
		r.s.tid = WATCHDOG + 1 + i % 8;
		script_took(&r.s, SCRIPT_MSEC / 2);
		script_inflight(&r.s, WIRE_SLEEP, -1, 5 * (int64_t)SCRIPT_SEC, began + i);
	}
	r.s.tid = tid;
	script_took(&r.s, 300 * SCRIPT_MSEC);
	script_read(&r.s, 5, RIG_200);
	script_pass(&r.s, SCRIPT_SEC);
	struct deadline *d = r.state;
	bool kept = false;
	for (uint32_t i = 0; i < d->timers_used; i++)
		kept |= d->timers[i].tid == WATCHDOG;
	assert_true(kept && d->timers_used == 1 + 8 * 2);
	rig_finish(&r);
	assert_string_equal(response(&r), "unknown");
	rig_done(&r);
}

/* A thread that sleeps for the same time again and again is a clock, no watchdog. */
static void test_ticker(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &deadline_detector);
	r.s.tid = WATCHDOG;
	script_sleep(&r.s, SCRIPT_SEC);
	r.s.tid = 0;
	script_socket(&r.s, 5);
	script_connect(&r.s, 5, "10.0.0.9", 443, 0);
	uint64_t since = r.s.now;
	script_write(&r.s, 5, RIG_GET);
	r.s.tid = WATCHDOG;
	script_inflight(&r.s, WIRE_SLEEP, -1, (int64_t)SCRIPT_SEC, since);
	r.s.tid = 0;
	script_took(&r.s, 300 * SCRIPT_MSEC);
	script_read(&r.s, 5, RIG_200);
	rig_finish(&r);
	assert_string_equal(response(&r), "none");
	rig_done(&r);
}

/* The watchdog barks: shutdown by another thread bounds the whole operation, and so the response. */
static void test_shut_down_by_another(void **state)
{
	struct rig r;

	(void)state;
	connected(&r);
	uint64_t since = r.s.now;
	script_write(&r.s, 5, RIG_GET);
	for (int second = 1; second <= 3; second++) {
		script_pass(&r.s, SCRIPT_SEC);
		script_inflight(&r.s, WIRE_READ, 5, WAIT_INFINITE, since);
		script_tick(&r.s);
	}
	r.s.tid = WATCHDOG;
	script_shutdown(&r.s, 5, SHUT_RDWR);
	r.s.tid = 0;
	script_read_eof(&r.s, 5);
	rig_finish(&r);
	assert_string_equal(response(&r), "finite");
	double seconds = rig_number(&r, 0, "phase", "response", "seconds", NULL);
	assert_true(seconds > 2.9 && seconds < 3.1);
	assert_string_equal(rig_text(&r, 0, "verdict", NULL), "total");
	assert_null(rig_found(&r, "deadline.response.missing"));
	rig_done(&r);
}

/* The end of the wait falls on the end of the watchdog's sleep: its shutdown need not have been seen. */
static void test_fired(void **state)
{
	(void)state;
	for (int in_time = 0; in_time < 2; in_time++) {
		struct rig r;
		rig_init(&r, &deadline_detector);
		script_socket(&r.s, 5);
		uint64_t since = r.s.now;
		script_event(&r.s,
			     (struct event){
				     .id = WIRE_SLEEP, .fd = -1, .tid = WATCHDOG, .t0 = since, .t1 = since + 1, .a1 = SCRIPT_MSEC});
		script_pass(&r.s, (in_time ? 3000 : 2000) * SCRIPT_MSEC);
		asleep(&r, since);
		struct sockaddr_in to = script_address("10.0.0.9", 443);
		script_event(&r.s, (struct event){.id = WIRE_CONNECT,
						  .fd = 5,
						  .ret = -1,
						  .err = ECONNRESET,
						  .t0 = since,
						  .t1 = r.s.now + SCRIPT_MSEC,
						  .data = (const uint8_t *)&to,
						  .data_len = sizeof to});
		rig_finish(&r);
		assert_string_equal(rig_text(&r, 0, "phase", "connect", "bound", NULL), in_time ? "finite" : "unknown");
		rig_done(&r);
	}
}

/* Closed after 5 s of waiting: given up, if the process lives on or exits; if it dies of a signal, its handler only cleared up. */
static void test_killed(void **state)
{
	(void)state;
	for (int killed = 0; killed < 2; killed++) {
		struct rig r;
		connected(&r);
		uint64_t since = r.s.now;
		script_write(&r.s, 5, RIG_GET);
		script_pass(&r.s, 5 * SCRIPT_SEC);
		script_inflight(&r.s, WIRE_READ, 5, WAIT_INFINITE, since);
		script_close(&r.s, 5);
		if (!killed)
			script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .fd = -1, .ret = 1});
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
		rig_finish(&r);
		assert_string_equal(response(&r), killed ? "none" : "finite");
		rig_done(&r);
	}
}

/* A thread that slept for the whole call's limit, which began before the connection was there, fires: its length is the limit. One that
 * slept for something else, or for much longer, is none. */
static void test_length(void **state)
{
	static const struct {
		uint64_t slept_ms, before_ms, late_ms;
		double seconds;
	} rows[] = {
		{3000, 500, 1, 3.0},
		{3000, 500, 200, 2.7}, /* something else ended the wait */
		{9000, 6500, 1, 2.5},  /* much longer than the operation */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig r;
		rig_init(&r, &deadline_detector);
		r.s.stack = rig_stack(&r, "charge", "shop");
		const uint64_t began = r.s.now, due = began + rows[i].slept_ms * SCRIPT_MSEC;
		script_pass(&r.s, rows[i].before_ms * SCRIPT_MSEC);
		script_socket(&r.s, 5);
		script_connect(&r.s, 5, "10.0.0.9", 443, 0);
		script_write(&r.s, 5, RIG_GET);
		const uint64_t since = r.s.now;
		script_pass(&r.s, SCRIPT_SEC);
		script_inflight(&r.s, WIRE_READ, 5, WAIT_INFINITE, since);
		waited_in_vain(&r, WATCHDOG, began, due, rows[i].slept_ms * SCRIPT_MSEC);
		script_pass(&r.s, rows[i].late_ms * SCRIPT_MSEC);
		script_close(&r.s, 5);
		rig_finish(&r);
		const double said = rig_number(&r, 0, "phase", "response", "seconds", NULL);
		printf("%d ms asleep: %.2f s\n", (int)rows[i].slept_ms, said);
		assert_true(said > rows[i].seconds - 0.05 && said < rows[i].seconds + 0.05);
		rig_done(&r);
	}
}

/* The reader sees the end a moment before the shutdown that made it has returned: it is the other thread's doing all the same, also where
 * the reader had a longer limit of its own. */
static void test_seen_before_it_returned(void **state)
{
	(void)state;
	for (int told = 0; told < 2; told++) {
		struct rig r;
		connected(&r);
		const uint64_t since = r.s.now;
		script_write(&r.s, 5, RIG_GET);
		script_took(&r.s, 3 * SCRIPT_SEC);
		script_poll(&r.s, 5, POLLIN, POLLIN, 10 * (int64_t)SCRIPT_SEC);
		waited_in_vain(&r, WATCHDOG, since, r.s.now, 3 * SCRIPT_SEC);
		const uint64_t shut = r.s.now;
		script_read_eof(&r.s, 5);
		if (told)
			script_event(&r.s,
				     (struct event){.id = WIRE_SHUTDOWN, .tid = WATCHDOG, .fd = 5, .t0 = shut, .a0 = SHUT_RDWR});
		script_close(&r.s, 5);
		rig_finish(&r);
		const double seconds = rig_number(&r, 0, "phase", "response", "seconds", NULL);
		printf("told %d: %s, %.2f s, %s\n", told, response(&r), seconds,
		       rig_text(&r, 0, "phase", "response", "evidence", NULL));
		assert_string_equal(response(&r), "finite");
		assert_true(seconds > 2.9 && seconds < 3.1);
		assert_string_equal(rig_text(&r, 0, "phase", "response", "confidence", NULL), told ? "proven" : "observed");
		rig_done(&r);
	}
}

/* A watchdog that began while the connection was still prepared; one that was woken, and sleeps on towards the same moment; and a JVM's
 * compiler, which sleeps for itself. */
static void test_began_before(void **state)
{
	enum { PREPARED, WOKEN, COMPILER, CASES };

	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct rig r;
		rig_init(&r, &deadline_detector);
		r.s.stack = rig_stack(&r, "charge", "shop");
		const struct frame jvm = {.function = "Monitor::wait", .module = "libjvm.so", .runtime = true};
		const uint32_t own = stacks_add(r.s.stacks, &jvm, 1);
		const uint64_t began = r.s.now;
		script_pass(&r.s, i == PREPARED ? 400 * SCRIPT_MSEC : SCRIPT_MSEC);
		script_socket(&r.s, 5);
		script_connect(&r.s, 5, "10.0.0.9", 443, 0);
		script_write(&r.s, 5, RIG_GET);
		script_took(&r.s, 300 * SCRIPT_MSEC);
		script_read(&r.s, 5, RIG_200);
		script_pass(&r.s, SCRIPT_SEC);
		if (i == WOKEN)
			script_event(&r.s, (struct event){.id = WIRE_COND_WAIT,
							  .tid = WATCHDOG,
							  .fd = -1,
							  .t0 = began,
							  .t1 = began + 200 * SCRIPT_MSEC,
							  .a1 = 3 * SCRIPT_SEC});
		script_event(&r.s, (struct event){.id = WIRE_INFLIGHT,
						  .tid = WATCHDOG,
						  .fd = -1,
						  .stack = i == COMPILER ? own : 0,
						  .t0 = i == WOKEN ? began + 200 * SCRIPT_MSEC : began,
						  .t1 = r.s.now,
						  .a0 = WIRE_COND_WAIT,
						  .a1 = i == WOKEN ? 2800 * SCRIPT_MSEC : 3 * SCRIPT_SEC});
		rig_finish(&r);
		assert_string_equal(response(&r), i == COMPILER ? "none" : "unknown");
		rig_done(&r);
	}
}

/* Asked 1.1 s before anybody watched. Another thread waits since before that. If nobody knows when it began, it may be a caller; else it is one if
 * it began with the question, or a little before. Nobody waits a day for an answer. */
static void test_under_way_before(void **state)
{
	static const struct {
		bool dated;
		int64_t limit_ms,
			before_ms; /* from its beginning to the question; of one that is not dated, what is left at the attach */
		const char *want;
	} rows[] = {{false, 28900, 0, "unknown"}, {false, 56473, 0, "unknown"},   {false, 27300, 0, "unknown"},
		    {false, 86398000, 0, "none"}, {true, 40000, 0, "unknown"},    {true, 40000, 2000, "unknown"},
		    {true, 40000, 3500, "none"},  {true, 60000, 2000, "unknown"}, {true, 10000, 3500, "none"},
		    {true, 86400000, 0, "none"}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig r;

		connected(&r);
		script_pass(&r.s, 4 * SCRIPT_SEC);
		const uint64_t began = r.s.now - (uint64_t)rows[i].before_ms * SCRIPT_MSEC;
		script_write(&r.s, 5, RIG_GET);
		script_pass(&r.s, 1100 * SCRIPT_MSEC);
		const uint64_t attached = r.s.now;
		script_pass(&r.s, 2 * SCRIPT_SEC);
		script_event(&r.s, (struct event){.id = WIRE_INFLIGHT,
						  .tid = WATCHDOG,
						  .fd = -1,
						  .flags = rows[i].dated ? WIRE_F_BEFORE | WIRE_F_DATED : WIRE_F_BEFORE,
						  .t0 = rows[i].dated ? began : attached,
						  .t1 = r.s.now,
						  .a0 = WIRE_COND_WAIT,
						  .a1 = (uint64_t)rows[i].limit_ms * SCRIPT_MSEC});
		script_inflight(&r.s, WIRE_READ, 5, -1, attached);
		script_pass(&r.s, SCRIPT_SEC);
		rig_finish(&r);
		printf("row %zu: %s\n", i, response(&r));
		assert_string_equal(response(&r), rows[i].want);
		rig_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sleeper),      cmocka_unit_test(test_dozers),
		cmocka_unit_test(test_ticker),       cmocka_unit_test(test_shut_down_by_another),
		cmocka_unit_test(test_fired),        cmocka_unit_test(test_length),
		cmocka_unit_test(test_killed),       cmocka_unit_test(test_seen_before_it_returned),
		cmocka_unit_test(test_began_before), cmocka_unit_test(test_under_way_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
