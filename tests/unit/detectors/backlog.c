/*
 * Backlogs: what the kernel dropped while it was watched, and nothing else.
 */
#include "detectors/samples.h"

#define RULE "resource.backlog.overflow"

static void look(struct rig *r, int fd, uint64_t queue, uint64_t drops)
{
	sample_socket(&r->s, fd, SAMPLE_LISTEN,
		      (struct sample_socket){.queue = queue, .queue_max = 5, .drops = drops, .port = 8080});
	sample_second(&r->s);
}

static void test_drops(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &backlog_detector);
	r.s.stack = 0;
	script_listen(&r.s, 3, 8080);
	look(&r, 3, 5, 0);
	look(&r, 3, 6, 0); /* full is not yet too full */
	assert_int_equal(r.found_n, 0);
	look(&r, 3, 6, 7);
	look(&r, 3, 0, 7);
	look(&r, 3, 0, 9);
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
	look(&r, 3, 0, 7); /* a listener nobody told us of */
	look(&r, 3, 0, 7);
	look(&r, 4, 0, SAMPLE_UNKNOWN);
	look(&r, 4, 0, SAMPLE_UNKNOWN);
	assert_int_equal(r.found_n, 0);
	look(&r, 3, 0, 8);
	rig_finish(&r);
	assert_int_equal(rig_found(&r, RULE)->count, 1);
	rig_done(&r);
}

TEST_MAIN(cmocka_unit_test(test_drops), cmocka_unit_test(test_before))
