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

/* Sixteen bytes in one product of 128 bits, folded. */
static inline uint64_t mix_pair(uint64_t h, const uint8_t *bytes)
{
	uint64_t word[2];

	memcpy(word, bytes, sizeof(word));

	const unsigned __int128 product = (unsigned __int128)(h ^ word[0]) * (word[1] ^ MIX_FACTOR);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t mix_bytes(const uint8_t *bytes, size_t len)
{
	const size_t pair = 2 * sizeof(uint64_t);
	uint64_t h = len ^ MIX_FACTOR;

	if (len >= pair) {
		for (size_t at = 0; at + pair < len; at += pair)
			h = mix_pair(h, bytes + at);
		return mix_pair(h, bytes + len - pair); /* some of them twice: no loop over what is left */
	}
	for (; len >= sizeof(h); bytes += sizeof(h), len -= sizeof(h))
		h = mix_word(h, bytes, sizeof(h));
	return mix_word(h, bytes, len);
}

#endif
