/*
 * Exponential histograms (OpenTelemetry's metrics data model, "ExponentialHistogram"): buckets whose bounds are powers of 2^(2^-scale). The
 * scale falls as the range of values grows, so that 160 buckets are always enough. A value type; pure.
 */
#ifndef GAPSCOPE_REPORT_EXPONENTIAL_H
#define GAPSCOPE_REPORT_EXPONENTIAL_H

#include <stddef.h>
#include <stdint.h>

#define EXPONENTIAL_BUCKETS 160U /* MaxSize of the specification */
#define EXPONENTIAL_SCALE_MAX 20
#define EXPONENTIAL_SCALE_MIN (-10)

struct exponential {
	int32_t scale;
	int32_t offset; /* index of bucket[0]: bucket i holds values in (base^(offset+i), base^(offset+i+1)] */
	uint32_t n;     /* buckets in use */
	uint64_t zero;  /* values that are 0 */
	uint64_t bucket[EXPONENTIAL_BUCKETS];
};

void exponential_init(struct exponential *e);
/* A value ≥ 0; what is no number, infinite or negative is left out, and false returned. */
_Bool exponential_add(struct exponential *e, double value);
/* Make the scale `scale`, if it is lower than the present one. */
void exponential_lower(struct exponential *e, int32_t scale);
/* What `e` has more than an earlier state of it, `then`. */
void exponential_subtract(struct exponential *e, const struct exponential *then);

#endif
