/*
 * What OpenTelemetry's semantic conventions (1.44) call the work of each area: HTTP, databases, RPC, messaging, DNS. One row an area; spans
 * and metrics are made from it.
 */
#ifndef GAPSCOPE_REPORT_AREAS_H
#define GAPSCOPE_REPORT_AREAS_H

#include "model/model.h"
#include "report/attrs.h"

struct area {
	const char *client_metric, *client_doc;
	const char *server_metric, *server_doc; /* one of ours where the conventions have none */
	const double *bounds;
	size_t bounds_n;
	/* The span's name; in buf or a constant. */
	const char *(*name)(const struct request *r, char *buf, size_t size);
	/* What spans and points both carry, but for the peer and error.type. */
	void (*keys)(struct attrs *a, const struct request *r);
	/* What spans carry beside it. NULL = nothing. */
	void (*more)(struct attrs *a, const struct request *r);
};

/* The row of a request. */
const struct area *area_of(const struct request *r);
extern const struct area area_table[AREA_N];

/* Value of error.type: the status as the area has it, or how the request ended; NULL on success. buf ≥ 16 bytes. */
const char *request_error_type(const struct request *r, char *buf, size_t size);
/* How a request ended, as metrics and spans name it: "done", "eof", "reset", "abandoned", "pending", "refused". */
const char *request_end_name(const struct request *r);
/* Did it end, and was that seen? Only then it has a duration and an outcome. */
static inline bool request_end_seen(const struct request *r)
{
	return r->end != REQUEST_PENDING && !r->end_unseen;
}
/* Value of network.protocol.version, "1.1". */
const char *request_version(const struct request *r);
/* Does it go through TLS, as far as is known? */
bool request_is_encrypted(const struct request *r);
/* Host and port that a request went to: its Host header, else the name of the TLS handshake, else the peer. *ret_port = 0 where unknown. */
const char *request_server(const struct request *r, char *buf, size_t size, unsigned int *ret_port);
/* server.address and server.port. */
void area_server(struct attrs *a, const struct request *r);

#endif
