/*
 * Recognising back-off shapes. Pure functions.
 */
#include "detectors/retry_shape.h"

#include <stdlib.h>
#include <string.h>

#define CONSTANT_SPREAD 1.13  /* of constant gaps over the shortest one, at most (measured with load on the machine) */
#define CONSTANT_SHORT 1.30   /* of three gaps */
#define CONSTANT_BAND 1.75    /* of delays drawn around one length: a quarter up and down, and what scheduling adds */
#define CONSTANT_BAND_OFF 5U  /* one in so many may lie beyond it */
#define CONSTANT_DRIFT 1.20   /* the later half of such delays over the earlier one, at most */
#define CONSTANT_TAIL_GAPS 6U /* from so many gaps on, the last one may be long */
#define GROWTH_MIN 1.5        /* ratio of neighbours of an exponential back-off */
#define GROWTH_MAX 3.5
#define GROWTH_SLACK 0.12       /* of a ratio, for timers that round */
#define FACTOR_EVEN 0.08        /* of one factor over another that is the same */
#define LINEAR_STEPS 0.20       /* difference of two steps, where there are no more */
#define LINEAR_STEPS_ASKED 0.05 /* the same of delays as they were asked for: drawn ones are as near by chance now and then */
#define LINEAR_OFF 0.15         /* distance of a gap from the line */
#define LINEAR_LONGER_DIV 5U    /* one in so many may be longer */
#define LINEAR_GROWTH_MIN 1.8   /* last over first gap */
#define ENVELOPE_MIN 1.5        /* longest over the first ones of random delays that grow */
#define ENVELOPE_SHORT_MIN 1.05 /* where there are three only */
#define MANY_GAPS 12U           /* from which one long gap says nothing */
#define CAP_NEAR 0.80           /* share of the largest gap that counts as having reached the cap */
#define JITTER_NO_SPREAD 0.05   /* over the shortest gap of a step: a fixed delay */
#define JITTER_YES_SPREAD 0.20  /* and a random one; between the two it may be noise */
#define JITTER_GAPS_MIN 6U
#define PAIRS_GAPS_MIN 5U /* from so many gaps on, each other one at once is no chance */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

uint64_t shape_median(const uint64_t *gaps, size_t n)
{
	uint64_t sorted[SHAPE_GAPS_MAX];

	if (n > SHAPE_GAPS_MAX)
		n = SHAPE_GAPS_MAX;
	if (!n)
		return 0;
	memcpy(sorted, gaps, n * sizeof *gaps);
	qsort(sorted, n, sizeof *sorted, by_value);
	return sorted[(n - 1) / 2];
}

static uint64_t smallest(const uint64_t *gaps, size_t n)
{
	uint64_t min = UINT64_MAX;

	for (size_t i = 0; i < n; i++)
		min = gaps[i] < min ? gaps[i] : min;
	return min;
}

/* Gaps until a cap is reached (all of them where there is none): the part that can show growth. */
static size_t before_cap(const uint64_t *gaps, size_t n)
{
	uint64_t max = 0;
	size_t i = 0;

	for (size_t k = 0; k < n; k++)
		max = gaps[k] > max ? gaps[k] : max;
	while (i < n && (double)gaps[i] < CAP_NEAR * (double)max)
		i++;
	return i < n ? i + 1 : n;
}

static size_t within(const uint64_t *gaps, size_t n, double limit)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += (double)gaps[i] <= limit;
	return count;
}

/* Half of the gaps are alike, and the long ones are not those that it ends with: these would be growth. */
bool shape_is_constant(const uint64_t *gaps, size_t n)
{
	const double min = (double)smallest(gaps, n);
	const size_t near = within(gaps, n, CONSTANT_SPREAD * min);
	size_t tail = 0;

	if (n < 3 || near == n)
		return near == n;
	while ((double)gaps[n - 1 - tail] > CONSTANT_SPREAD * min)
		tail++;
	if (n == 3 && within(gaps, n, CONSTANT_SHORT * min) == n)
		return true;
	return 2 * near >= n && tail <= (n >= MANY_GAPS ? 2 : n >= CONSTANT_TAIL_GAPS ? 1 : 0);
}

/* Drawn at random around one length, and no longer towards the end. */
static bool stays_in_band(const uint64_t *gaps, size_t n)
{
	const size_t half = (n + 1) / 2;

	return n >= 4 && within(gaps, n, CONSTANT_BAND * (double)smallest(gaps, n)) >= n - n / CONSTANT_BAND_OFF &&
	       (double)shape_median(gaps + n - half, half) < CONSTANT_DRIFT * (double)shape_median(gaps, half);
}

/* Median of the slopes of all pairs (Theil and Sen): a few long gaps do not move it. */
static double slope_of(const uint64_t *gaps, size_t n)
{
	double slopes[SHAPE_GAPS_MAX * (SHAPE_GAPS_MAX - 1) / 2];
	size_t k = 0;

	for (size_t i = 0; i + 1 < n; i++) {
		for (size_t j = i + 1; j < n; j++)
			slopes[k++] = ((double)gaps[j] - (double)gaps[i]) / (double)(j - i);
	}
	qsort(slopes, k, sizeof *slopes, by_number);
	return slopes[(k - 1) / 2];
}

/* On a line that rises, but for a few gaps that something lengthened. */
static bool on_a_line(const uint64_t *gaps, size_t n)
{
	const double slope = slope_of(gaps, n);
	double rests[SHAPE_GAPS_MAX];
	size_t longer = 0;

	for (size_t i = 0; i < n; i++)
		rests[i] = (double)gaps[i] - slope * (double)i;
	qsort(rests, n, sizeof *rests, by_number);
	const double start = rests[(n - 1) / 2];
	if (start + slope * (double)(n - 1) < LINEAR_GROWTH_MIN * start)
		return false;
	for (size_t i = 0; i < n; i++) {
		double line = start + slope * (double)i, off = (double)gaps[i] - line;
		if (off < -LINEAR_OFF * line)
			return false;
		longer += off > LINEAR_OFF * line;
	}
	return longer <= n / LINEAR_LONGER_DIV;
}

/* By one and the same factor up to the cap, which cuts the last step short: no line does. */
static bool grows_evenly_into_cap(const uint64_t *gaps, size_t n)
{
	const size_t grown = before_cap(gaps, n);
	const double factor = (double)gaps[1] / (double)(gaps[0] ? gaps[0] : 1);

	if (grown < 3 || factor < GROWTH_MIN || factor > GROWTH_MAX + GROWTH_SLACK)
		return false;
	for (size_t i = 1; i + 1 < grown; i++) {
		const double ratio = (double)gaps[i + 1] / (double)gaps[i];
		if (ratio < (1 - FACTOR_EVEN) * factor && i + 2 == grown)
			return i > 1;
		if (ratio < (1 - FACTOR_EVEN) * factor || ratio > (1 + FACTOR_EVEN) * factor)
			return false;
	}
	return true;
}

static bool grows_by_steps(const uint64_t *gaps, size_t n, bool exact)
{
	const double off = exact ? LINEAR_STEPS_ASKED : LINEAR_STEPS;
	size_t grown = before_cap(gaps, n);

	if (n < 3 || grows_evenly_into_cap(gaps, n))
		return false;
	if (n == 3) {
		double first = (double)gaps[1] - (double)gaps[0], second = (double)gaps[2] - (double)gaps[1];
		return first > 0 && second > (1 - off) * first && second < (1 + off) * first;
	}
	return on_a_line(gaps, n) || (grown >= 4 && on_a_line(gaps, grown));
}

static bool grows_by_factor(const uint64_t *gaps, size_t n)
{
	size_t grown = before_cap(gaps, n);

	if (grown < 2)
		return false;
	for (size_t i = 0; i + 1 < grown; i++) {
		double ratio = (double)gaps[i + 1] / (double)(gaps[i] ? gaps[i] : 1);
		bool last = i + 2 == grown && grown < n && i > 0 && ratio >= 1.0; /* the step into the cap may be cut short */
		if (ratio > GROWTH_MAX + GROWTH_SLACK || (ratio < GROWTH_MIN - GROWTH_SLACK && !last))
			return false;
	}
	return true;
}

/* Random delays that grow: the first ones stay far below the longest; of many, below most, for one long gap may be noise. */
static bool grows_at_all(const uint64_t *gaps, size_t n)
{
	size_t first = n < 6 ? 1 : 2;
	uint64_t early = 0, late = 0;

	if (n < 3)
		return false;
	if (n >= MANY_GAPS && (double)shape_median(gaps + first, n - first) < (double)(gaps[0] > gaps[1] ? gaps[0] : gaps[1]))
		return false;
	for (size_t i = 0; i < n; i++) {
		uint64_t *of = i < first ? &early : &late;
		*of = gaps[i] > *of ? gaps[i] : *of;
	}
	return (double)late >= (n < 4 ? ENVELOPE_SHORT_MIN : ENVELOPE_MIN) * (double)early;
}

/* Most gaps are short, but each is longer than the one before it. */
static bool begins_small(const uint64_t *gaps, size_t n, uint64_t none_below_ns)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (gaps[i + 1] <= gaps[i])
			return false;
	}
	return n >= 3 && gaps[n - 1] >= none_below_ns;
}

/* Each delayed attempt is tried again at once, as runtimes do by themselves when a connection ends: the delays between such pairs, 0 if it is not so. */
static size_t between_pairs(const uint64_t *gaps, size_t n, uint64_t none_below_ns, uint64_t *ret_delays)
{
	size_t hasty = 0, delays = 0;

	for (size_t i = 0; i < n; i++) {
		if (i % 2 == 0)
			hasty += gaps[i] < none_below_ns;
		else if (gaps[i] < none_below_ns)
			return 0;
		else
			ret_delays[delays++] = gaps[i];
	}
	return n >= PAIRS_GAPS_MIN && 3 * hasty >= 2 * (n - delays) ? delays : 0;
}

static enum backoff shape(const uint64_t *gaps, size_t n, uint64_t none_below_ns, bool exact)
{
	if (n > SHAPE_GAPS_MAX)
		n = SHAPE_GAPS_MAX;
	if (!n)
		return BACKOFF_NONE;
	uint64_t delays[SHAPE_GAPS_MAX];
	const size_t pairs = between_pairs(gaps, n, none_below_ns, delays);
	if (pairs)
		return shape(delays, pairs, none_below_ns, exact);
	if (2 * within(gaps, n, (double)none_below_ns - 1) > (n == 2 ? 1 : n))
		return !begins_small(gaps, n, none_below_ns) ? BACKOFF_NONE
		       : grows_by_steps(gaps, n, exact)      ? BACKOFF_LINEAR
							     : BACKOFF_EXPONENTIAL;
	if (n > 1 && gaps[0] < none_below_ns) { /* a first immediate retry is common, and says nothing of the rest */
		gaps++;
		n--;
	}
	if (shape_is_constant(gaps, n) || stays_in_band(gaps, n))
		return BACKOFF_CONSTANT;
	if (grows_by_steps(gaps, n, exact))
		return BACKOFF_LINEAR;
	if (grows_by_factor(gaps, n) || grows_at_all(gaps, n))
		return BACKOFF_EXPONENTIAL;
	return BACKOFF_IRREGULAR;
}

enum backoff shape_of(const uint64_t *gaps, size_t n, uint64_t none_below_ns)
{
	return shape(gaps, n, none_below_ns, false);
}

enum backoff shape_of_asked(const uint64_t *gaps, size_t n, uint64_t none_below_ns)
{
	return shape(gaps, n, none_below_ns, true);
}

void shape_step_add(struct shape_step *step, uint64_t gap)
{
	const uint64_t us = gap / 1000;

	if (step->n < SHAPE_STEP_GAPS)
		step->gaps_us[step->n++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

enum jitter shape_jitter(const struct shape_step *steps, size_t n, uint32_t sequences_min)
{
	size_t gaps = 0, others = 0, shortest = 0, near = 0, far = 0;

	for (size_t k = 0; k < n; k++) {
		uint32_t least = UINT32_MAX;
		gaps += steps[k].n;
		for (uint32_t i = 0; i < steps[k].n; i++)
			least = steps[k].gaps_us[i] < least ? steps[k].gaps_us[i] : least;
		if (steps[k].n < sequences_min || !least)
			continue;
		others += steps[k].n - 1;
		shortest++; /* is near itself */
		for (uint32_t i = 0; i < steps[k].n; i++) {
			near += (double)steps[k].gaps_us[i] < (1 + JITTER_NO_SPREAD) * (double)least;
			far += (double)steps[k].gaps_us[i] > (1 + JITTER_YES_SPREAD) * (double)least;
		}
	}
	if (!others || gaps < JITTER_GAPS_MIN)
		return JITTER_UNKNOWN;
	if ((near - shortest) * 5 >= others * 3)
		return JITTER_NO;
	return far * 5 >= others * 2 ? JITTER_YES : JITTER_UNKNOWN;
}

const char *backoff_name(enum backoff b)
{
	static const char *const names[] = {
		[BACKOFF_NONE] = "none",           [BACKOFF_CONSTANT] = "constant",
		[BACKOFF_LINEAR] = "linear",       [BACKOFF_EXPONENTIAL] = "exponential",
		[BACKOFF_IRREGULAR] = "irregular",
	};

	return names[b];
}

const char *jitter_name(enum jitter j)
{
	static const char *const names[] = {
		[JITTER_UNKNOWN] = "unknown",
		[JITTER_NO] = "no",
		[JITTER_YES] = "yes",
	};

	return names[j];
}
