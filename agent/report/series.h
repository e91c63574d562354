/*
 * The points of one metric by their attributes: a table with a cap and an overflow point (OTel: cardinality limit).
 */
#ifndef GAPSCOPE_REPORT_SERIES_H
#define GAPSCOPE_REPORT_SERIES_H

#include "core/counters.h"
#include "report/telemetry.h"

struct series;

/* A table for a histogram with these bounds (static), or for sums if bounds_n = 0. NULL when memory is out. */
struct series *series_new(const double *bounds, size_t bounds_n, struct counters *counters);
void series_free(struct series *s);
/* Points of a histogram made from now on have an exponential one as well. */
void series_exponential(struct series *s);
/* Record a value under these attributes, whose texts are copied: a histogram's observation, or what to add to a sum. */
void series_record(struct series *s, const struct attr *attrs, size_t attrs_n, double value);
/* The same for a measurement that was made in a sampled span: it becomes the point's exemplar (NULL = in none). Returns the point's number
 * for series_again, 0 if it has none of its own. */
size_t series_record_traced(struct series *s, const struct attr *attrs, size_t attrs_n, double value, const struct exemplar *x);
/* The same for a point whose number is known. */
void series_again(struct series *s, size_t number, double value, const struct exemplar *x);
/* Attributes as a text that two points share if, and only if, they have the same ones in the same order. The caller frees it. */
char *series_key(const struct attr *attrs, size_t n);
/* Points in order of appearance, as one array of the series; times are set by this. */
const struct metric_point *series_points(struct series *s, uint64_t start_ns, uint64_t now_ns, size_t *ret_n);

#endif
