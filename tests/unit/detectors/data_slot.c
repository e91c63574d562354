/*
 * data_slot.c: numbers that pass a check by chance are no finding, and the report says why; real ones are, at once or in the end.
 */
#include "detectors/detectors.h"
#include "detectors/rig.h"

static void match(struct rig *r, const char *entity, uint64_t slot, uint64_t fingerprint)
{
	r->s.match_slot = slot;
	script_match(&r->s, 1, "stdout", entity, "453957••••••1486", fingerprint);
	r->s.match_slot = 0;
}

static void slot(struct rig *r, uint64_t id, uint32_t values, uint32_t passed, int64_t steps)
{
	script_event(&r->s,
		     (struct event){.id = WIRE_SLOT, .fd = -1, .a0 = id, .a1 = (uint64_t)values << 32 | passed, .ret = steps});
}

static void chance_is_no_finding(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &data_detector);
	r.s.stack = rig_stack(&r, "log_order", "shop");
	for (uint32_t i = 1; i <= 5; i++) {
		match(&r, "CREDIT_CARD", 1, i);
		slot(&r, 1, 10 * i, i, 0);
	}
	match(&r, "CREDIT_CARD", UINT64_C(9) << 32, 9); /* another place */
	rig_finish(&r);
	assert_int_equal(r.found_n, 1);
	assert_int_equal(r.found[0].count, 1);
	assert_int_equal(json_array_size(r.section), 1);
	assert_true(rig_not_exercised(
		&r, "data: 5 numbers in stdout, from log_order() in shop, could each be a card number, and are none: of 50 "
		    "different ones at that place of the line 5 pass the check, so many do by chance"));
	rig_done(&r);
}

/* The same line of the same function by another stack, and too few of it: the verdict holds there, too; that of another line does not. */
static void other_stacks_of_a_line(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &data_detector);
	match(&r, "CREDIT_CARD", UINT64_C(7) << 32 | 1, 1);
	slot(&r, UINT64_C(7) << 32 | 1, 50, 5, 0);
	match(&r, "CREDIT_CARD", UINT64_C(7) << 32 | 2, 2);
	slot(&r, UINT64_C(7) << 32 | 2, 2, 1, 0);
	match(&r, "CREDIT_CARD", UINT64_C(8) << 32 | 3, 3);
	slot(&r, UINT64_C(8) << 32 | 3, 2, 1, 0);
	rig_finish(&r);
	assert_int_equal(r.found_n, 1);
	assert_int_equal(r.found[0].count, 1);
	rig_done(&r);
}

static void a_counter_is_no_finding(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &data_detector);
	match(&r, "PHONE", 1, 1);
	slot(&r, 1, 20, 10, 18);
	rig_finish(&r);
	assert_int_equal(r.found_n, 0);
	assert_int_equal(json_array_size(r.section), 0);
	assert_true(rig_not_exercised(&r, "follows the one before by the same step"));
	rig_done(&r);
}

/* Numbers that all pass are real, even if they follow each other. */
static void real_ones_are_told_when_known(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &data_detector);
	for (uint32_t i = 1; i <= 7; i++) {
		match(&r, "CREDIT_CARD", 1, i);
		slot(&r, 1, i, i, i);
	}
	script_tick(&r.s);
	assert_int_equal(r.found_n, 0);
	match(&r, "CREDIT_CARD", 1, 8);
	slot(&r, 1, 8, 8, 7);
	script_tick(&r.s);
	assert_int_equal(r.found_n, 1);
	match(&r, "CREDIT_CARD", 1, 9);
	rig_finish(&r);
	assert_int_equal(r.found[0].count, 9);
	assert_int_equal(json_integer_value(json_object_get(r.found[0].evidence, "distinct")), 9);
	assert_int_equal(json_integer_value(json_object_get(r.found[0].evidence, "numbers_there")), 8);
	rig_done(&r);
}

static void a_rare_line_is_told_after_a_while(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &data_detector);
	match(&r, "CREDIT_CARD", 1, 1);
	slot(&r, 1, 1, 1, 0);
	for (int i = 0; i < 31; i++) {
		script_pass(&r.s, SCRIPT_SEC);
		script_tick(&r.s);
	}
	assert_int_equal(r.found_n, 1);
	rig_finish(&r);
	assert_int_equal(r.found[0].count, 1);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chance_is_no_finding),
		cmocka_unit_test(other_stacks_of_a_line),
		cmocka_unit_test(a_counter_is_no_finding),
		cmocka_unit_test(real_ones_are_told_when_known),
		cmocka_unit_test(a_rare_line_is_told_after_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
