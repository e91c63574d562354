/*
 * Does a number only grow? Judged by low-water marks, so that what comes and goes does not matter, and with the start left out, in which
 * every program fills its pools and caches. A value type; no clock.
 */
#ifndef GAPSCOPE_DETECTORS_GROWTH_H
#define GAPSCOPE_DETECTORS_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GROWTH_MARKS 96U
#define GROWTH_QUARTERS 4U
/* As long as it goes on it must have grown for so many times longer than at the end: a pool on its way to its size looks like a leak. */
#define GROWTH_UNDER_WAY 3.0

struct growth {
	uint64_t start_ns, width_ns; /* of a mark; doubled when they are used up */
	unsigned int n;
	double low[GROWTH_MARKS];  /* lowest value in each; NAN = none was seen */
	double work[GROWTH_MARKS]; /* what had been done by then, such as requests served */
};

/* What steady growth looks like. */
struct growth_trend {
	double from, to;              /* first and last low-water mark that count */
	double per_s;                 /* slope, by least squares */
	double low_per_s, high_per_s; /* its 95 % interval */
	double seconds;               /* that it was judged over */
	unsigned int marks;
};

/* A value at a time; times do not fall. */
void growth_add(struct growth *g, uint64_t t_ns, double value);
/* The same where it is known how much had been done by then: `work` does not fall. */
void growth_add_work(struct growth *g, uint64_t t_ns, double value, double work);
/* Does it grow steadily, and up to the end: over at least so many seconds behind the first quarter or half, by at least `rise`, in each
 * quarter at least 0.4 of what an even growth would be and not ever less (for the work done, where that is known: a cache takes the less for each
 * request the fuller it is), with a slope four standard errors above zero? */
bool growth_steady(const struct growth *g, double seconds, double rise, struct growth_trend *ret);
/* Are these times spread over [from, to], so that each quarter of it has at least a tenth of them? */
bool growth_spread(const uint64_t *times, size_t n, uint64_t from, uint64_t to);

#endif
