/*
 * Is one sample really larger than another? Tests without assumptions about the shape of latency. Pure functions.
 */
#ifndef GAPSCOPE_GATE_STATISTICS_H
#define GAPSCOPE_GATE_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

/*
 * One-sided Mann–Whitney U test ("On a test of whether one of two random variables is stochastically larger than the other", 1947), normal
 * approximation with correction for ties and continuity: the probability that two equal populations would give a `b` that lies this far
 * above `a`. Samples in ascending order. `design_effect`: how many times larger than with independent values the variance is (Kish, "Survey
 * Sampling", 1965), at least 1. 1 is returned when a sample is empty or nothing varies.
 */
double mann_whitney_above(const double *a, size_t a_n, const double *b, size_t b_n, double design_effect);
/*
 * One-sided Fisher's exact test ("Statistical Methods for Research Workers", 1934): the probability that two equal populations would give
 * this many errors or more in `b`, of all that there were.
 */
double fisher_above(uint64_t a_errors, uint64_t a_n, uint64_t b_errors, uint64_t b_n);
/*
 * A chance for values that hang together: the same distance from the mean, measured in standard deviations that are √design_effect times
 * larger. Chances of a half and more stay as they are.
 */
double chance_weakened(double chance, double design_effect);
/*
 * How much more the share of errors varies between `n` steps of time than it would if each request failed by itself: Pearson's χ² over its
 * degrees of freedom, the usual estimate of a design effect (McCullagh & Nelder, "Generalized Linear Models", 1989, 4.5). At least 1; 1 where
 * nothing failed or all did.
 */
double dispersion(const uint64_t *errors, const uint64_t *requests, size_t n);
/* Quantile q (0…1) of an ascending sample, between neighbours by proportion; 0 for an empty one. */
double quantile(const double *sorted, size_t n, double q);

#endif
