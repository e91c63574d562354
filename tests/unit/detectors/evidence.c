/*
 * Numbers, durations and call sites as reports show them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detectors/evidence.h"

static double taken(json_t *number)
{
	double v = json_real_value(number);

	json_decref(number);
	return v;
}

static void test_rounding(void **state)
{
	(void)state;
	assert_true(taken(evidence_number(0.12345)) == 0.123);
	assert_true(taken(evidence_number(0.1235)) == 0.124);
	assert_true(taken(evidence_number(-0.1236)) == -0.124);
	assert_true(taken(evidence_number(1e20)) == 1e20);
	assert_true(taken(evidence_seconds(3 * NS_PER_S + 499999)) == 3.0);
	assert_true(taken(evidence_seconds(3 * NS_PER_S + 500000)) == 3.001);
	assert_int_equal(evidence_option_ns(0.06), 60 * NS_PER_MS);
}

static void test_durations(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(evidence_duration(41 * NS_PER_MS, buf, sizeof buf), "41 ms");
	assert_string_equal(evidence_duration(12400 * NS_PER_MS, buf, sizeof buf), "12.4 s");
}

static void test_sites(void **state)
{
	struct stacks *s = stacks_new();
	const struct frame a = {.function = "charge", .module = "shop", .file = "pay.c", .line = 8};
	const struct frame a_later = {.function = "charge", .module = "shop", .file = "pay.c", .line = 9};
	const struct frame b = {.function = "refund", .module = "shop"};
	const struct frame bare = {.module = "shop", .offset = 16}, bare2 = {.module = "shop", .offset = 32};
	char buf[SITE_TEXT_SIZE];

	(void)state;
	assert_non_null(s);
	uint32_t ia = stacks_add(s, &a, 1), ia2 = stacks_add(s, &a_later, 1), ib = stacks_add(s, &b, 1);
	assert_int_equal(evidence_site_hash(s, ia), evidence_site_hash(s, ia2));
	assert_int_not_equal(evidence_site_hash(s, ia), evidence_site_hash(s, ib));
	assert_int_not_equal(evidence_site_hash(s, stacks_add(s, &bare, 1)), evidence_site_hash(s, stacks_add(s, &bare2, 1)));
	assert_int_equal(evidence_site_hash(s, 0), 0);
	assert_string_equal(evidence_site(s, ia, buf, sizeof buf), "charge() at pay.c:8");
	assert_string_equal(evidence_site(s, 0, buf, sizeof buf), "unknown");
	stacks_free(s);
}

static void test_hash_chains(void **state)
{
	uint64_t whole = evidence_hash(EVIDENCE_HASH_SEED, "abcd", 4);

	(void)state;
	assert_int_equal(evidence_hash(evidence_hash(EVIDENCE_HASH_SEED, "ab", 2), "cd", 2), whole);
	assert_int_not_equal(evidence_hash(EVIDENCE_HASH_SEED, "abce", 4), whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_sites),
		cmocka_unit_test(test_hash_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
