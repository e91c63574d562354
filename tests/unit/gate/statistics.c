/* The tests of two samples, beside what counting every arrangement gives. */
#include "gate/statistics.h"

#include <math.h>

#include "test.h"

/* Of the pairs of a value in the set and one that is not, how many the set's wins: a tie is half of one. */
static double pairs_won(const double *all, unsigned int n, unsigned int set)
{
	double u = 0;

	for (unsigned int i = 0; i < n; i++)
		for (unsigned int k = 0; k < n; k++)
			if ((set >> i & 1) && !(set >> k & 1))
				u += all[i] > all[k] ? 1 : all[i] < all[k] ? 0 : 0.5;
	return u;
}

/* All ways to choose which m of the n+m values are b's: how many have a rank sum (ties by half) at least as high? */
static double exact_above(const double *all, unsigned int n, unsigned int chosen)
{
	const unsigned int m = (unsigned int)__builtin_popcount(chosen);
	const double observed = pairs_won(all, n, chosen);
	unsigned int above = 0, ways = 0;

	for (unsigned int set = 0; set < 1U << n; set++) {
		if ((unsigned int)__builtin_popcount(set) != m)
			continue;
		ways++;
		above += pairs_won(all, n, set) >= observed;
	}
	return (double)above / ways;
}

static void near_the_exact_test(void **state)
{
	static const double all[14] = {1, 2, 3, 4, 5, 6, 7, 7, 7, 10, 11, 12, 13, 14};
	static const unsigned int sets[] = {0x3f80, 0x2aaa, 0x1f07, 0x007f, 0x3e18};
	(void)state;

	for (size_t s = 0; s < sizeof(sets) / sizeof(*sets); s++) {
		double a[14], b[14];
		size_t a_n = 0, b_n = 0;
		for (unsigned int i = 0; i < 14; i++)
			*(sets[s] >> i & 1 ? &b[b_n++] : &a[a_n++]) = all[i];
		const double exact = exact_above(all, 14, sets[s]), p = mann_whitney_above(a, a_n, b, b_n, 1);
		assert_true(fabs(p - exact) < 0.02);
	}
}

static void equal_samples_are_not_above(void **state)
{
	const double a[4] = {1, 1, 1, 1};
	(void)state;

	assert_true(mann_whitney_above(a, 4, a, 4, 1) == 1);
	assert_true(mann_whitney_above(a, 0, a, 4, 1) == 1);
	assert_true(mann_whitney_above(a, 4, a, 0, 1) == 1);
}

/* Half as many standard deviations with a design effect of 4: as sure as a quarter of independent values. */
static void values_that_hang_together_say_less(void **state)
{
	double a[64], b[64];
	(void)state;

	for (unsigned int i = 0; i < 64; i++) {
		a[i] = i;
		b[i] = i + 14.0;
	}
	const double alone = mann_whitney_above(a, 64, b, 64, 1), together = mann_whitney_above(a, 64, b, 64, 4);
	assert_true(alone < 0.001 && together > 0.01 && together < 0.5);
	for (unsigned int i = 0; i < 32; i++)
		b[i] = 1000 + i;
	assert_true(mann_whitney_above(a, 32, b, 32, 4) < 0.001);
}

static double choose(unsigned int n, unsigned int k)
{
	double c = 1;

	for (unsigned int i = 0; i < k; i++)
		c = c * (n - i) / (i + 1);
	return c;
}

static void fisher_is_exact(void **state)
{
	(void)state;
	for (unsigned int a = 0; a <= 6; a++)
		for (unsigned int b = 1; b <= 8; b++) {
			double p = 0;
			for (unsigned int k = b; k <= 8 && k <= a + b; k++)
				if (a + b - k <= 6)
					p += choose(8, k) * choose(6, a + b - k) / choose(14, a + b);
			assert_true(fabs(fisher_above(a, 6, b, 8) - p) < 1e-9);
		}
	assert_true(fisher_above(0, 10, 0, 10) == 1);
	assert_true(fisher_above(0, 0, 3, 10) == 1);
	/* large numbers end, and are sure */
	assert_true(fisher_above(1000, 1000000, 20000, 1000000) < 1e-9);
	assert_true(fisher_above(20000, 1000000, 1000, 1000000) > 0.999);
}

static void chances_of_errors_that_hang_together(void **state)
{
	static const uint64_t requests[4] = {100, 100, 100, 100}, even[4] = {5, 5, 5, 5}, burst[4] = {20, 0, 0, 0}, none[4] = {0};
	static const uint64_t pause[4] = {200, 0, 0, 200}, of_pause[4] = {10, 0, 0, 10};
	(void)state;

	assert_true(fabs(chance_weakened(0.01, 1) - 0.01) < 1e-6);
	/* 4 standard deviations are 2 */
	assert_true(fabs(chance_weakened(0.5 * erfc(4 / sqrt(2)), 4) - 0.5 * erfc(2 / sqrt(2))) < 1e-6);
	assert_true(chance_weakened(0.7, 4) == 0.7 && chance_weakened(0, 4) < 1e-9);
	assert_true(dispersion(even, requests, 4) == 1 && dispersion(none, requests, 4) == 1 &&
		    dispersion(requests, requests, 4) == 1);
	/* Σ (e − 5)² / (5 · 0.95) over 3 */
	assert_true(fabs(dispersion(burst, requests, 4) - (15 * 15 + 3 * 5 * 5) / (5 * 0.95) / 3) < 1e-9);
	assert_true(dispersion(of_pause, pause, 4) == 1 && dispersion(burst, requests, 1) == 1);
}

static void quantiles(void **state)
{
	const double a[5] = {1, 2, 3, 4, 10};
	(void)state;

	assert_true(quantile(a, 5, 0.5) == 3);
	assert_true(quantile(a, 5, 0) == 1 && quantile(a, 5, 1) == 10);
	assert_true(fabs(quantile(a, 5, 0.875) - 7) < 1e-9);
	assert_true(quantile(a, 0, 0.5) == 0);
}

TEST_MAIN(cmocka_unit_test(near_the_exact_test), cmocka_unit_test(equal_samples_are_not_above),
	  cmocka_unit_test(values_that_hang_together_say_less), cmocka_unit_test(fisher_is_exact),
	  cmocka_unit_test(chances_of_errors_that_hang_together), cmocka_unit_test(quantiles))
