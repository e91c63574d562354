/*
 * Callers: a thread that waits, for a time of its own, for another one that asks the dependency without a limit. When it leaves, that was the
 * bound; while it waits, nothing is known; and a pool's thread that waits for work is none.
 */
#include <sys/socket.h>

#include "detectors/deadline_rig.h"

#define CALLER_TID 101U

/* A thread asks, and waits without a limit for three seconds from now on: returns when they began. */
static uint64_t unanswered(struct rig *r)
{
	start(r);
	connect_to(r, 5);
	const uint64_t began = r->s.now;
	script_write(&r->s, 5, RIG_GET);
	const uint64_t asked = r->s.now;
	script_pass(&r->s, 2 * SCRIPT_SEC);
	script_inflight(&r->s, WIRE_READ, 5, -1, asked);
	script_pass(&r->s, began + 3 * SCRIPT_SEC - r->s.now);
	return began;
}

/* The caller waits in another thread for the one that asks. Its time is over, and it calls exit: then it has given up. Long after, it has not. */
static void test_caller_exits(void **state)
{
	(void)state;
	for (int late = 0; late <= 1; late++) {
		struct rig r;

		const uint64_t began = unanswered(&r);
		waited_in_vain(&r, CALLER_TID, began, r.s.now, 3 * SCRIPT_SEC);
		script_pass(&r.s, late ? SCRIPT_SEC : SCRIPT_MSEC);
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .tid = CALLER_TID, .fd = -1});
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
		rig_finish(&r);
		assert_string_equal(rig_text(&r, 0, "phase", "total", "bound", NULL), late ? "none" : "finite");
		rig_done(&r);
	}
}

/* A thread's sleep that was begun with the question runs out, and then another thread calls exit: the sleeper may have asked for that, unless it
 * has gone to sleep again just so. */
static void test_ticker_at_exit(void **state)
{
	(void)state;
	for (int ticks = 0; ticks <= 1; ticks++) {
		struct rig r;

		const uint64_t began = unanswered(&r), limit = 14 * SCRIPT_SEC / 5;
		waited_in_vain(&r, CALLER_TID, began, began + limit, limit);
		if (ticks) {
			r.s.tid = CALLER_TID;
			script_inflight(&r.s, WIRE_COND_WAIT, -1, (int64_t)limit, began + limit);
			r.s.tid = 0;
		}
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .tid = 102, .fd = -1});
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
		rig_finish(&r);
		assert_string_equal(rig_text(&r, 0, "phase", "total", "bound", NULL), ticks ? "none" : "finite");
		rig_done(&r);
	}
}

/* A caller that waits for longer than anybody watched: nothing is known of a bound, and nothing of the lack of one. A JVM pool's new thread waits a minute
 * for work, and one that slept just so before does too. */
static void test_long_caller(void **state)
{
	enum { CALLER, FIRST_THREAD, NEW_CALLER, NEW_IDLE, NEW_RUBY, NEW_UNSEEN, NEW_UNSEEN_IN_JVM, HABIT };
	static const struct {
		int64_t seconds;
		int who;
		uint64_t before_ms; /* from its sleep to the question */
		const char *want;
	} rows[] = {
		{40, CALLER, 300, "unknown"},        {60, CALLER, 300, "unknown"},
		{60, FIRST_THREAD, 300, "unknown"},  {40, NEW_CALLER, 300, "unknown"},
		{60, NEW_IDLE, 20, "none"},          {60, NEW_IDLE, 300, "none"},
		{60, NEW_RUBY, 300, "unknown"},      {45, HABIT, 20, "none"},
		{86400, CALLER, 20, "none"},         {60, NEW_UNSEEN, 20, "unknown"},
		{60, NEW_UNSEEN_IN_JVM, 20, "none"},
	};
	static const uint8_t libjvm[] = "\0/usr/lib/jvm/lib/server/libjvm.so";

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig r;
		start(&r);
		const struct frame park = {.function = "Parker::park", .module = "libjvm.so", .runtime = true};
		const uint32_t own = r.s.stack, jvm = stacks_add(r.s.stacks, &park, 1);
		const bool unseen = rows[i].who == NEW_UNSEEN || rows[i].who == NEW_UNSEEN_IN_JVM;
		const uint32_t tid = rows[i].who == FIRST_THREAD ? r.s.pid : CALLER_TID;
		const uint64_t limit = (uint64_t)rows[i].seconds * SCRIPT_SEC;
		script_socket(&r.s, 4);
		if (rows[i].who == NEW_IDLE || rows[i].who == NEW_UNSEEN_IN_JVM)
			script_event(&r.s,
				     (struct event){.id = WIRE_MODULE, .fd = -1, .data = libjvm, .data_len = sizeof libjvm - 1});
		script_connect(&r.s, 4, "10.0.0.9", 443, 0);
		script_close(&r.s, 4);
		if (rows[i].who == HABIT) {
			const uint64_t t0 = r.s.now;
			script_pass(&r.s, 3 * SCRIPT_SEC);
			script_event(
				&r.s,
				(struct event){.id = WIRE_COND_WAIT, .tid = tid, .fd = -1, .t0 = t0, .t1 = r.s.now, .a1 = limit});
		}
		if (rows[i].who != CALLER && rows[i].who != HABIT)
			script_event(&r.s, (struct event){.id = WIRE_THREAD_START, .tid = tid, .fd = -1});
		const uint64_t began = r.s.now;
		script_pass(&r.s, rows[i].before_ms * SCRIPT_MSEC);
		script_socket(&r.s, 5);
		script_connect(&r.s, 5, "10.0.0.9", 443, 0);
		r.s.tid = 50;
		script_write(&r.s, 5, RIG_GET);
		const uint64_t asked = r.s.now;
		for (int second = 0; second < 25; second++) {
			script_pass(&r.s, SCRIPT_SEC);
			script_inflight(&r.s, WIRE_READ, 5, WAIT_INFINITE, asked);
			r.s.tid = tid;
			r.s.stack = unseen ? 0 : rows[i].who == NEW_IDLE ? jvm : own;
			script_inflight(&r.s, WIRE_COND_WAIT, -1, (int64_t)limit, began);
			r.s.stack = own;
			r.s.tid = 50;
			script_tick(&r.s);
		}
		rig_finish(&r);
		const char *said = rig_text(&r, 0, "phase", "response", "bound", NULL);
		printf("%d s, who %d: %s\n", (int)rows[i].seconds, rows[i].who, said);
		assert_string_equal(said, rows[i].want);
		rig_done(&r);
	}
}

/* The caller looks every now and then whether the answer is there, and exits in the end: given up, unless it looked long before the question, or
 * another thread calls exit. Of a connection from before anybody watched nobody knows since when it looks. */
static void test_caller_looks(void **state)
{
	enum { LOOKS, LOOKED_BEFORE, ANOTHER, INHERITED, CASES };
	static const char *const want[] = {"finite", "none", "none", "unknown"};

	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct rig r;

		start(&r);
		for (int n = 0; (i == LOOKED_BEFORE || i == INHERITED) && n < 25; n++) {
			script_pass(&r.s, 200 * SCRIPT_MSEC);
			waited_in_vain(&r, CALLER_TID, r.s.now - 200 * SCRIPT_MSEC, r.s.now, 200 * SCRIPT_MSEC);
		}
		if (i == INHERITED)
			connected_before(&r, 5);
		else
			connect_to(&r, 5);
		script_write(&r.s, 5, RIG_GET);
		const uint64_t asked = r.s.now;
		for (int n = 0; n < 20; n++) {
			script_pass(&r.s, 200 * SCRIPT_MSEC);
			waited_in_vain(&r, CALLER_TID, r.s.now - 200 * SCRIPT_MSEC, r.s.now, 200 * SCRIPT_MSEC);
			script_inflight(&r.s, WIRE_READ, 5, -1, asked);
		}
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .tid = CALLER_TID + (i == ANOTHER), .fd = -1});
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
		rig_finish(&r);
		printf("looks, case %d: %s\n", i, rig_text(&r, 0, "phase", "response", "bound", NULL));
		assert_string_equal(rig_text(&r, 0, "phase", "total", "bound", NULL), want[i]);
		rig_done(&r);
	}
}

/* An event loop's own wait goes on when its caller's time is over and the process exits, in a thread of the runtime's, a moment later. */
static void test_caller_of_loop_exits(void **state)
{
	(void)state;
	for (int late = 0; late <= 1; late++) {
		struct rig r;

		start(&r);
		connect_in_loop(&r);
		const uint64_t began = r.s.now;
		script_write(&r.s, 5, RIG_GET);
		const uint64_t asked = r.s.now;
		script_pass(&r.s, 2 * SCRIPT_SEC);
		script_inflight(&r.s, WIRE_EPOLL_WAIT, 3, 5 * (int64_t)SCRIPT_SEC, asked);
		script_pass(&r.s, began + 3 * SCRIPT_SEC - r.s.now);
		waited_in_vain(&r, CALLER_TID, began, r.s.now + 30 * SCRIPT_MSEC, 3 * SCRIPT_SEC);
		script_pass(&r.s, (late ? 900 : 300) * SCRIPT_MSEC);
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .tid = CALLER_TID + 1, .fd = -1});
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
		rig_finish(&r);
		assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), late ? "unknown" : "finite");
		rig_done(&r);
	}
}

/* The loop's wait ran out, its thread half-closed the connection, and the process ended: given up. Long before the end, or not for that wait, it was not. */
static void test_half_closed(void **state)
{
	enum { GIVES_UP, LATER, ANOTHER, CASES };

	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct rig r;

		start(&r);
		connect_in_loop(&r);
		script_write(&r.s, 5, RIG_GET);
		const uint64_t asked = r.s.now;
		script_pass(&r.s, 4 * SCRIPT_SEC);
		script_event(&r.s,
			     (struct event){.id = WIRE_EPOLL_WAIT, .fd = 3, .t0 = asked, .t1 = r.s.now, .a1 = 4 * SCRIPT_SEC});
		const uint32_t own = r.s.tid;
		r.s.tid = i == ANOTHER ? CALLER_TID : own;
		script_shutdown(&r.s, 5, SHUT_WR);
		r.s.tid = own;
		script_pass(&r.s, (i == LATER ? 2000 : 40) * SCRIPT_MSEC);
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .tid = CALLER_TID + 1, .fd = -1});
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
		rig_finish(&r);
		const char *said = rig_text(&r, 0, "phase", "response", "bound", NULL);
		printf("half closed, case %d: %s\n", i, said);
		assert_string_equal(said, i == GIVES_UP ? "finite" : "unknown");
		rig_done(&r);
	}
}

/* An event loop without connections lets another thread ask. Its timer runs out, and its thread calls exit: given up. Where another thread exits, where the
 * loop ticks, or goes on for a while, that timer was anybody's. */
static void test_loop_exits(void **state)
{
	enum { EXITS, ANOTHER, TICKS, LATE, CASES };

	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct rig r;

		const uint64_t began = unanswered(&r);
		r.s.tid = CALLER_TID;
		script_epoll_create(&r.s, 3);
		for (int n = i == TICKS ? 2 : 0; n >= 0; n--) {
			const uint64_t length = i == TICKS ? SCRIPT_SEC : 3 * SCRIPT_SEC,
				       end = began + 3 * SCRIPT_SEC - (uint64_t)n * length;
			script_event(&r.s,
				     (struct event){.id = WIRE_EPOLL_WAIT, .fd = 3, .a1 = length, .t0 = end - length, .t1 = end});
		}
		r.s.tid = 0;
		script_pass(&r.s, i == LATE ? SCRIPT_SEC : SCRIPT_MSEC);
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .tid = i == ANOTHER ? 102 : CALLER_TID, .fd = -1});
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
		rig_finish(&r);
		assert_string_equal(rig_text(&r, 0, "phase", "total", "bound", NULL), i == EXITS ? "finite" : "none");
		rig_done(&r);
	}
}

/* Begun before anybody watched, the loop's wait is not seen to end. Its thread exits just when it should have: given up. Sooner, it has not, nor where
 * another thread exits. */
static void test_unseen_end(void **state)
{
	enum { EXITS, SOONER, ANOTHER, CASES };

	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct rig r;

		start(&r);
		connect_in_loop(&r);
		script_write(&r.s, 5, RIG_GET);
		const uint64_t asked = r.s.now;
		for (int n = 0; n < 3; n++) {
			script_pass(&r.s, SCRIPT_SEC);
			script_inflight(&r.s, WIRE_EPOLL_WAIT, 3, 4 * (int64_t)SCRIPT_SEC, asked);
		}
		script_pass(&r.s, i == SOONER ? 500 * SCRIPT_MSEC : 1100 * SCRIPT_MSEC);
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .tid = i == ANOTHER ? CALLER_TID : r.s.tid, .fd = -1});
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
		rig_finish(&r);
		const char *said = rig_text(&r, 0, "phase", "response", "bound", NULL);
		printf("unseen, case %d: %s\n", i, said);
		assert_string_equal(said, i == EXITS ? "finite" : "unknown");
		rig_done(&r);
	}
}

/* A thread that waits since before anybody watched is interrupted by who watched over it, and exits itself: given up. Without such a one it says
 * nothing. */
static void test_interrupted(void **state)
{
	(void)state;
	for (int watched = 0; watched <= 1; watched++) {
		struct rig r;

		const uint64_t began = unanswered(&r);
		if (watched)
			waited_in_vain(&r, CALLER_TID, began, r.s.now, 3 * SCRIPT_SEC);
		script_pass(&r.s, SCRIPT_MSEC);
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .tid = r.s.tid, .fd = -1});
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
		rig_finish(&r);
		assert_string_equal(rig_text(&r, 0, "phase", "total", "bound", NULL), watched ? "finite" : "none");
		rig_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ticker_at_exit), cmocka_unit_test(test_caller_exits),
					   cmocka_unit_test(test_long_caller),    cmocka_unit_test(test_caller_looks),
					   cmocka_unit_test(test_unseen_end),     cmocka_unit_test(test_loop_exits),
					   cmocka_unit_test(test_interrupted),    cmocka_unit_test(test_caller_of_loop_exits),
					   cmocka_unit_test(test_half_closed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
