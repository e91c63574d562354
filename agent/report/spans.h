/*
 * A request as a span, by the semantic conventions of its area (areas.h).
 */
#ifndef GAPSCOPE_REPORT_SPANS_H
#define GAPSCOPE_REPORT_SPANS_H

#include "report/areas.h"
#include "report/trace.h"

/* Texts of one span's name and attributes: the caller's, and must outlive the span. */
struct span_texts {
	char name[LIMIT_PEER_TEXT], all[4096];
};

/* Fill *ret from an ended request. Nothing in it is raw: query values and user info are redacted; clients of the service are not named. */
void span_from_request(const struct request *r, const struct trace_ids *ids, const struct stacks *stacks, struct span_texts *texts,
		       struct span *ret) __attribute__((nonnull));

#endif
