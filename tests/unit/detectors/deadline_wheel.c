/*
 * A timer wheel in another thread: what an event loop waits for without a limit may be bounded by it, so it is undecided. A thread that
 * sleeps and works in turn is none.
 */
#include "detectors/deadline_rig.h"

#define THREAD 101U
#define TICK_MS 100U
#define MS SCRIPT_MSEC

/* Each sleep takes a third of a millisecond longer than it was asked for; who keeps a grid sleeps a millisecond less now and then. */
static void sleeps(struct rig *r, uint32_t times, bool grid)
{
	const uint32_t own = r->s.tid;

	for (uint32_t i = 1; i <= times; i++) {
		r->s.tid = THREAD;
		script_sleep(&r->s, (grid && i % 3 == 0 ? TICK_MS - 1 : TICK_MS) * MS - 300);
		r->s.tid = own;
		script_pass(&r->s, MS / 3);
	}
}

static void test_silence(void **state)
{
	static const struct {
		const char *name;
		bool grid;
		const char *bound;
	} cases[] = {{"a wheel", true, "unknown"}, {"a heartbeat", false, "none"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig r;
		start(&r);
		connect_in_loop(&r);
		script_write(&r.s, 5, RIG_GET);
		const uint64_t since = r.s.now;
		for (int s = 0; s < 20; s++) {
			sleeps(&r, 10, cases[i].grid);
			script_inflight(&r.s, WIRE_EPOLL_WAIT, 3, -1, since);
			script_tick(&r.s);
		}
		rig_finish(&r);
		printf("%s: %s\n", cases[i].name, rig_text(&r, 0, "phase", "response", "evidence", NULL));
		assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), cases[i].bound);
		assert_int_equal(strstr(rig_text(&r, 0, "phase", "response", "evidence", NULL), "clock ticks") != NULL,
				 cases[i].grid);
		rig_done(&r);
	}
}

/* The answer came before enough was seen of the wheel. */
static void test_quick_answer(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	connect_in_loop(&r);
	sleeps(&r, 3, true);
	script_write(&r.s, 5, RIG_GET);
	script_pass(&r.s, SCRIPT_SEC / 10);
	script_epoll_wait(&r.s, 3, -1, 5, EPOLLIN);
	script_read(&r.s, 5, RIG_200);
	sleeps(&r, 20, true);
	script_tick(&r.s);
	rig_finish(&r);
	assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), "unknown");
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_silence), cmocka_unit_test(test_quick_answer)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
