/*
 * Counting distinct values: exact while few, close when many, and independent of repeats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "detectors/distinct.h"

static void test_exact(void **state)
{
	struct distinct d = {0};

	(void)state;
	assert_int_equal(distinct_count(&d), 0);
	for (uint64_t i = 0; i < 10 * DISTINCT_EXACT_MAX; i++)
		distinct_add(&d, i % DISTINCT_EXACT_MAX);
	assert_int_equal(distinct_count(&d), DISTINCT_EXACT_MAX);
	assert_false(d.estimated);
}

static void test_estimate(void **state)
{
	static const uint64_t sizes[] = {65, 500, 3000, 10000, 1000000};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct distinct *d = calloc(1, sizeof *d);
		assert_non_null(d);
		for (int repeat = 0; repeat < 2; repeat++) {
			for (uint64_t v = 0; v < sizes[i]; v++)
				distinct_add(d, v * 3);
		}
		assert_true(d->estimated);
		double off = (double)distinct_count(d) / (double)sizes[i];
		assert_true(off > 0.90 && off < 1.10); /* three standard errors */
		free(d);
	}
}

static void test_merge(void **state)
{
	struct distinct a = {0}, b = {0};

	(void)state;
	for (uint64_t i = 0; i < 40; i++) {
		distinct_add(&a, i);
		distinct_add(&b, i + 20);
	}
	distinct_merge(&a, &b);
	assert_false(a.estimated);
	assert_int_equal(distinct_count(&a), 60);
	for (uint64_t i = 0; i < 3000; i++)
		distinct_add(&b, i);
	distinct_merge(&a, &b);
	assert_true(a.estimated);
	assert_int_equal(distinct_count(&a), distinct_count(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_exact), cmocka_unit_test(test_estimate),
					   cmocka_unit_test(test_merge)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
