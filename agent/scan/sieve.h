/*
 * Of the places of four words, those that pass the cheap questions of prefilter.h. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_SIEVE_H
#define GAPSCOPE_SCAN_SIEVE_H

#include "scan/places.h"
#include "scan/text.h"

/* Take out of p's tokens and keys those where nothing can begin or end; bit 0 of lane 0 is byte `from` of the text. What is left of the
 * keys is sure to end in letters that mean something, but for those that are in `odd` too. */
typedef void (*sieve_fn)(const struct text *t, size_t from, struct places *p);
/* The fastest one that this processor has. */
sieve_fn sieve_finder(void);
/* The one that any processor has, for the test that compares them. */
void sieve_portable(const struct text *t, size_t from, struct places *p);

#endif
