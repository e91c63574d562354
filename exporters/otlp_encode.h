/*
 * Encoding of spans, metrics and findings as OTLP protobuf. Each item is encoded by itself on the thread that hands it over; an envelope
 * is put around a batch of them (proto/otlp.proto says why that is the same on the wire).
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_ENCODE_H
#define GAPSCOPE_EXPORTERS_OTLP_ENCODE_H

#include "exporters/exporter.h"

struct bytes {
	uint8_t *data; /* malloc'ed */
	size_t len;
};

/* Each: 0 or -ENOMEM; *ret is the caller's to free. */
int otlp_encode_span(const struct span *s, size_t attrs_max, struct bytes *ret);
int otlp_encode_metric(const struct metric *m, struct bytes *ret);
int otlp_encode_finding(const json_t *finding, const uint8_t *trace_id, const uint8_t *span_id, uint64_t time_ns,
			uint64_t observed_ns, struct bytes *ret);
/* A whole request around n ≥ 1 items. */
int otlp_encode_request(const struct resource *r, const struct bytes *items, size_t n, struct bytes *ret);
/* What a success's body says: how many items were rejected; 0 where all were taken or the body is none of the protocol. */
uint64_t otlp_decode_rejected(const uint8_t *body, size_t len);

#endif
