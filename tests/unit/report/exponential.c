/*
 * Exponential histograms: every value lies in its bucket, at any scale; the scale adapts; parts add up.
 */
#include "report/exponential.h"

#include <math.h>
#include <stdlib.h>

#include "test.h"

static uint64_t total(const struct exponential *e)
{
	uint64_t n = e->zero;

	assert_true(e->n <= EXPONENTIAL_BUCKETS);
	for (uint32_t i = 0; i < e->n; i++)
		n += e->bucket[i];
	return n;
}

/* The one bucket that holds anything has bounds around the value. */
static void lies_in(const struct exponential *e, double value)
{
	for (uint32_t i = 0; i < e->n; i++) {
		if (e->bucket[i] == 0)
			continue;
		const double low = exp2(ldexp((double)(e->offset + (int32_t)i), -e->scale));
		const double high = exp2(ldexp((double)(e->offset + (int32_t)i + 1), -e->scale));
		/* the bounds themselves are rounded, too */
		assert_true(value > low * (1 - 1e-12) && value <= high * (1 + 1e-12));
	}
}

static void test_bounds(void **state)
{
	static const double values[] = {1e-9, 0.0049, 0.005, 0.3, 0.5, 0.75, 1, 1.0000001, 2, 3, 4, 1024, 1e9, 4.9e-324, 1.7e308};

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		for (int32_t scale = EXPONENTIAL_SCALE_MAX; scale >= EXPONENTIAL_SCALE_MIN; scale--) {
			struct exponential direct, lowered;

			exponential_init(&direct);
			direct.scale = scale;
			assert_true(exponential_add(&direct, values[i]));
			exponential_init(&lowered);
			exponential_add(&lowered, values[i]);
			exponential_lower(&lowered, scale);
			assert_int_equal(direct.offset, lowered.offset); /* both ways lead to one bucket */
			if (values[i] > 1e-300 && values[i] < 1e300)
				lies_in(&direct, values[i]);
		}
	}
}

/* Powers of two end their bucket: the upper bound belongs to it. */
static void test_powers(void **state)
{
	(void)state;
	for (int power = -20; power <= 20; power++) {
		struct exponential e;

		exponential_init(&e);
		e.scale = 3;
		exponential_add(&e, ldexp(1, power));
		assert_int_equal(e.offset, power * 8 - 1);
	}
}

static void test_adapts(void **state)
{
	struct exponential e;
	uint64_t added = 0;

	(void)state;
	exponential_init(&e);
	srand(7);
	for (int i = 0; i < 100000; i++) {
		added += exponential_add(&e, ldexp(1 + rand() / (double)RAND_MAX, rand() % 20 - 15));
		if (i == 0)
			assert_int_equal(e.scale, EXPONENTIAL_SCALE_MAX);
	}
	assert_int_equal(added, 100000);
	assert_int_equal(total(&e), added);
	/* twenty octaves in 160 buckets: eight each, if it has wasted none */
	assert_in_range(e.scale, 2, 3);
	exponential_add(&e, 4.9e-324);
	exponential_add(&e, 1.7e308);
	assert_int_equal(total(&e), added + 2);
	assert_true(e.scale < 0);
}

static void test_left_out(void **state)
{
	struct exponential e;

	(void)state;
	exponential_init(&e);
	assert_false(exponential_add(&e, NAN));
	assert_false(exponential_add(&e, INFINITY));
	assert_false(exponential_add(&e, -1));
	assert_int_equal(total(&e), 0);
	assert_true(exponential_add(&e, 0));
	assert_int_equal(e.zero, 1);
	assert_int_equal(e.n, 0);
}

static void test_subtract(void **state)
{
	struct exponential then, now, part;

	(void)state;
	exponential_init(&then);
	exponential_init(&part);
	for (int i = 1; i <= 50; i++)
		exponential_add(&then, 0.01 + i * 1e-5);
	exponential_add(&then, 0);
	now = then;
	for (int i = 1; i <= 30; i++) {
		exponential_add(&now, i);
		exponential_add(&part, i);
	}
	assert_true(now.scale < then.scale); /* it had to fall in between */
	exponential_lower(&part, now.scale);
	exponential_subtract(&now, &then);
	assert_int_equal(total(&now), 30);
	assert_int_equal(now.zero, 0);
	for (uint32_t i = 0; i < part.n; i++)
		assert_int_equal(now.bucket[part.offset + (int32_t)i - now.offset], part.bucket[i]);
}

TEST_MAIN(cmocka_unit_test(test_bounds), cmocka_unit_test(test_powers), cmocka_unit_test(test_adapts),
	  cmocka_unit_test(test_left_out), cmocka_unit_test(test_subtract))
