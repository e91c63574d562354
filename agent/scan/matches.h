/*
 * Matches not yet told: kept in order of start, without overlap, until the scan is so far on that nothing earlier can come.
 * Owner: the scanner. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_MATCHES_H
#define GAPSCOPE_SCAN_MATCHES_H

#include "scan/entities.h"

/* A chunk of the scan yields at most one match in two bytes, and a match may wait for one chunk more. */
#define MATCHES_MAX 8192U

struct held {
	size_t start, end;
	enum entity_id entity;
};

struct matches {
	struct held held[MATCHES_MAX];
	size_t n;
	size_t done; /* matches before this offset have been told */
	scan_fn fn;
	void *ctx;
	size_t told;
	const uint8_t *bytes; /* the text; NULL where the user's rules do not count */
};

/* Add a match; of two that overlap the one of the higher rank stays, the earlier one at equal rank. Returns whether it was kept. */
bool matches_add(struct matches *m, size_t start, size_t end, enum entity_id entity);
/* Tell all that end at or before `limit`. */
void matches_flush(struct matches *m, size_t limit);

#endif
