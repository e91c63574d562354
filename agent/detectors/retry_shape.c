/*
 * Recognising back-off shapes. Pure functions.
 */
#include "detectors/retry_shape.h"

#include <stdlib.h>
#include <string.h>

#define CONSTANT_SPREAD 1.13 /* median / min of constant gaps at most (measured with load on the machine) */
#define GROWTH_MIN 1.5       /* ratio of neighbours of an exponential back-off */
#define GROWTH_MAX 3.5
#define GROWTH_SLACK 0.12       /* of a ratio, for timers that round */
#define LINEAR_SPREAD 0.30      /* difference of neighbouring steps from their median */
#define ENVELOPE_MIN 1.5        /* longest over the first ones of random delays that grow */
#define ENVELOPE_SHORT_MIN 1.25 /* where there are three only */
#define MANY_GAPS 12U           /* from which one long gap says nothing */
#define CAP_NEAR 0.80           /* share of the largest gap that counts as having reached the cap */
#define JITTER_NO_SPREAD 0.05   /* (max - min) / min of one step that shows a fixed delay */
#define JITTER_YES_SPREAD 0.20  /* and of a random one; between the two it may be noise */
#define JITTER_GAPS_MIN 6U

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

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

/* With one or two gaps the larger one has to agree; with more, half of them. */
static bool is_constant(const uint64_t *gaps, size_t n)
{
	uint64_t typical = n == 2 && gaps[1] > gaps[0] ? gaps[1] : n == 2 ? gaps[0] : shape_median(gaps, n);

	return (double)typical < CONSTANT_SPREAD * (double)smallest(gaps, n) && before_cap(gaps, n) < 3;
}

static bool grows_by_steps(const uint64_t *gaps, size_t n)
{
	uint64_t steps[SHAPE_GAPS_MAX];

	if (n < 3)
		return false;
	for (size_t i = 0; i + 1 < n; i++) {
		if (gaps[i + 1] <= gaps[i])
			return false;
		steps[i] = gaps[i + 1] - gaps[i];
	}
	double median = (double)shape_median(steps, n - 1);
	for (size_t i = 0; i + 1 < n; i++) {
		double off = (double)steps[i] - median;
		if (off > LINEAR_SPREAD * median || off < -LINEAR_SPREAD * median)
			return false;
	}
	return true;
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

enum backoff shape_of(const uint64_t *gaps, size_t n, uint64_t none_below_ns)
{
	if (n > SHAPE_GAPS_MAX)
		n = SHAPE_GAPS_MAX;
	if (!n)
		return BACKOFF_NONE;
	if (shape_median(gaps, n) < none_below_ns) /* unless it only begins small */
		return n >= 3 && gaps[n - 1] >= none_below_ns && grows_by_factor(gaps, n) ? BACKOFF_EXPONENTIAL : BACKOFF_NONE;
	if (n > 1 && gaps[0] < none_below_ns) { /* a first immediate retry is common, and says nothing of the rest */
		gaps++;
		n--;
	}
	if (is_constant(gaps, n))
		return BACKOFF_CONSTANT;
	if (grows_by_steps(gaps, n))
		return BACKOFF_LINEAR;
	if (grows_by_factor(gaps, n) || grows_at_all(gaps, n))
		return BACKOFF_EXPONENTIAL;
	return BACKOFF_IRREGULAR;
}

void shape_step_add(struct shape_step *step, uint64_t gap)
{
	if (!step->n || gap < step->min)
		step->min = gap;
	if (gap > step->max)
		step->max = gap;
	step->sum += gap;
	step->n++;
}

enum jitter shape_jitter(const struct shape_step *steps, size_t n, uint32_t sequences_min)
{
	enum jitter answer = JITTER_UNKNOWN;
	uint64_t gaps = 0;

	for (size_t k = 0; k < n; k++)
		gaps += steps[k].n;
	if (gaps < JITTER_GAPS_MIN)
		return JITTER_UNKNOWN;
	for (size_t k = 0; k < n; k++) {
		if (steps[k].n < sequences_min || !steps[k].min)
			continue;
		double spread = (double)(steps[k].max - steps[k].min) / (double)steps[k].min;
		if (spread < JITTER_NO_SPREAD)
			return JITTER_NO;
		if (spread > JITTER_YES_SPREAD)
			answer = JITTER_YES;
	}
	return answer;
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
