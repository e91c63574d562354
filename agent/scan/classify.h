/*
 * Byte classes as bit maps: bit i of word w says whether byte 64·w + i is of the class. All that finds candidates is bit arithmetic
 * on these maps. One implementation uses AVX2 where the processor has it, the other any C compiler.
 */
#ifndef GAPSCOPE_SCAN_CLASSIFY_H
#define GAPSCOPE_SCAN_CLASSIFY_H

#include <stddef.h>
#include <stdint.h>

/* equals: '=' and '>', what ends a key in key=value and in <key>value. */
struct classes {
	uint64_t digit, upper, lower, underscore, dot, dash, space, equals, colon, at, plus, quote;
};

/* Fill ret[0 … (len + 63) / 64 - 1]; bits past the end are 0. */
void classify(const uint8_t *bytes, size_t len, struct classes *ret);
/* The one of these two that classify() takes; in the header for the test that compares them. */
void classify_portable(const uint8_t *bytes, size_t len, struct classes *ret);

#endif
