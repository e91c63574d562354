/*
 * Byte classes as bit maps: bit i of word w says whether byte 64·w + i is of the class. All that finds candidates is bit arithmetic
 * on these maps. There is one implementation for AVX-512, one for AVX2, and one for any processor.
 */
#ifndef GAPSCOPE_SCAN_CLASSIFY_H
#define GAPSCOPE_SCAN_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* equals: '=' and '>', what ends a key in key=value and in <key>value. */
struct classes {
	uint64_t digit, upper, lower, underscore, dot, dash, space, equals, colon, at, plus, quote, double_quote, comma;
};

/* Fill ret[0 … (len + 63) / 64 - 1]; bits past the end are 0. */
void classify(const uint8_t *bytes, size_t len, struct classes *ret);
enum classify_way { CLASSIFY_PORTABLE, CLASSIFY_AVX2, CLASSIFY_AVX512, CLASSIFY_WAYS };

/* In one way, for the test that compares them; false where this processor cannot. */
bool classify_with(enum classify_way way, const uint8_t *bytes, size_t len, struct classes *ret);

#endif
