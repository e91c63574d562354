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
#define FILLS 0.9         /* the same where it is so for the work done, too */
#define END_SHARE 0.2     /* of it, within the last quarter */
#define ERRORS_MIN 4.0    /* standard errors of the slope above zero */
#define INTERVAL 1.96
#define SPREAD_SHARE 10U /* a quarter has at least one in so many */

/* Shares of the time that are left out, from the start: it fills its pools, or its traffic begins later. */
static const double starts[] = {0.25, 0.5};

static void widen(struct growth *g)
{
	for (unsigned int i = 0; i < GROWTH_MARKS / 2; i++) {
		const unsigned int from = isnan(g->low[2 * i]) || g->low[2 * i + 1] < g->low[2 * i] ? 2 * i + 1 : 2 * i;

		g->low[i] = g->low[from];
		g->work[i] = g->work[from];
	}
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
	growth_add_work(g, t_ns, value, 0);
}

void growth_add_work(struct growth *g, uint64_t t_ns, double value, double work)
{
	if (g->width_ns == 0)
		*g = (struct growth){.start_ns = t_ns, .width_ns = FIRST_WIDTH_NS};
	const uint64_t since = t_ns > g->start_ns ? t_ns - g->start_ns : 0;
	while (mark_of(g, since) >= GROWTH_MARKS)
		widen(g);
	const unsigned int at = (unsigned int)mark_of(g, since);
	while (g->n <= at)
		g->low[g->n++] = NAN;
	if (isnan(g->low[at]) || value < g->low[at]) {
		g->low[at] = value;
		g->work[at] = work;
	}
}

/* The lowest of the marks from `a` up to `b`, and where it is; NAN if none was seen. */
static double lowest(const struct growth *g, unsigned int a, unsigned int b, unsigned int *ret_at)
{
	double low = NAN;

	for (unsigned int i = a; i < b; i++) {
		if (isnan(g->low[i]) || g->low[i] >= low)
			continue;
		low = g->low[i];
		*ret_at = i;
	}
	return low;
}

/* Does it rise the less, the longer it goes on? Then it comes to an end. */
static bool ends(const double *rises, double share)
{
	for (unsigned int q = 1; q + 1 < GROWTH_QUARTERS; q++) {
		if (rises[q] >= rises[q - 1])
			return false;
	}
	return rises[GROWTH_QUARTERS - 2] < share * rises[0];
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
	unsigned int at[GROWTH_QUARTERS];

	if (g->n < first + MARKS_MIN)
		return false;
	for (unsigned int q = 0; q < GROWTH_QUARTERS; q++) {
		const unsigned int n = g->n - first;

		low[q] = lowest(g, first + n * q / GROWTH_QUARTERS, first + n * (q + 1) / GROWTH_QUARTERS, &at[q]);
		if (isnan(low[q]))
			return false;
	}
	t.seconds = (double)(g->n - first) * (double)g->width_ns / NS_PER_S;
	t.from = low[0];
	t.to = g->low[g->n - 1];
	double by_time[GROWTH_QUARTERS - 1], by_work[GROWTH_QUARTERS - 1];
	const double even = (low[GROWTH_QUARTERS - 1] - low[0]) / (GROWTH_QUARTERS - 1);
	bool worked = true;
	for (unsigned int q = 0; q + 1 < GROWTH_QUARTERS; q++) {
		const double rises = low[q + 1] - low[q], work = g->work[at[q + 1]] - g->work[at[q]];

		if (even <= 0 || rises < QUARTER_SHARE * even)
			return false;
		by_time[q] = rises / (at[q + 1] - at[q]);
		by_work[q] = rises / work;
		worked = worked && work > 0;
	}
	/* What ends by the time alone may follow the load; what ends by the work alone may be a timer's, beside more and more requests. */
	if (worked ? ends(by_work, FILLS) && ends(by_time, FILLS) : ends(by_time, SETTLES))
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
