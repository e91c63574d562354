/*
 * One destination over HTTP: posts a body and says what became of it. Owner: one lane; posts come from its thread, otlp_http_abort from
 * any.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_HTTP_H
#define GAPSCOPE_EXPORTERS_OTLP_HTTP_H

#include "exporters/otlp_encode.h"
#include "exporters/otlp_env.h"

#define OTLP_RESPONSE_MAX (4U << 20) /* bytes of a response's body, decompressed: specification */

enum otlp_verdict {
	OTLP_TAKEN,   /* 2xx */
	OTLP_RETRY,   /* 429, 502, 503, 504, no connection, or it broke */
	OTLP_REFUSED, /* anything else: the same request would fare the same */
	OTLP_ABORTED, /* by otlp_http_abort */
};

struct otlp_reply {
	enum otlp_verdict verdict;
	uint64_t retry_after_ms; /* stated by the receiver, 0 if not */
	uint64_t rejected;       /* of a taken batch: items that the receiver did not want */
	char why[256];           /* of what was not taken: one line, without headers or userinfo */
};

struct otlp_http;

/* 0 or -ENOMEM; the config's texts are copied by curl or must outlive it (headers are copied). */
int otlp_http_new(const struct otlp_signal *s, struct otlp_http **ret);
void otlp_http_free(struct otlp_http *h);
/* Post a body, at most for timeout_ms (0 = no limit). */
void otlp_http_post(struct otlp_http *h, const struct bytes *body, uint64_t timeout_ms, struct otlp_reply *ret);
/* End a post that is under way, and every later one, at once. */
void otlp_http_abort(struct otlp_http *h);

#endif
