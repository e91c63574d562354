/*
 * Trace structure: which trace and parent a request's span has. Only what is certain: a traceparent on the wire, or the one server
 * request that the same thread is serving. Never a guess.
 *
 * Owner: the session, on its thread. Ids are hashes of the session's seed and the request's number, so a replay gives the same ones.
 */
#ifndef GAPSCOPE_REPORT_TRACE_H
#define GAPSCOPE_REPORT_TRACE_H

#include "model/model.h"

struct trace_ids {
	uint8_t trace_id[16], span_id[8], parent_id[8]; /* parent zero = root */
	uint8_t flags;                                  /* W3C trace-flags: 1 = sampled */
	bool parent_remote;
};

/* Parse a W3C traceparent (level 2: any version but ff; what a future version appends is ignored). False if it must be ignored. */
bool traceparent_parse(const char *text, uint8_t trace_id[16], uint8_t parent_id[8], uint8_t *flags);

struct traces;

struct traces *traces_new(uint64_t seed);
void traces_free(struct traces *t);
/* A request starts; served_id: the incoming request that its thread is serving (model_serving), 0 if that is not certain. */
void traces_start(struct traces *t, struct request *r, uint64_t served_id);
/* It ended: its ids, final (NULL = not wanted now). False when memory was out. */
bool traces_end(struct traces *t, struct request *r, struct trace_ids *ret);
/* Ids of a request by number, open, or ended and not followed by TRACES_KEPT later ones. False if unknown. */
bool traces_find(struct traces *t, uint64_t request_id, struct trace_ids *ret);

#define TRACES_KEPT 4096U

#endif
