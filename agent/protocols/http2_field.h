/*
 * What a block of header fields of HTTP/2 says: pseudo-header fields (RFC 9113, 8.3), those of gRPC, and those of any HTTP.
 */
#ifndef GAPSCOPE_PROTOCOLS_HTTP2_FIELD_H
#define GAPSCOPE_PROTOCOLS_HTTP2_FIELD_H

#include "protocols/http1_head.h"

struct http2_block {
	struct http1_head head;
	uint64_t now_ns;
	bool grpc, has_method;
	int grpc_status; /* -1 none */
};

/* One field, for hpack_block(): `ctx` is the struct http2_block. */
void http2_field(void *ctx, const uint8_t *name, size_t name_len, const uint8_t *value, size_t len);

#endif
