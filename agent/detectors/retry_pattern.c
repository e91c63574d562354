/*
 * Patterns inside one sequence of gaps: retries inside of retries, and whether delays are drawn at random. Pure functions.
 *
 * Noise only lengthens gaps, so fixed delays are recognised by their short half, and random ones by short gaps after long ones.
 */
#include "detectors/retry_shape.h"

#define SAME_SPREAD 0.12          /* of gaps at the same place of two rounds */
#define SAME_SLACK_NS 8000000ULL  /* and what scheduling adds to short ones */
#define SAME_LONGER_DIV 9U        /* one in so many may be longer */
#define SAME_PAIRS_MIN 3U         /* places that have to agree */
#define UNEVEN_RATIO 2U           /* longest over shortest gap of a round: else it is a plain constant */
#define UNEVEN_MIN_NS 20000000ULL /* and the difference that scheduling does not make */
#define WITHIN_GAPS_MIN 6U        /* gaps below which nothing is said of jitter */
#define FIXED_SPREAD 0.05         /* (median - min) / min of fixed delays */
#define RANDOM_SPREAD 0.20        /* and of random ones */
#define FIXED_RANGE 0.08          /* (max - min) / min of growth factors, and of the steps of linear growth */
#define DROP 0.80                 /* a gap below this share of the one before it */
#define DROPS_MIN 2U
#define CAP_NEAR 0.80
#define RESTART 0.60 /* a gap below this share of the one before it begins a round */
#define RESTART_NEAR 1.5
#define RESTARTS_MIN 3U
#define ROUND_MIN 3U /* attempts of a round */

static bool same(uint64_t gap, uint64_t least)
{
	return (double)(gap - least) <= SAME_SPREAD * (double)gap + (double)SAME_SLACK_NS;
}

struct round {
	uint64_t min, max; /* of the gaps that are the same in all rounds */
	size_t longer;     /* gaps that differ from the shortest one at their place */
};

static struct round round_of(const uint64_t *gaps, size_t n, size_t period)
{
	struct round round = {.min = UINT64_MAX};

	for (size_t place = 0; place < period; place++) {
		uint64_t least = UINT64_MAX;
		size_t longer = 0;
		for (size_t i = place; i < n; i += period)
			least = gaps[i] < least ? gaps[i] : least;
		for (size_t i = place; i < n; i += period)
			longer += !same(gaps[i], least);
		round.longer += longer;
		if (longer)
			continue;
		round.min = least < round.min ? least : round.min;
		round.max = least > round.max ? least : round.max;
	}
	return round;
}

static void range_of(const uint64_t *gaps, size_t n, uint64_t *ret_min, uint64_t *ret_max)
{
	*ret_min = UINT64_MAX;
	*ret_max = 0;
	for (size_t i = 0; i < n; i++) {
		*ret_min = gaps[i] < *ret_min ? gaps[i] : *ret_min;
		*ret_max = gaps[i] > *ret_max ? gaps[i] : *ret_max;
	}
}

uint32_t shape_nested(const uint64_t *gaps, size_t n)
{
	if (n > SHAPE_GAPS_MAX)
		n = SHAPE_GAPS_MAX;
	for (size_t period = 2; period + SAME_PAIRS_MIN <= n && 2 * period <= n + 1; period++) {
		const struct round round = round_of(gaps, n, period);
		if (round.longer > n / SAME_LONGER_DIV)
			continue;
		return round.max >= UNEVEN_RATIO * round.min && round.max - round.min >= UNEVEN_MIN_NS ? (uint32_t)period : 0;
	}
	return 0;
}

uint32_t shape_rounds(const uint64_t *gaps, size_t n)
{
	size_t first = 0, last = 0, period = 0, restarts = 0;

	if (n > SHAPE_GAPS_MAX)
		n = SHAPE_GAPS_MAX;
	for (size_t i = 1; i < n; i++) {
		if ((double)gaps[i] >= RESTART * (double)gaps[i - 1] || gaps[i - 1] - gaps[i] < UNEVEN_MIN_NS)
			continue;
		if (restarts == 0)
			first = i;
		else if (restarts == 1)
			period = i - last;
		else if (i - last != period)
			return 0;
		last = i;
		restarts++;
	}
	/* The pause between two rounds may be longer than the last delay of a round, or shorter. */
	bool even = first == period || first + 1 == period;
	return restarts >= RESTARTS_MIN && period >= ROUND_MIN && even && n - last <= period ? (uint32_t)period : 0;
}

bool shape_restarts(const uint64_t *gaps, size_t n)
{
	for (size_t i = n / 2; n > 4 && i < n; i++) {
		if ((double)gaps[i] <= RESTART_NEAR * (double)(gaps[0] > gaps[1] ? gaps[0] : gaps[1]))
			return true;
	}
	return false;
}

/* How far the short half of some values lies apart. */
static double spread_of(const uint64_t *values, size_t n)
{
	uint64_t min, max;

	range_of(values, n, &min, &max);
	return (double)(shape_median(values, n) - min) / (double)(min ? min : 1);
}

static bool range_is_small(const uint64_t *values, size_t n)
{
	uint64_t min, max;

	range_of(values, n, &min, &max);
	return (double)(max - min) < FIXED_RANGE * (double)min;
}

/* Growth by a fixed factor (per mille) or a fixed step, up to the cap. */
static bool grows_evenly(const uint64_t *gaps, size_t n, size_t grown)
{
	uint64_t ratios[SHAPE_GAPS_MAX], steps[SHAPE_GAPS_MAX];
	size_t k = 0;

	for (size_t i = 0; i + 1 < grown; i++) {
		bool into_cap = i + 2 == grown && grown < n;
		if (gaps[i + 1] <= gaps[i])
			return false;
		if (into_cap)
			continue;
		ratios[k] = gaps[i + 1] * 1000 / (gaps[i] ? gaps[i] : 1);
		steps[k++] = gaps[i + 1] - gaps[i];
	}
	return k >= 3 && (range_is_small(ratios, k) || range_is_small(steps, k));
}

enum jitter shape_jitter_within(const uint64_t *gaps, size_t n, uint64_t none_below_ns)
{
	uint64_t min, max;
	size_t grown = 0, drops = 0;

	if (n > SHAPE_GAPS_MAX)
		n = SHAPE_GAPS_MAX;
	if (n && gaps[0] < none_below_ns) { /* a first immediate retry says nothing of the rest */
		gaps++;
		n--;
	}
	if (n < WITHIN_GAPS_MIN || shape_median(gaps, n) < none_below_ns || shape_nested(gaps, n))
		return JITTER_UNKNOWN; /* what is not delayed has no jitter either */
	range_of(gaps, n, &min, &max);
	while (grown < n && (double)gaps[grown] < CAP_NEAR * (double)max)
		grown++;
	bool capped = n - grown >= WITHIN_GAPS_MIN - 2 && 2 * (n - grown) >= n;
	if (spread_of(gaps, n) < FIXED_SPREAD || (capped && spread_of(gaps + grown, n - grown) < FIXED_SPREAD))
		return JITTER_NO;
	if (grows_evenly(gaps, n, grown < n ? grown + 1 : n))
		return JITTER_NO;
	for (size_t i = 0; i + 1 < n; i++)
		drops += (double)gaps[i + 1] < DROP * (double)gaps[i];
	return drops >= DROPS_MIN && spread_of(gaps, n) > RANDOM_SPREAD ? JITTER_YES : JITTER_UNKNOWN;
}
