/*
 * Threads and processes that only grow; pools and workers that have a size.
 */
#include "detectors/samples.h"

static const struct rig_finding *threads(struct rig *r, unsigned int seconds, unsigned int a_second, unsigned int max)
{
	rig_init(r, &tasks_detector);
	for (unsigned int i = 0; i < seconds; i++) {
		const unsigned int n = 2 + a_second * i;

		sample_counts(&r->s, n < max ? n : max, 9);
		sample_second(&r->s);
	}
	rig_finish(r);
	return rig_found(r, "resource.thread.growth");
}

static void test_threads(void **state)
{
	struct rig r;
	const struct rig_finding *f = threads(&r, 60, 4, 1000);

	(void)state;
	assert_non_null(f);
	assert_int_equal(f->count, 2 + 4 * 59);
	const double a_minute = json_number_value(json_object_get(f->evidence, "a_minute"));
	assert_true(a_minute > 235 && a_minute < 245);
	rig_done(&r);
	assert_null(threads(&r, 60, 4, 32)); /* a pool */
	rig_done(&r);
	assert_null(threads(&r, 60, 4, 200)); /* a large one, full after 50 s */
	rig_done(&r);
	assert_null(threads(&r, 12, 10, 1000)); /* not for long */
	rig_done(&r);
	assert_null(threads(&r, 600, 0, 32));
	rig_done(&r);
}

static const struct rig_finding *processes(struct rig *r, unsigned int seconds, unsigned int max, bool reap)
{
	rig_init(r, &tasks_detector);
	script_start(&r->s, 100, 1, "/bin/x");
	for (unsigned int i = 0; i < seconds; i++) {
		if (i < max)
			script_fork(&r->s, 1000 + i);
		if (reap && i < max)
			script_exit(&r->s, 1000 + i);
		sample_second(&r->s);
	}
	rig_finish(r);
	return rig_found(r, "resource.process.growth");
}

static void test_processes(void **state)
{
	struct rig r;

	(void)state;
	assert_non_null(processes(&r, 80, 1000, false));
	rig_done(&r);
	assert_null(processes(&r, 80, 1000, true));
	rig_done(&r);
	assert_null(processes(&r, 80, 20, false)); /* workers up to a number */
	rig_done(&r);
}

/* One zombie more each second, up to so many; what makes most of them is named. */
static const struct rig_finding *zombies(struct rig *r, unsigned int seconds, unsigned int max)
{
	rig_init(r, &tasks_detector);
	script_start(&r->s, 100, 1, "/bin/x");
	for (unsigned int i = 0; i < seconds; i++) {
		r->s.stack = rig_stack(r, i % 3 ? "spawn_job" : "spawn_other", "app");
		script_fork(&r->s, 1000 + i);
		script_exit(&r->s, 1000 + i);
		sample_counts(&r->s, 1, 9);
		if (i > 0)
			script_event(&r->s, (struct event){.id = WIRE_SAMPLE_ZOMBIES, .fd = -1, .a0 = i < max ? i : max});
		sample_second(&r->s);
	}
	rig_finish(r);
	return rig_found(r, "resource.process.growth");
}

static void test_zombies(void **state)
{
	struct rig r;
	const struct rig_finding *f = zombies(&r, 80, 1000);

	(void)state;
	assert_non_null(f);
	assert_string_equal(f->operation, "zombies");
	assert_non_null(strstr(f->message, "made by spawn_job()"));
	rig_done(&r);
	assert_null(zombies(&r, 80, 20)); /* waited for now and then */
	rig_done(&r);
}

static void test_who_makes_threads(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &tasks_detector);
	for (unsigned int i = 0; i < 80; i++) {
		for (int k = 0; k < 3; k++)
			script_event(&r.s, (struct event){.id = WIRE_THREAD_MADE,
							  .fd = -1,
							  .ret = k == 2 ? EAGAIN : 0,
							  .stack = rig_stack(&r,
									     k == 1 && i % 2 ? "serve"
									     : k == 2        ? "fail"
											     : "leak",
									     "app")});
		sample_counts(&r.s, 2 + 2 * i, 9);
		sample_second(&r.s);
	}
	rig_finish(&r);
	assert_non_null(strstr(rig_found(&r, "resource.thread.growth")->message, "made by leak()"));
	rig_done(&r);
}

TEST_MAIN(cmocka_unit_test(test_threads), cmocka_unit_test(test_processes), cmocka_unit_test(test_zombies),
	  cmocka_unit_test(test_who_makes_threads))
