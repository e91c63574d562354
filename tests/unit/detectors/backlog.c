/*
 * Backlogs: what the kernel dropped while it was watched, and nothing else.
 */
#include "detectors/samples.h"

#define RULE "resource.backlog.overflow"

/* `overflows` and `others` are of all listeners of the host: times that a queue was full, and drops of the others. */
static void look_with(struct rig *r, uint64_t queue, uint64_t drops, uint64_t overflows, uint64_t others)
{
	sample_socket(&r->s, 3, SAMPLE_LISTEN,
		      (struct sample_socket){.queue = queue,
					     .queue_max = 5,
					     .drops = drops,
					     .port = 8080,
					     .net_overflows = overflows,
					     .net_drops = overflows == SAMPLE_UNKNOWN ? SAMPLE_UNKNOWN : drops + others});
	sample_second(&r->s);
}

static void look(struct rig *r, uint64_t queue, uint64_t drops)
{
	look_with(r, queue, drops, drops, 0);
}

static void test_drops(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &backlog_detector);
	r.s.stack = 0;
	script_listen(&r.s, 3, 8080);
	look(&r, 5, 0);
	look(&r, 6, 0); /* full is not yet too full */
	assert_int_equal(r.found_n, 0);
	look(&r, 6, 7);
	look(&r, 0, 7);
	look(&r, 0, 9);
	look(&r, 0, 9);
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, RULE);
	assert_non_null(f);
	assert_int_equal(f->count, 9);
	assert_string_equal(f->key, "port 8080");
	assert_int_equal(json_integer_value(json_object_get(f->evidence, "longest_queue_sampled")), 6);
	rig_done(&r);
}

/* What was dropped before we came is not of this session; and where the kernel does not say, nothing is known. */
static void test_before(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &backlog_detector);
	look(&r, 0, 7); /* a listener nobody told us of */
	look(&r, 0, 7);
	look(&r, 0, SAMPLE_UNKNOWN);
	assert_int_equal(r.found_n, 0);
	look(&r, 0, 8);
	look(&r, 0, 8);
	rig_finish(&r);
	assert_int_equal(rig_found(&r, RULE)->count, 1);
	rig_done(&r);
}

/* What is dropped for each connection, as TCP_DEFER_ACCEPT does it, is nothing: no queue is full, or that of another listener of the host. */
static void test_other_drops(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &backlog_detector);
	script_listen(&r.s, 3, 8080);
	for (uint64_t i = 1; i <= 20; i++)
		look_with(&r, 1, 50 * i, 0, 0);
	for (uint64_t i = 1; i <= 20; i++)
		look_with(&r, 1, 1000 + 50 * i, 10 * i, 12 * i);
	look_with(&r, 1, 2050, 210, 0); /* the other is gone */
	look_with(&r, 1, 2050, 210, 0);
	look_with(&r, 1, 2060, 212, 0);
	look_with(&r, 1, 2060, 212, 2); /* and was seen only now */
	look_with(&r, 1, 2070, 213, 2);
	look_with(&r, 1, 2080, 213, 3); /* the same, with drops of ours between */
	look_with(&r, 1, 2090, 213, 3);
	look_with(&r, 1, 2090, 213, 3);
	assert_int_equal(r.found_n, 0);
	look_with(&r, 6, 2100, 217, 9); /* it is full, too */
	rig_finish(&r);
	assert_int_equal(rig_found(&r, RULE)->count, 4);
	rig_done(&r);
}

/* A queue that is empty again by the time of the look: nobody else dropped anything, so it was this one. */
static void test_not_seen_full(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &backlog_detector);
	script_listen(&r.s, 3, 8080);
	look_with(&r, 0, 0, 0, 4);
	look_with(&r, 0, 5, 5, 4);
	assert_int_equal(r.found_n, 0);
	look_with(&r, 0, 5, 7, 4); /* the drop of an overflow may show at the next look only */
	look_with(&r, 0, 7, 7, 4);
	look_with(&r, 0, 8, 7, 4);
	look_with(&r, 0, 8, 7, 4);
	rig_finish(&r);
	assert_int_equal(rig_found(&r, RULE)->count, 7);
	rig_done(&r);
}

/* A recording of before overflows were told: only a queue that was seen full. */
static void test_unknown(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &backlog_detector);
	script_listen(&r.s, 3, 8080);
	look_with(&r, 1, 7, SAMPLE_UNKNOWN, 0);
	assert_int_equal(r.found_n, 0);
	look_with(&r, 6, 9, SAMPLE_UNKNOWN, 0);
	rig_finish(&r);
	assert_int_equal(rig_found(&r, RULE)->count, 2);
	rig_done(&r);
}

TEST_MAIN(cmocka_unit_test(test_drops), cmocka_unit_test(test_before), cmocka_unit_test(test_other_drops),
	  cmocka_unit_test(test_not_seen_full), cmocka_unit_test(test_unknown))
