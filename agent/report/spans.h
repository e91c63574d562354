/*
 * A request as a span: OpenTelemetry's semantic conventions for HTTP client and server spans (stable, 1.44).
 */
#ifndef GAPSCOPE_REPORT_SPANS_H
#define GAPSCOPE_REPORT_SPANS_H

#include "model/model.h"
#include "report/telemetry.h"
#include "report/trace.h"

/* Texts of one span's attributes: the caller's, and must outlive the span. */
struct span_texts {
	char url[3 * LIMIT_PEER_TEXT], query[LIMIT_PEER_TEXT], host[LIMIT_PEER_TEXT], path[LIMIT_PEER_TEXT], peer_address[64];
	char method[16], method_original[16], status[16], function[LIMIT_PEER_TEXT], file[LIMIT_PEER_TEXT];
};

/* Fill *ret from an ended request. Nothing in it is raw: query values and user info are redacted; clients of the service are not named. */
void span_from_request(const struct request *r, const struct trace_ids *ids, const struct stacks *stacks, struct span_texts *texts,
		       struct span *ret) __attribute__((nonnull));
/* Value of error.type for a request: its status, or how it ended; NULL on success. buf ≥ 16 bytes. */
const char *request_error_type(const struct request *r, char *buf, size_t size);
/* How a request ended, as metrics and spans name it: "done", "eof", "reset", "abandoned", "pending", "refused". */
const char *request_end_name(enum request_end end);
/* Value of network.protocol.version, "1.1". */
const char *request_version(const struct request *r);
/* Host and port that a request went to: its Host header, else the peer. *ret_port = 0 where unknown. */
const char *request_server(const struct request *r, char *buf, size_t size, unsigned int *ret_port);

#endif
