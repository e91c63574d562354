/*
 * A way to one destination: posts a request and says what became of it. One row a protocol: otlp_http.c, otlp_grpc.c. Owner: one lane;
 * posts come from its thread, abort from any.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_TRANSPORT_H
#define GAPSCOPE_EXPORTERS_OTLP_TRANSPORT_H

#include "exporters/otlp_encode.h"
#include "exporters/otlp_env.h"

#define OTLP_RESPONSE_MAX (4U << 20) /* bytes of a response's body, decompressed: specification */
#define OTLP_RETRY_AFTER_MAX_MS 3600000U
#define OTLP_USER_AGENT "gapscope/" GAPSCOPE_VERSION " OTel-OTLP-Exporter-C/" GAPSCOPE_VERSION

enum otlp_verdict {
	OTLP_TAKEN,
	OTLP_RETRY,   /* the receiver may take it later, or the connection broke */
	OTLP_REFUSED, /* the same request would fare the same */
	OTLP_ABORTED, /* by abort */
};

struct otlp_reply {
	enum otlp_verdict verdict;
	uint64_t retry_after_ms; /* stated by the receiver, 0 if not */
	uint64_t rejected;       /* of a taken batch: items that the receiver did not want */
	char why[256];           /* of what was not taken: one line, without headers or userinfo */
};

struct otlp_transport {
	/* 0 or -errno; the signal must outlive it. */
	int (*open)(const struct otlp_signal *s, void **ret);
	/* Post a request, at most for timeout_ms (0 = no limit). */
	void (*post)(void *t, const struct bytes *body, uint64_t timeout_ms, struct otlp_reply *ret);
	/* End a post that is under way, and every later one, at once. */
	void (*abort)(void *t);
	void (*close)(void *t); /* NULL does nothing */
};

extern const struct otlp_transport otlp_over_http, otlp_over_grpc, otlp_into_file;
/* The one that speaks a protocol. */
const struct otlp_transport *otlp_transport_of(enum otlp_protocol protocol);
/* Are its requests JSON? */
bool otlp_is_json(enum otlp_protocol protocol);

#endif
