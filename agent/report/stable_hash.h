/*
 * Stable hashes: the same input gives the same number on every machine and build, since fingerprints and trace ids are compared across
 * them. Not for hostile input: nothing is indexed by these numbers.
 */
#ifndef GAPSCOPE_REPORT_STABLE_HASH_H
#define GAPSCOPE_REPORT_STABLE_HASH_H

#include <stdint.h>

#define HASH_START 0xcbf29ce484222325ULL /* FNV-1a's offset basis */

/* Fold a text and a separator into h (FNV-1a, 64 bits), so that ("ab", "c") and ("a", "bc") differ. NULL counts as "". */
uint64_t hash_text(uint64_t h, const char *text);
/* Fold a number into h. */
uint64_t hash_number(uint64_t h, uint64_t n);
/* Spread what was folded over all 64 bits. Never 0: an id of zero means "none" in W3C Trace Context. */
uint64_t hash_end(uint64_t h);

#endif
