/*
 * Of the places of four words, those that pass the cheap questions of prefilter.h. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_SIEVE_H
#define GAPSCOPE_SCAN_SIEVE_H

#include "scan/places.h"
#include "scan/text.h"

/* Take out of p's tokens and keys, in the first `lanes` words, those where nothing can begin or end; bit 0 of lane 0 is byte `from` of the
 * text. What cannot be told passes: of the tokens as it is, of the keys as an odd one. Returns which lanes have a place left, one bit each. */
typedef unsigned int (*sieve_fn)(const struct text *t, size_t from, size_t lanes, struct places *p);
/* The fastest one that this processor has. */
sieve_fn sieve_finder(void);
/* The one that any processor has, for the test that compares them. */
unsigned int sieve_portable(const struct text *t, size_t from, size_t lanes, struct places *p);

#endif
