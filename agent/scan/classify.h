/*
 * Byte classes as bit maps: bit i of word w says whether byte 64·w + i is of the class. All that finds candidates is bit arithmetic
 * on these maps. There is one implementation for AVX-512, one for AVX2, and one for any processor.
 */
#ifndef GAPSCOPE_SCAN_CLASSIFY_H
#define GAPSCOPE_SCAN_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the text that are looked at in one go, and the words of 64 bits that they take. Around them: one word for what came before,
 * and room for whoever reads four words at once and one further. */
#define CLASSIFY_BYTES 4096U
#define CLASSES_WORDS (CLASSIFY_BYTES / 64)
#define CLASSES_ROOM (1 + CLASSES_WORDS + 1 + 6)
/* A map begins where a line of the cache does: what is read and written of a text of up to 192 bytes is then within one line of each. */
#define CLASSES_ALIGNED 64U
_Static_assert(CLASSES_ROOM * sizeof(uint64_t) % CLASSES_ALIGNED == 0, "the maps are lines apart");

/* Word w of the text is at [1 + w]. equals: '=' and '>', what ends a key in key=value and in <key>value. escape: what
 * begins a character that is written in another way (plain.h). */
struct classes {
	_Alignas(CLASSES_ALIGNED) uint64_t digit[CLASSES_ROOM], upper[CLASSES_ROOM], lower[CLASSES_ROOM],
		underscore[CLASSES_ROOM], dot[CLASSES_ROOM], dash[CLASSES_ROOM], space[CLASSES_ROOM], equals[CLASSES_ROOM],
		colon[CLASSES_ROOM], at[CLASSES_ROOM], plus[CLASSES_ROOM], quote[CLASSES_ROOM], comma[CLASSES_ROOM],
		open[CLASSES_ROOM], escape[CLASSES_ROOM];
};

#define CLASSES_N (sizeof(struct classes) / sizeof(uint64_t[CLASSES_ROOM]))

static inline uint64_t (*classes_maps(struct classes *c))[CLASSES_ROOM]
{
	return (uint64_t(*)[CLASSES_ROOM])(void *)c;
}

/* Nothing came before the text. */
static inline void classes_begin(struct classes *c)
{
#pragma GCC unroll 16
	for (size_t i = 0; i < CLASSES_N; i++)
		classes_maps(c)[i][0] = 0;
}

/* Its last word becomes the one before. */
static inline void classes_go_on(struct classes *c)
{
	for (size_t i = 0; i < CLASSES_N; i++)
		classes_maps(c)[i][0] = classes_maps(c)[i][CLASSES_WORDS];
}

/* Nothing stands in words [w] and on, as far as anybody looks: to the end of four words and one further. In line: so the stores are as
 * wide as those of the function that it is called by. */
__attribute__((always_inline)) static inline void classes_end(struct classes *c, size_t w)
{
#pragma GCC unroll 16
	for (size_t i = 0; i < CLASSES_N; i++)
		memset(&classes_maps(c)[i][w], 0, 4 * sizeof(uint64_t));
}

/* Fill words [1 … (len + 63) / 64], of at most CLASSIFY_BYTES + 64 bytes; bits past the end are 0, as are those
 * of the next four words. */
void classify(const uint8_t *bytes, size_t len, struct classes *ret);
enum classify_way { CLASSIFY_PORTABLE, CLASSIFY_AVX2, CLASSIFY_AVX512, CLASSIFY_WAYS };

/* In one way, for the test that compares them; false where this processor cannot. */
bool classify_with(enum classify_way way, const uint8_t *bytes, size_t len, struct classes *ret);

#endif
