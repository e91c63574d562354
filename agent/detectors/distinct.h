/*
 * How many different values: exact while they are few, an estimate (HyperLogLog, Flajolet et al. 2007) beyond. Values are given as keyed
 * fingerprints, so nothing of them is kept.
 */
#ifndef GAPSCOPE_DETECTORS_DISTINCT_H
#define GAPSCOPE_DETECTORS_DISTINCT_H

#include <stdbool.h>
#include <stdint.h>

#define DISTINCT_EXACT_MAX 64U
#define DISTINCT_REGISTERS_LOG2 10U
#define DISTINCT_REGISTERS (1U << DISTINCT_REGISTERS_LOG2)

struct distinct {
	uint32_t exact_n;
	bool estimated; /* more than DISTINCT_EXACT_MAX: registers hold the answer */
	uint64_t exact[DISTINCT_EXACT_MAX];
	uint8_t registers[DISTINCT_REGISTERS];
};

void distinct_add(struct distinct *d, uint64_t fingerprint);
/* All that `from` holds, too. */
void distinct_merge(struct distinct *d, const struct distinct *from);
/* Exact up to DISTINCT_EXACT_MAX, then within about 3 % (one standard error). */
uint64_t distinct_count(const struct distinct *d);

#endif
