/*
 * The data detector: findings per entity, sink and call site, counts and distinct values, shares read.
 */
#include "detectors/detectors.h"
#include "detectors/rig.h"

static void start(struct rig *r)
{
	rig_init(r, &data_detector);
	script_open(&r->s, 7, "/var/log/shop.log", O_WRONLY | O_APPEND);
}

static void test_counts_and_distinct(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	r.s.stack = rig_stack(&r, "log_order", "shop");
	for (uint64_t i = 0; i < 10; i++) {
		script_log(&r.s, 1, 1, 80);
		script_match(&r.s, 1, "stdout", "CREDIT_CARD", "4111 11•• •••• 1111", i % 3);
	}
	script_match(&r.s, 1, "stdout", "EMAIL", "a•••@•••.org", 7);
	rig_finish(&r);
	assert_int_equal(r.found_n, 2);
	const struct rig_finding *f = rig_found(&r, "data.log.credit_card");
	assert_non_null(f);
	assert_int_equal(f->count, 10);
	assert_int_equal(f->confidence, CONFIDENCE_OBSERVED);
	assert_int_equal(json_integer_value(json_object_get(f->evidence, "distinct")), 3);
	assert_string_equal(rig_text(&r, 0, "entity", NULL), "CREDIT_CARD");
	assert_string_equal(rig_text(&r, 0, "rule", NULL), "data.log.credit_card");
	assert_string_equal(rig_text(&r, 0, "sample", NULL), "4111 11•• •••• 1111");
	assert_true(rig_number(&r, 0, "share_read", NULL) == 1.0);
	assert_string_equal(rig_text(&r, 1, "entity", NULL), "EMAIL");
	assert_string_equal(rig_text(&r, 0, "call_site", NULL), "log_order() in shop");
	rig_done(&r);
}

/* The same entity at another call site, or in another sink, is another finding. */
static void test_sites_and_sinks(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	r.s.stack = rig_stack(&r, "a", "shop");
	script_match(&r.s, 1, "stdout", "EMAIL", "a•••@•••.org", 1);
	script_match(&r.s, 2, "stderr", "EMAIL", "a•••@•••.org", 1);
	r.s.stack = rig_stack(&r, "b", "shop");
	script_match(&r.s, 1, "stdout", "EMAIL", "a•••@•••.org", 1);
	rig_finish(&r);
	assert_int_equal(r.found_n, 3);
	assert_int_equal(json_array_size(r.section), 3);
	rig_done(&r);
}

static void test_told_on_ticks_once(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_match(&r.s, 1, "stdout", "EMAIL", "a•••@•••.org", 1);
	script_pass(&r.s, SCRIPT_SEC);
	script_tick(&r.s);
	assert_int_equal(r.found_n, 1);
	assert_int_equal(r.found[0].count, 1);
	script_pass(&r.s, SCRIPT_SEC);
	script_tick(&r.s);
	script_match(&r.s, 1, "stdout", "EMAIL", "a•••@•••.org", 2);
	rig_finish(&r);
	assert_int_equal(r.found[0].count, 2);
	rig_done(&r);
}

static void test_share_read(void **state)
{
	struct rig r;
	const struct event_sink sink = {.lines = 1, .scanned = 25, .total = 100};

	(void)state;
	start(&r);
	script_event(&r.s, (struct event){.id = WIRE_WRITE,
					  .fd = 1,
					  .flags = WIRE_F_SINK,
					  .ret = 100,
					  .data = (const uint8_t *)&sink,
					  .data_len = sizeof sink});
	script_match(&r.s, 1, "stdout", "EMAIL", "a•••@•••.org", 1);
	rig_finish(&r);
	assert_true(rig_number(&r, 0, "share_read", NULL) == 0.25);
	assert_true(rig_not_exercised(&r, "only 25.0 % was read"));
	rig_done(&r);
}

static void test_clean_and_silent(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	rig_finish(&r);
	assert_true(rig_not_exercised(&r, "no log line was seen"));
	rig_done(&r);
	start(&r);
	script_log(&r.s, 1, 1, 80);
	script_match(&r.s, 1, "stdout", "NO_SUCH_ENTITY", "x", 1);
	rig_finish(&r);
	assert_int_equal(r.found_n, 0);
	assert_false(rig_not_exercised(&r, "data:"));
	rig_done(&r);
}

static void test_log_over_the_network(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_socket_of(&r.s, 5, AF_INET, SOCK_DGRAM);
	script_match(&r.s, 5, "gelf", "EMAIL", "a•••@•••.org", 1);
	script_match(&r.s, 5, "gelf", "PASSWORD", "Tr••••", 2);
	rig_finish(&r);
	assert_non_null(rig_found(&r, "data.log.email"));
	assert_non_null(rig_found(&r, "data.log.password"));
	assert_true(rig_not_exercised(&r, "of what goes to gelf over a socket only a part is read"));
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_over_the_network), cmocka_unit_test(test_counts_and_distinct),
		cmocka_unit_test(test_sites_and_sinks),      cmocka_unit_test(test_told_on_ticks_once),
		cmocka_unit_test(test_share_read),           cmocka_unit_test(test_clean_and_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
