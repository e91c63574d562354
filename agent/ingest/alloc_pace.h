/*
 * How often allocations are sampled: every `first` bytes at first, less often with what that has cost, up to every `most` bytes.
 *
 * Samples cost the service and the agent, and what is freed again soon is well known after a few thousand. What memory is in use is known by the
 * samples that are alive: while these are few, sampling goes on as it began, where the program frees so little that they grow with it. Owner:
 * ingest; its thread only.
 */
#ifndef GAPSCOPE_INGEST_ALLOC_PACE_H
#define GAPSCOPE_INGEST_ALLOC_PACE_H

#include <stdint.h>

struct alloc_pace {
	uint32_t first, most; /* bytes; first 0: most at once */
	uint64_t samples;     /* so far */
	uint64_t frees;       /* of them */
};

/* The mean distance from now on: no less than `now`, the one that is in force. */
uint32_t alloc_pace_mean(const struct alloc_pace *p, uint32_t now);

#endif
