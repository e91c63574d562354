/*
 * Low-water marks and the line through them (growth.h). Pure; any thread.
 */
#include "detectors/growth.h"

#include <math.h>

#define NS_PER_S 1e9
#define FIRST_WIDTH_NS 1000000000ULL
#define WARM_UP_MIN 3U /* marks */
#define MARKS_MIN 8U
#define QUARTER_SHARE 0.4 /* of an even growth */
#define SETTLES 0.6       /* of the first quarter's rise, where each rises less than the one before */
#define END_SHARE 0.2     /* of it, within the last quarter */
#define ERRORS_MIN 4.0    /* standard errors of the slope above zero */
#define INTERVAL 1.96
#define SPREAD_SHARE 10U /* a quarter has at least one in so many */

/* Shares of the time that are left out, from the start: it fills its pools, or its traffic begins later. */
static const double starts[] = {0.25, 0.5};

static double lower(double a, double b)
{
	return isnan(a) || b < a ? b : a;
}

static void widen(struct growth *g)
{
	for (unsigned int i = 0; i < GROWTH_MARKS / 2; i++)
		g->low[i] = isnan(g->low[2 * i]) ? g->low[2 * i + 1] : lower(g->low[2 * i + 1], g->low[2 * i]);
	g->n = GROWTH_MARKS / 2;
	g->width_ns *= 2;
}

/* Which mark a time belongs to; without a width there is one only. */
static uint64_t mark_of(const struct growth *g, uint64_t since)
{
	return g->width_ns != 0 ? since / g->width_ns : 0;
}

void growth_add(struct growth *g, uint64_t t_ns, double value)
{
	if (g->width_ns == 0)
		*g = (struct growth){.start_ns = t_ns, .width_ns = FIRST_WIDTH_NS};
	const uint64_t since = t_ns > g->start_ns ? t_ns - g->start_ns : 0;
	while (mark_of(g, since) >= GROWTH_MARKS)
		widen(g);
	const unsigned int at = (unsigned int)mark_of(g, since);
	while (g->n <= at)
		g->low[g->n++] = NAN;
	g->low[at] = lower(g->low[at], value);
}

/* The lowest of the marks from `a` up to `b`; NAN if none was seen. */
static double lowest(const struct growth *g, unsigned int a, unsigned int b)
{
	double low = NAN;

	for (unsigned int i = a; i < b; i++) {
		if (!isnan(g->low[i]))
			low = lower(low, g->low[i]);
	}
	return low;
}

/* Least squares through the marks from `first` on. */
static bool fit(const struct growth *g, unsigned int first, struct growth_trend *t)
{
	const double width = (double)g->width_ns / NS_PER_S;
	double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, rest = 0;

	for (unsigned int i = first; i < g->n; i++) {
		if (isnan(g->low[i]))
			continue;
		n++;
		sx += i * width;
		sy += g->low[i];
	}
	if (n < MARKS_MIN)
		return false;
	const double mx = sx / n, my = sy / n;
	for (unsigned int i = first; i < g->n; i++) {
		if (isnan(g->low[i]))
			continue;
		sxx += (i * width - mx) * (i * width - mx);
		sxy += (i * width - mx) * (g->low[i] - my);
	}
	t->per_s = sxy / sxx;
	for (unsigned int i = first; i < g->n; i++) {
		const double off = isnan(g->low[i]) ? 0 : g->low[i] - my - t->per_s * (i * width - mx);

		rest += off * off;
	}
	const double error = sqrt(rest / (n - 2) / sxx);
	t->low_per_s = t->per_s - INTERVAL * error;
	t->high_per_s = t->per_s + INTERVAL * error;
	t->marks = (unsigned int)n;
	return t->per_s > ERRORS_MIN * error;
}

/* From mark `first` on. */
static bool steady_from(const struct growth *g, unsigned int first, double seconds, double rise, struct growth_trend *ret)
{
	struct growth_trend t = {0};
	double low[GROWTH_QUARTERS];

	if (g->n < first + MARKS_MIN)
		return false;
	for (unsigned int q = 0; q < GROWTH_QUARTERS; q++) {
		const unsigned int n = g->n - first;

		low[q] = lowest(g, first + n * q / GROWTH_QUARTERS, first + n * (q + 1) / GROWTH_QUARTERS);
		if (isnan(low[q]))
			return false;
	}
	t.seconds = (double)(g->n - first) * (double)g->width_ns / NS_PER_S;
	t.from = low[0];
	t.to = g->low[g->n - 1];
	double rises[GROWTH_QUARTERS - 1];
	const double even = (low[GROWTH_QUARTERS - 1] - low[0]) / (GROWTH_QUARTERS - 1);
	bool falling = true;
	for (unsigned int q = 0; q + 1 < GROWTH_QUARTERS; q++) {
		rises[q] = low[q + 1] - low[q];
		if (even <= 0 || rises[q] < QUARTER_SHARE * even)
			return false;
		falling = falling && (q == 0 || rises[q] < rises[q - 1]);
	}
	if (falling && rises[GROWTH_QUARTERS - 2] < SETTLES * rises[0])
		return false;
	/* Within the last quarter, too: it has not come to its limit just now. */
	if (t.seconds < seconds || t.to - t.from < rise || t.to - low[GROWTH_QUARTERS - 1] < END_SHARE * even || !fit(g, first, &t))
		return false;
	*ret = t;
	return true;
}

bool growth_steady(const struct growth *g, double seconds, double rise, struct growth_trend *ret)
{
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		const unsigned int first = (unsigned int)(g->n * starts[i]);

		if (steady_from(g, first > WARM_UP_MIN ? first : WARM_UP_MIN, seconds, rise, ret))
			return true;
	}
	return false;
}

bool growth_spread(const uint64_t *times, size_t n, uint64_t from, uint64_t to)
{
	size_t in[GROWTH_QUARTERS] = {0};

	if (to <= from)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (times[i] < from || times[i] > to)
			continue;
		const uint64_t q = (times[i] - from) / ((to - from) / GROWTH_QUARTERS + 1);

		in[q < GROWTH_QUARTERS ? q : GROWTH_QUARTERS - 1]++;
	}
	for (unsigned int q = 0; q < GROWTH_QUARTERS; q++) {
		if (in[q] == 0 || in[q] * SPREAD_SHARE < n)
			return false;
	}
	return true;
}
