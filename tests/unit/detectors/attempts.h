/*
 * Attempts at one operation, told to the sequences by hand. Header-only.
 */
#ifndef GAPSCOPE_TESTS_UNIT_DETECTORS_ATTEMPTS_H
#define GAPSCOPE_TESTS_UNIT_DETECTORS_ATTEMPTS_H

#include "detectors/retry.h"
#include "detectors/rig.h"

struct bench {
	struct counters counters;
	double options[RETRY_OPTIONS];
	struct retry r;
	struct retry_key *k;
	uint64_t now;
};

SCRIPT_API void bench_init(struct bench *b)
{
	memset(b, 0, sizeof *b);
	for (size_t i = 0; i < RETRY_OPTIONS; i++)
		b->options[i] = retry_options[i].value;
	b->r.env = (struct detector_env){.options = b->options, .counters = &b->counters};
	b->k = retry_key_get(&b->r, RETRY_OF_REQUEST, "p:1", "GET /", 1, 0);
	assert_non_null(b->k);
	b->now = 1000 * NS_PER_S;
}

/* An attempt of 1 ms after a gap. */
SCRIPT_API unsigned int attempt(struct bench *b, uint64_t gap, enum retry_result result, uint32_t tid, uint64_t caller)
{
	const struct retry_attempt a = {.start_ns = b->now + gap,
					.end_ns = b->now + gap + NS_PER_MS,
					.result = result,
					.pid = 1,
					.tid = tid,
					.caller = caller};

	b->now = a.end_ns;
	return retry_attempt(&b->r, b->k, &a);
}

SCRIPT_API uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

#endif
