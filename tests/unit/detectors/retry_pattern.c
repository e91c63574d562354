/*
 * Patterns inside one sequence: rounds inside of rounds, and delays that are drawn at random against those that are fixed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detectors/retry_shape.h"

#define MS 1000000ULL
#define NONE_BELOW (60 * MS)

struct gaps {
	size_t n;
	uint64_t ns[SHAPE_GAPS_MAX + 8];
};

static struct gaps of_ms(size_t n, const uint64_t *ms)
{
	struct gaps g = {.n = n};

	for (size_t i = 0; i < n; i++)
		g.ns[i] = ms[i] * MS;
	return g;
}
#define GAPS(...) of_ms(sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (const uint64_t[]){__VA_ARGS__})

static uint32_t nested(struct gaps g)
{
	return shape_nested(g.ns, g.n);
}

static enum jitter jitter(struct gaps g)
{
	return shape_jitter_within(g.ns, g.n, NONE_BELOW);
}

static void test_nested(void **state)
{
	(void)state;
	assert_int_equal(nested(GAPS(0, 200, 400, 300, 0, 200, 400, 300, 0, 200, 400)), 4);   /* 3 x 4 */
	assert_int_equal(nested(GAPS(3, 204, 411, 306, 8, 203, 404)), 4);                     /* 2 x 4 */
	assert_int_equal(nested(GAPS(100, 1000, 100, 1000, 100)), 2);                         /* 3 x 2 */
	assert_int_equal(nested(GAPS(0, 200, 400, 300, 0, 200)), 0);                          /* too few places agree */
	assert_int_equal(nested(GAPS(0, 200, 400, 900, 0, 200, 400, 300, 0, 200, 400)), 4);   /* one of them held up */
	assert_int_equal(nested(GAPS(0, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000)), 0); /* first at once */
	assert_int_equal(nested(GAPS(1000, 1001, 1000, 1002, 1000, 1001)), 0);                /* constant */
	assert_int_equal(nested(GAPS(0, 9, 0, 9, 0, 9, 0)), 0);                               /* scheduling */
	assert_int_equal(nested(GAPS(100, 200, 400, 800, 1600)), 0);
	assert_int_equal(nested(GAPS(100, 200, 400, 800, 1600, 1600, 1600)), 0);
	assert_int_equal(shape_nested(NULL, 0), 0);
}

static void test_rounds(void **state)
{
	struct gaps g = GAPS(70, 150, 370, 700, 82, 190, 420, 700, 60, 200, 390, 700, 90, 160, 350);

	(void)state;
	assert_int_equal(shape_rounds(g.ns, g.n), 4); /* 4 calls of 4, drawn delays, pauses of 700 */
	g = GAPS(100, 200, 800, 100, 100, 210, 790, 110, 90, 220, 810, 100, 100, 200);
	assert_int_equal(shape_rounds(g.ns, g.n), 4); /* the pause is shorter than the last delay */
	g = GAPS(100, 200, 400, 800, 1600, 1600, 1600, 1600);
	assert_int_equal(shape_rounds(g.ns, g.n), 0); /* one call */
	g = GAPS(300, 70, 500, 400, 120, 480, 90, 350, 60, 410, 200, 80);
	assert_int_equal(shape_rounds(g.ns, g.n), 0); /* drops where chance has them */
	g = GAPS(9, 1, 9, 1, 9, 1, 9, 1);
	assert_int_equal(shape_rounds(g.ns, g.n), 0); /* scheduling */
	assert_int_equal(shape_rounds(NULL, 0), 0);
}

static void test_fixed(void **state)
{
	(void)state;
	assert_int_equal(jitter(GAPS(1000, 1002, 1003, 1001, 1004, 1000)), JITTER_NO);
	assert_int_equal(jitter(GAPS(5, 5, 5, 5, 5, 5, 5)), JITTER_UNKNOWN);                   /* no delay at all */
	assert_int_equal(jitter(GAPS(1000, 1002, 1003, 1001, 1004)), JITTER_UNKNOWN);          /* never from fewer than six */
	assert_int_equal(jitter(GAPS(1000, 1400, 1003, 1001, 1900, 1000, 1002)), JITTER_NO);   /* noise lengthens two of them */
	assert_int_equal(jitter(GAPS(100, 200, 400, 800, 1600, 1601, 1604, 1600)), JITTER_NO); /* a cap */
	assert_int_equal(jitter(GAPS(100, 201, 402, 806, 1609, 3212)), JITTER_NO);             /* doubling */
	assert_int_equal(jitter(GAPS(203, 404, 604, 803, 1003, 1203, 1404)), JITTER_NO);       /* linear */
	assert_int_equal(jitter(GAPS(0, 100, 201, 402, 806, 1609, 3212)), JITTER_NO);          /* the first one at once */
}

static void test_random(void **state)
{
	(void)state;
	assert_int_equal(jitter(GAPS(819, 1746, 3762, 2336, 1425, 3725, 711)), JITTER_YES);
	assert_int_equal(jitter(GAPS(18, 45, 77, 223, 173, 69, 637, 1005, 806, 253)), JITTER_YES);
	assert_int_equal(jitter(GAPS(0, 200, 400, 300, 0, 200, 400, 300, 0, 200, 400)), JITTER_UNKNOWN); /* nested */
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Long sequences are cut, whatever they hold; and a full random draw is seen in most of the cases, a fixed delay in all of them. */
static void test_many(void **state)
{
	uint64_t seed = 88172645463325252ULL;
	unsigned int random = 0;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		struct gaps fixed = {.n = SHAPE_GAPS_MAX + 8}, drawn = fixed;
		for (size_t i = 0; i < fixed.n; i++) {
			fixed.ns[i] = 500 * MS + next_random(&seed) % (10 * MS);
			drawn.ns[i] = 100 * MS + next_random(&seed) % (900 * MS);
		}
		assert_int_equal(jitter(fixed), JITTER_NO);
		assert_int_not_equal(jitter(drawn), JITTER_NO);
		assert_int_equal(nested(drawn), 0);
		random += jitter(drawn) == JITTER_YES;
	}
	assert_in_range(random, 990, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested), cmocka_unit_test(test_rounds), cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_random), cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
