/*
 * Distinct values of one finding. Plain memory inside its owner; the session's thread.
 */
#include <math.h>

#include "detectors/distinct.h"

/* Fingerprints of tests and short keys are not spread well; the estimate needs every bit to be. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
	x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
	return x ^ (x >> 33);
}

void distinct_add(struct distinct *d, uint64_t fingerprint)
{
	uint64_t h = mix(fingerprint);
	uint64_t rest = h << DISTINCT_REGISTERS_LOG2 | DISTINCT_REGISTERS >> 1;
	uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
	uint8_t *reg = &d->registers[h >> (64U - DISTINCT_REGISTERS_LOG2)];

	if (rank > *reg)
		*reg = rank;
	if (d->estimated)
		return;
	for (uint32_t i = 0; i < d->exact_n; i++) {
		if (d->exact[i] == fingerprint)
			return;
	}
	if (d->exact_n == DISTINCT_EXACT_MAX)
		d->estimated = true;
	else
		d->exact[d->exact_n++] = fingerprint;
}

void distinct_merge(struct distinct *d, const struct distinct *from)
{
	for (uint32_t i = 0; i < from->exact_n; i++)
		distinct_add(d, from->exact[i]);
	for (uint32_t i = 0; i < DISTINCT_REGISTERS; i++) {
		if (from->registers[i] > d->registers[i])
			d->registers[i] = from->registers[i];
	}
	d->estimated = d->estimated || from->estimated;
}

uint64_t distinct_count(const struct distinct *d)
{
	const double m = DISTINCT_REGISTERS;
	double sum = 0.0;
	unsigned int zeros = 0;

	if (!d->estimated)
		return d->exact_n;
	for (uint32_t i = 0; i < DISTINCT_REGISTERS; i++) {
		sum += ldexp(1.0, -(int)d->registers[i]);
		zeros += d->registers[i] == 0;
	}
	double estimate = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
	if (estimate <= 2.5 * m && zeros)
		estimate = m * log(m / zeros);
	return (uint64_t)(estimate + 0.5);
}
