/*
 * Log sinks: puts the lines together that a process writes piece by piece, and scans them. What leaves is a match with its masked sample;
 * the text itself is wiped as soon as it was scanned.
 *
 * A line is scanned once, when it is complete; a private key in PEM form when its last line is there. Owner: redact; its thread only.
 */
#ifndef GAPSCOPE_INGEST_LINES_H
#define GAPSCOPE_INGEST_LINES_H

#include <stdbool.h>

#include "core/counters.h"
#include "core/event.h"
#include "scan/scan.h"

/* Numbers of sinks that are no descriptor. */
enum { LINES_SYSLOG = -2, LINES_JOURNAL = -3 };

struct lines;

/* Told of each match: e is the MATCH event, whole, with data. */
typedef void (*lines_fn)(void *ctx, const struct event *e);

/* NULL when memory is out. The scanner and the counters stay the caller's. */
struct lines *lines_new(struct scanner *scanner, struct counters *counters);
void lines_free(struct lines *l);
/* `len` bytes went into sink (e->pid, sink) by event e; `gap` says that more followed which was not captured, `whole` that the bytes are a
 * message of their own. `level` is that of the message where its text names none. Only e's times, stack, pid and tid are used. */
void lines_add(struct lines *l, const struct event *e, int sink, const uint8_t *bytes, size_t len, bool gap, bool whole,
	       const char *level, lines_fn fn, void *ctx);
/* Is the sink, into which these bytes go now, a compressed file? Nothing in it can be read, so it is not given to lines_add; it counts as
 * unread. */
bool lines_packed(struct lines *l, uint32_t pid, int sink, const uint8_t *bytes, size_t len);
/* Sinks first … last of e->pid end with event e: scan what they still hold. */
void lines_end(struct lines *l, const struct event *e, int first, int last, lines_fn fn, void *ctx);
/* All sinks of all processes end. */
void lines_end_all(struct lines *l, const struct event *e, lines_fn fn, void *ctx);

#endif
