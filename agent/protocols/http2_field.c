/* See http2_field.h. */
#include "protocols/http2_field.h"

#include <string.h>

#include "protocols/talk.h"

static bool is(const uint8_t *bytes, size_t len, const char *text)
{
	return len == strlen(text) && !memcmp(bytes, text, len);
}

static int number(const uint8_t *bytes, size_t len)
{
	int n = 0;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] < '0' || bytes[i] > '9' || len > 4)
			return -1;
		n = n * 10 + (bytes[i] - '0');
	}
	return len ? n : -1;
}

void http2_field(void *ctx, const uint8_t *name, size_t name_len, const uint8_t *value, size_t len)
{
	struct http2_block *b = ctx;

	if (name_len && name[0] == ':') {
		if (is(name, name_len, ":method")) {
			http1_head_method(&b->head, value, len);
			b->has_method = true;
		} else if (is(name, name_len, ":path") && len) {
			http1_head_target(&b->head, value, len);
		} else if (is(name, name_len, ":authority")) {
			talk_text(b->head.host, sizeof(b->head.host), value, len);
		} else if (is(name, name_len, ":status")) {
			int status = number(value, len);
			b->head.status = status >= 100 && status <= 999 ? status : 0;
		}
	} else if (is(name, name_len, "content-type")) {
		b->grpc |= len >= 16 && !memcmp(value, "application/grpc", 16);
	} else if (is(name, name_len, "grpc-status")) {
		b->grpc_status = number(value, len);
		b->grpc = true;
	} else if (!is(name, name_len, "host") || !b->head.host[0]) {
		http1_head_field(&b->head, name, name_len, value, len, b->now_ns);
	}
}
