/*
 * Learning what a number in a log line is. A number passes a check digit by chance one time in ten, so a counter or an order number now
 * and then looks like a card. Its slot tells: the same place of the same line, by call site, the word in front and the shape. A
 * slot counts how many values of its shape were there, how many passed the scanner's checks, and how many followed the one before by
 * the same step. What follows from that is the data detector's to say: SLOT events carry the counts, so a replay decides alike.
 *
 * Owner: lines; its thread only. Holds no value: of the last one its last three digits.
 */
#ifndef GAPSCOPE_INGEST_LEARN_H
#define GAPSCOPE_INGEST_LEARN_H

#include <stdbool.h>

#include "core/counters.h"
#include "core/event.h"
#include "scan/scan.h"

struct learn;

/* e is a SLOT event: a0 = slot, a1 = values << 32 | passed, ret = equal steps. Its times, pid and stack are the caller's to set. */
typedef void (*learn_fn)(void *ctx, struct event *e);

/* NULL when memory is out. */
struct learn *learn_new(struct counters *counters);
void learn_free(struct learn *l);
/* The scanner found something at start … end of this line, which call site `stack` wrote. The number of its slot, whose upper half is the same
 * for the same word and shape anywhere; 0 if it is no number. */
uint64_t learn_match(struct learn *l, uint32_t stack, const uint8_t *line, size_t start, size_t end);
/* A line is complete, and all its matches were told: count what its slots hold. */
void learn_line(struct learn *l, uint32_t stack, const uint8_t *line, size_t len, learn_fn fn, void *ctx);
/* Is there any slot of which more is to be known? Else lines without a match need not be looked at. */
bool learn_any(const struct learn *l);
/* A line is too long to be judged as one: its matches count for nothing. */
void learn_forget(struct learn *l);
/* The session ends: the counts that were not told yet. */
void learn_tell_all(struct learn *l, learn_fn fn, void *ctx);

#endif
