/*
 * Values that look like keys, made at run time, so that no file of the tree holds one.
 */
#ifndef GAPSCOPE_TESTS_SCAN_MAKE_VALUE_H
#define GAPSCOPE_TESTS_SCAN_MAKE_VALUE_H

#include <string.h>

#include "scan/alphabet.h"

/* `n` characters of the alphabet and a NUL; the same ones for the same seed. */
static inline void make_value(enum alphabet alphabet, size_t n, uint32_t seed, char *out)
{
	static const char *const letters[] = {"0123456789abcdef", "ABCDEFGHJKLMNPQRSTUVWXYZ234567",
					      "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"};
	const char *set = letters[alphabet < ALNUM ? alphabet : ALNUM];
	uint32_t random = seed * 7919 + 12345;
	for (size_t i = 0; i < n; i++) {
		random = random * 1664525 + 1013904223;
		out[i] = set[(random >> 16) % strlen(set)];
	}
	out[n] = 0;
}

/* A word in the midst of it. */
static inline void put_at(char *at, const char *word)
{
	while (*word != 0)
		*at++ = *word++;
}

#endif
