/* A place in a table for some bytes: quick, and no more than that. Who could choose the bytes could choose where they meet. */
#ifndef GAPSCOPE_CORE_MIX_H
#define GAPSCOPE_CORE_MIX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MIX_FACTOR 0x9e3779b97f4a7c15ULL /* odd, bits of the golden ratio */

static inline uint64_t mix_word(uint64_t h, const uint8_t *bytes, size_t len)
{
	uint64_t word = 0;

	memcpy(&word, bytes, len);
	h = (h ^ word) * MIX_FACTOR;
	return h ^ h >> 32;
}

static inline uint64_t mix_bytes(const uint8_t *bytes, size_t len)
{
	uint64_t h = len;

	for (; len >= sizeof(h); bytes += sizeof(h), len -= sizeof(h))
		h = mix_word(h, bytes, sizeof(h));
	return mix_word(h, bytes, len);
}

#endif
