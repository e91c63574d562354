/*
 * What a gRPC answer means to an exporter (OTLP specification, "OTLP/gRPC response"; gRPC over HTTP/2). Pure functions, any thread.
 */
#ifndef GAPSCOPE_EXPORTERS_GRPC_ANSWER_H
#define GAPSCOPE_EXPORTERS_GRPC_ANSWER_H

#include "exporters/otlp_transport.h"

#define GRPC_PREFIX 5U /* flag byte and 32-bit big-endian length in front of each message */

struct grpc_answer {
	unsigned int http_status; /* 0 = no head came */
	uint32_t reset;           /* HTTP/2 error code that ended the stream, 0 = none */
	bool status_seen;         /* a grpc-status came, in trailers or alone */
	char status[12], message[200], encoding[16];
	char details[4096]; /* grpc-status-details-bin, base64 */
	struct bytes body;  /* prefixed messages; owned */
};

/* Take note of a header or trailer. */
void grpc_answer_header(struct grpc_answer *a, const char *name, size_t name_len, const char *value, size_t value_len);
/* Append to the body. 0, -ENOMEM, or -EMSGSIZE where it is longer than an answer may be. */
int grpc_answer_body(struct grpc_answer *a, const uint8_t *data, size_t len);
/* The stream has ended: fill the reply. */
void grpc_answer_judge(const struct grpc_answer *a, struct otlp_reply *ret);
void grpc_answer_done(struct grpc_answer *a);

#endif
