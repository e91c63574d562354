/*
 * Tests of two samples (statistics.h).
 */
#include "gate/statistics.h"

#include <math.h>

/* Of the rank sum of b, and of the correction for ties, in one walk over both samples as if they were merged. */
struct ranks {
	double b_sum, ties; /* Σ (t³ − t) over groups of equal values */
};

static struct ranks rank(const double *a, size_t a_n, const double *b, size_t b_n)
{
	struct ranks r = {0, 0};
	size_t i = 0, k = 0;

	while (i < a_n || k < b_n) {
		const double value = k == b_n || (i < a_n && a[i] <= b[k]) ? a[i] : b[k];
		const size_t before = i + k, b_before = k;

		while (i < a_n && a[i] <= value)
			i++;
		while (k < b_n && b[k] <= value)
			k++;
		const double group = (double)(i + k - before);
		r.b_sum += (double)(k - b_before) * ((double)before + (group + 1) / 2);
		r.ties += group * group * group - group;
	}
	return r;
}

double mann_whitney_above(const double *a, size_t a_n, const double *b, size_t b_n, double design_effect)
{
	const double n = (double)a_n, m = (double)b_n, all = n + m;

	if (a_n == 0 || b_n == 0)
		return 1;
	const struct ranks r = rank(a, a_n, b, b_n);
	const double u = r.b_sum - m * (m + 1) / 2, mean = n * m / 2;
	const double variance = all > 1 ? n * m / 12 * (all + 1 - r.ties / (all * (all - 1))) : 0;

	if (variance <= 0)
		return 1;
	return 0.5 * erfc((u - mean - 0.5) / sqrt(2 * variance * design_effect));
}

static double log_choose(double n, double k)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

double fisher_above(uint64_t a_errors, uint64_t a_n, uint64_t b_errors, uint64_t b_n)
{
	const uint64_t total = a_errors + b_errors, most = total < b_n ? total : b_n;
	const double errors = (double)total, n = (double)a_n, m = (double)b_n, all = log_choose(n + m, errors);
	double p = 0;

	if (a_n == 0 || b_n == 0 || b_errors == 0)
		return 1;
	for (uint64_t i = b_errors; i <= most; i++) {
		const double k = (double)i;
		const double term = total - i <= a_n ? exp(log_choose(m, k) + log_choose(n, errors - k) - all) : 0;

		p += term;
		/* Past the mode the terms only fall, and what they could still add is nothing. */
		if (term < 1e-16 && k > errors * m / (n + m))
			break;
	}
	return p < 1 ? p : 1;
}

#define Z_MOST 38.0 /* its chance is the least that a double holds */

double chance_weakened(double chance, double design_effect)
{
	double low = 0, high = Z_MOST;

	if (chance >= 0.5)
		return chance;
	while (high - low > 1e-9) {
		const double z = (low + high) / 2;

		if (0.5 * erfc(z / sqrt(2)) > chance)
			low = z;
		else
			high = z;
	}
	return 0.5 * erfc(low / sqrt(2 * design_effect));
}

double dispersion(const uint64_t *errors, const uint64_t *requests, size_t n)
{
	double all = 0, failed = 0, squares = 0, steps = 0;

	for (size_t i = 0; i < n; i++) {
		all += (double)requests[i];
		failed += (double)errors[i];
		steps += requests[i] > 0;
	}
	if (failed <= 0 || failed >= all || steps < 2)
		return 1;
	const double share = failed / all;

	for (size_t i = 0; i < n; i++) {
		const double expected = (double)requests[i] * share, off = (double)errors[i] - expected;

		squares += requests[i] > 0 ? off * off / (expected * (1 - share)) : 0;
	}
	return fmax(1, squares / (steps - 1));
}

double quantile(const double *sorted, size_t n, double q)
{
	if (n == 0)
		return 0;
	const double at = q * (double)(n - 1);
	const size_t low = (size_t)at;

	return low + 1 < n ? sorted[low] + (at - (double)low) * (sorted[low + 1] - sorted[low]) : sorted[n - 1];
}
