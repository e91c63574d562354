/*
 * Buckets of an exponential histogram (exponential.h). An index is found by the logarithm, and exactly at powers of two, where rounding would
 * put a value into the bucket above.
 */
#include "report/exponential.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

void exponential_init(struct exponential *e)
{
	memset(e, 0, sizeof *e);
	e->scale = EXPONENTIAL_SCALE_MAX;
}

/* Of the bucket whose upper bound is the first that is not below the value. */
static int32_t index_of(double value, int32_t scale)
{
	int exponent;
	const double fraction = frexp(value, &exponent); /* value = fraction × 2^exponent, 0.5 ≤ fraction < 1 */

	if (scale <= 0)
		return (exponent - (fraction > 0.5 ? 0 : 1) - 1) >> -scale;
	if (fraction > 0.5)
		return (int32_t)ceil(ldexp(log2(value), scale)) - 1;
	return (int32_t)((uint32_t)(exponent - 1) << scale) - 1;
}

void exponential_lower(struct exponential *e, int32_t scale)
{
	const int32_t by = e->scale - scale;

	if (by <= 0)
		return;
	e->scale = scale;
	if (e->n == 0)
		return;
	const int32_t offset = e->offset >> by;
	uint32_t last = 0;
	for (uint32_t i = 0; i < e->n; i++) {
		const uint32_t to = (uint32_t)(((e->offset + (int32_t)i) >> by) - offset);
		const uint64_t count = e->bucket[i];

		e->bucket[i] = 0; /* `to` is never behind `i` */
		e->bucket[to] += count;
		last = to;
	}
	e->offset = offset;
	e->n = last + 1;
}

bool exponential_add(struct exponential *e, double value)
{
	if (!isfinite(value) || value < 0)
		return false;
	if (value == 0) {
		e->zero++;
		return true;
	}
	int32_t at = index_of(value, e->scale);
	if (e->n == 0) {
		e->offset = at;
		e->n = 1;
		e->bucket[0] = 1;
		return true;
	}
	int64_t low = at < e->offset ? at : e->offset, high = e->offset + (int64_t)e->n - 1;
	high = at > high ? at : high;
	int32_t by = 0;
	for (; high - low >= (int64_t)EXPONENTIAL_BUCKETS && e->scale - by > EXPONENTIAL_SCALE_MIN; by++) {
		low >>= 1;
		high >>= 1;
	}
	exponential_lower(e, e->scale - by);
	at >>= by;
	if (at < e->offset) {
		const uint32_t more = (uint32_t)(e->offset - at);

		memmove(e->bucket + more, e->bucket, e->n * sizeof *e->bucket);
		memset(e->bucket, 0, more * sizeof *e->bucket);
		e->offset = at;
		e->n += more;
	}
	const uint32_t i = (uint32_t)(at - e->offset);
	if (i >= e->n)
		e->n = i + 1;
	e->bucket[i]++;
	return true;
}

void exponential_subtract(struct exponential *e, const struct exponential *then)
{
	struct exponential before = *then;

	exponential_lower(&before, e->scale);
	e->zero -= before.zero;
	for (uint32_t i = 0; i < before.n; i++) {
		const uint32_t at = (uint32_t)(before.offset + (int32_t)i - e->offset);

		if (at < e->n)
			e->bucket[at] -= before.bucket[i];
	}
}
