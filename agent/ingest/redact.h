/*
 * Redaction: the stage behind which no personal data and no secret exists. Log payloads are scanned and replaced by struct event_sink, with
 * a MATCH event for each find; what the scanner knows in payloads of sockets is overwritten.
 *
 * Owner: ingest; its thread only.
 */
#ifndef GAPSCOPE_INGEST_REDACT_H
#define GAPSCOPE_INGEST_REDACT_H

#include "core/counters.h"
#include "ingest/ingest.h"

struct redact;

#define REDACT_PERCENT 50U

/* `percent` of one processor may go into reading logs, 0 is REDACT_PERCENT: beyond it writes are left out, and counted. NULL when memory
 * is out. */
struct redact *redact_new(struct counters *counters, uint32_t percent);
void redact_free(struct redact *r);
/* Hand on `e` and its matches. e->data may be changed in place. */
void redact_event(struct redact *r, const struct event *e, ingest_fn fn, void *ctx);
/* The session ends at now_ns: scan lines that were never finished. */
void redact_flush(struct redact *r, uint64_t now_ns, ingest_fn fn, void *ctx);

#endif
