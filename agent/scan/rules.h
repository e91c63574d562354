/*
 * The users' own rules: entities that are switched off, values that are allowed, prefixes of keys of their own (scan_rules_… of scan.h).
 * Set before the first scanner is made, only read after. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_RULES_H
#define GAPSCOPE_SCAN_RULES_H

#include "scan/entities.h"
#include "scan/text.h"

struct rules {
	bool off[ENTITY_N];
	size_t allow_n, own_n;
};

extern struct rules rules;

/* Is this value one that a user allowed? */
bool rules_allow(const uint8_t *value, size_t len);
/* A word at `at` with a prefix of the user's. */
bool rules_own_at(const struct text *t, size_t at, struct span *ret);

#endif
