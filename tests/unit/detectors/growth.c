/*
 * growth.c: what grows steadily, and what only looks like it.
 */
#include "detectors/growth.h"

#include <math.h>
#include <stdlib.h>

#include "test.h"

#define S 1000000000ULL

typedef double (*shape_fn)(unsigned int second);

static bool steady(shape_fn shape, unsigned int seconds, struct growth_trend *ret)
{
	struct growth g = {0};

	for (unsigned int i = 0; i < seconds; i++)
		growth_add(&g, 100 * S + i * S, shape(i));
	return growth_steady(&g, 10, 12, ret);
}

static double line(unsigned int s)
{
	return 5 + 2.0 * s;
}

/* Comes and goes by much more than it grows, but its lows rise. */
static double saw(unsigned int s)
{
	return 5 + 2.0 * s + (s % 2 ? 40 : 0);
}

static double pool(unsigned int s)
{
	return s < 40 ? 5 + s : 45;
}

static double settles(unsigned int s)
{
	return 100 - 100 * exp(-(double)s / 15);
}

static double flat(unsigned int s)
{
	return 50 + (double)(s * 7919 % 31);
}

static double step(unsigned int s)
{
	return s < 30 ? 10 : 60;
}

static double late(unsigned int s)
{
	return s < 30 ? 10 : 10 + 3.0 * (s - 30);
}

static double falls(unsigned int s)
{
	return s < 50 ? 5 + 2.0 * s : 10;
}

static void test_grows(void **state)
{
	struct growth_trend t;

	(void)state;
	assert_true(steady(line, 60, &t));
	assert_true(t.per_s > 1.99 && t.per_s < 2.01);
	assert_true(t.low_per_s <= t.per_s && t.per_s <= t.high_per_s);
	assert_true(steady(late, 70, &t));
	assert_true(t.per_s > 2.9 && t.per_s < 3.1);
}

/* An hour: marks widen until each holds a low of the saw, and the slope stays what it is. */
static void test_long(void **state)
{
	struct growth_trend t;

	(void)state;
	assert_true(steady(saw, 3600, &t));
	assert_true(t.per_s > 1.9 && t.per_s < 2.1);
	assert_true(t.marks <= GROWTH_MARKS && t.seconds > 1000);
}

static void test_does_not(void **state)
{
	static const shape_fn shapes[] = {pool, settles, flat, step, falls};
	struct growth_trend t;

	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		for (unsigned int seconds = 55; seconds <= 400; seconds += 5)
			if (steady(shapes[i], seconds, &t))
				fail_msg("shape %zu grows by %g from %g to %g after %u s", i, t.per_s, t.from, t.to, seconds);
}

/* A cache that fills takes less and less for each request; a leak takes the same, though the load falls. */
static void test_work(void **state)
{
	struct growth cache = {0}, leak = {0}, timer = {0};
	struct growth_trend t;
	double requests = 0;

	(void)state;
	for (unsigned int i = 0; i < 400; i++) {
		growth_add_work(&cache, i * S, 20000 * (1 - exp(-(double)i / 400)), i * 50.0);
		growth_add_work(&leak, i * S, requests * 7, requests);
		growth_add_work(&timer, i * S, i * 7.0, i * (double)i);
		requests += 1000 - i * 1.5;
		if (i > 300) {
			assert_false(growth_steady(&cache, 10, 12, &t));
			assert_true(growth_steady(&leak, 10, 12, &t));
			assert_true(growth_steady(&timer, 10, 12, &t));
		}
	}
}

static void test_too_little(void **state)
{
	struct growth_trend t;

	(void)state;
	assert_false(steady(line, 0, &t));
	assert_false(steady(line, 9, &t)); /* the start does not count */
	struct growth g = {0};
	for (unsigned int i = 0; i < 60; i++) /* too little in all */
		growth_add(&g, i * S, (double)i / 10);
	assert_false(growth_steady(&g, 10, 12, &t));
}

static void test_spread(void **state)
{
	uint64_t even[40], start[40], gap[40];

	(void)state;
	for (unsigned int i = 0; i < 40; i++) {
		even[i] = i * S;
		start[i] = i == 39 ? 39 * S : i * S / 10;
		gap[i] = i < 20 ? i * S : i * S + 60 * S;
	}
	assert_true(growth_spread(even, 40, 0, even[39]));
	assert_false(growth_spread(start, 40, 0, start[39]));
	assert_false(growth_spread(gap, 40, 0, gap[39]));
	assert_false(growth_spread(even, 40, S, S));
	assert_false(growth_spread(NULL, 0, 0, S));
}

TEST_MAIN(cmocka_unit_test(test_grows), cmocka_unit_test(test_long), cmocka_unit_test(test_does_not), cmocka_unit_test(test_work),
	  cmocka_unit_test(test_too_little), cmocka_unit_test(test_spread))
