/*
 * Threads of a pool that wait for work for a minute, begun when an operation began: they are no watchdogs. What could be one stays
 * undecided.
 */
#include "detectors/deadline_rig.h"

#define THREAD 101U
#define MINUTE (60 * (int64_t)SCRIPT_SEC)
#define SILENCE 20 /* seconds */

static void sleeps(struct rig *r, uint32_t tid, uint64_t since)
{
	const uint32_t own = r->s.tid;

	r->s.tid = tid;
	script_inflight(&r->s, WIRE_COND_WAIT, -1, MINUTE, since);
	r->s.tid = own;
}

/* Asks, and waits in vain, while `sleepers` threads sleep that each began with the question, `newborn` of them having only just begun. */
static void asks_in_vain(struct rig *r, uint32_t sleepers, uint32_t newborn)
{
	for (uint32_t i = 0; i < newborn; i++)
		script_event(&r->s, (struct event){.id = WIRE_THREAD_START, .tid = THREAD + i, .fd = -1});
	script_write(&r->s, 5, RIG_GET);
	const uint64_t since = r->s.now;
	for (int i = 0; i < SILENCE; i++) {
		script_pass(&r->s, SCRIPT_SEC);
		script_inflight(&r->s, WIRE_EPOLL_WAIT, 3, -1, since);
		for (uint32_t t = 0; t < sleepers; t++)
			sleeps(r, THREAD + t, since);
		script_tick(&r->s);
	}
}

static void says(struct rig *r, const char *name, const char *bound)
{
	rig_finish(r);
	printf("%s: %s\n", name, rig_text(r, 0, "phase", "response", "evidence", NULL));
	assert_string_equal(rig_text(r, 0, "phase", "response", "bound", NULL), bound);
	assert_int_equal(rig_found(r, "deadline.response.missing") != NULL, !strcmp(bound, "none"));
	rig_done(r);
}

/* More new threads sleep for the same time than there are operations. */
static void test_new_threads(void **state)
{
	static const struct {
		const char *name;
		uint32_t sleepers, newborn, operations;
		const char *bound;
	} cases[] = {
		{"three new threads, one operation", 3, 3, 1, "none"},
		{"one new thread: a watchdog, perhaps", 1, 1, 1, "unknown"},
		{"three older threads: their callers, perhaps", 3, 0, 1, "unknown"},
		{"three new threads, each for an operation", 3, 3, 3, "unknown"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig r;
		start(&r);
		connect_in_loop(&r);
		for (uint32_t k = 1; k < cases[i].operations; k++) {
			connect_to(&r, 10 + (int)k);
			script_nonblock(&r.s, 10 + (int)k, true);
			script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 10 + (int)k, EPOLLIN);
			script_write(&r.s, 10 + (int)k, RIG_GET);
		}
		asks_in_vain(&r, cases[i].sleepers, cases[i].newborn);
		says(&r, cases[i].name, cases[i].bound);
	}
}

/* It slept just so before the process knew anybody; another one began to only when it did. */
static void test_slept_before(void **state)
{
	(void)state;
	for (int before = 0; before < 2; before++) {
		struct rig r;
		start(&r);
		if (!before)
			connect_to(&r, 7);
		const uint64_t since = r.s.now;
		script_pass(&r.s, 5 * SCRIPT_SEC);
		connect_in_loop(&r);
		script_event(
			&r.s,
			(struct event){
				.id = WIRE_COND_WAIT, .tid = THREAD, .fd = -1, .t0 = since, .t1 = r.s.now, .a1 = (uint64_t)MINUTE});
		asks_in_vain(&r, 1, 0);
		says(&r, before ? "slept so before there was anybody" : "slept so before, but not for the first time",
		     before ? "none" : "unknown");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_new_threads), cmocka_unit_test(test_slept_before)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
