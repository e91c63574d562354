/*
 * The table of areas. Pure functions: the session's thread, no allocation. See areas.h.
 */
#include "report/areas.h"

#include <stdio.h>
#include <string.h>

#include "report/text.h"
#include "report/url.h"

#define HTTP_PORT 80U
#define HTTPS_PORT 443U

/* Buckets of the semantic conventions, in seconds: of databases, and of all else. */
static const double slow_bounds[] = {.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10};
static const double fast_bounds[] = {.001, .005, .01, .05, .1, .5, 1, 5, 10};
#define BOUNDS(b) .bounds = (b), .bounds_n = sizeof(b) / sizeof *(b)

/* -- what all have -- */

const char *request_end_name(const struct request *r)
{
	static const char *const names[] = {
		[REQUEST_DONE] = "done",           [REQUEST_EOF] = "eof",         [REQUEST_RESET] = "reset",
		[REQUEST_ABANDONED] = "abandoned", [REQUEST_PENDING] = "pending", [REQUEST_REFUSED] = "refused",
	};
	if (r->end_unseen)
		return "unseen";
	return (unsigned int)r->end < sizeof names / sizeof *names ? names[r->end] : "?";
}

/* gRPC: these are the service's own failures; the others are its caller's. */
static bool is_server_error(const char *grpc_status)
{
	static const char *const own[] = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"};
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (strcmp(grpc_status, own[i]) == 0)
			return true;
	return false;
}

const char *request_error_type(const struct request *r, char *buf, size_t size)
{
	static const char *const broken[] = {
		[REQUEST_EOF] = "eof",
		[REQUEST_RESET] = "ECONNRESET",
		[REQUEST_ABANDONED] = "abandoned",
		[REQUEST_REFUSED] = "ECONNREFUSED",
	};
	/* semantic conventions: a 4xx is an error of the client's span, not of the server's */
	if (r->area == AREA_HTTP && r->status >= (r->server ? 500 : 400)) {
		snprintf(buf, size, "%d", r->status);
		return buf;
	}
	/* What became of a call its status says, even where its stream was reset. */
	if (r->failed && r->area == AREA_RPC && r->status_text[0] != '\0')
		return !r->server || is_server_error(r->status_text) ? r->status_text : NULL;
	if (r->failed)
		return r->status_text[0] != '\0' ? r->status_text : "_OTHER";
	return r->end < sizeof broken / sizeof *broken ? broken[r->end] : NULL;
}

const char *request_version(const struct request *r)
{
	return r->version == 10 ? "1.0" : r->version == 20 ? "2" : r->version == 11 ? "1.1" : "";
}

bool request_is_encrypted(const struct request *r)
{
	return r->conn != NULL && (r->conn->tls || r->conn->handshake.version != 0);
}

const char *request_server(const struct request *r, char *buf, size_t size, unsigned int *ret_port)
{
	bool from_peer = r->host[0] == '\0';
	*ret_port = 0;
	buf[0] = '\0';
	if (from_peer && (r->server || r->conn == NULL))
		return buf; /* the peer of a server is its client */
	char raw[LIMIT_PEER_TEXT];
	url_host(from_peer ? r->conn->peer : r->host, raw, sizeof raw, ret_port);
	if (from_peer && r->conn->handshake.server_name[0] != '\0')
		snprintf(raw, sizeof raw, "%s", r->conn->handshake.server_name);
	text_clean(raw, buf, size);
	if (*ret_port == 0 && buf[0] != '\0' && !from_peer)
		*ret_port = request_is_encrypted(r) ? HTTPS_PORT : HTTP_PORT;
	return buf;
}

void area_server(struct attrs *a, const struct request *r)
{
	char host[LIMIT_PEER_TEXT];
	unsigned int port;
	attrs_text(a, "server.address", request_server(r, host, sizeof host, &port));
	if (port != 0)
		attrs_int(a, "server.port", port);
}

/* "operation target", with what there is of the two. */
static const char *join(const char *first, const char *second, const char *none, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", first, first[0] != '\0' && second[0] != '\0' ? " " : "", second);
	return buf[0] != '\0' ? buf : none;
}

/* -- HTTP -- */

static const char *http_method(const struct request *r)
{
	return r->method[0] != '\0' ? r->method : "_OTHER";
}

static const char *http_name(const struct request *r, char *buf, size_t size)
{
	return strcmp(http_method(r), "_OTHER") == 0 ? "HTTP" : text_clean(r->method, buf, size);
}

static void http_keys(struct attrs *a, const struct request *r)
{
	attrs_text(a, "http.request.method", http_method(r));
	if (r->server)
		attrs_text(a, "url.scheme", url_scheme(request_is_encrypted(r)));
	if (r->status != 0)
		attrs_int(a, "http.response.status_code", r->status);
	attrs_text(a, "network.protocol.version", request_version(r));
}

static void http_more(struct attrs *a, const struct request *r)
{
	char raw[3 * LIMIT_PEER_TEXT];
	if (strcmp(http_method(r), "_OTHER") == 0)
		attrs_text(a, "http.request.method_original", r->method_original);
	if (r->server) {
		attrs_text(a, "url.path", url_path(r->path));
		url_query(r->query, raw, LIMIT_PEER_TEXT);
		attrs_text(a, "url.query", raw);
		return;
	}
	const char *authority = r->host[0] != '\0' || r->conn == NULL ? r->host : r->conn->peer;
	url_full(url_scheme(request_is_encrypted(r)), authority, r->path, r->query, raw, sizeof raw);
	attrs_text(a, "url.full", raw);
	if (r->resend_count > 0)
		attrs_int(a, "http.request.resend_count", r->resend_count);
}

/* -- databases -- */

static const char *db_name(const struct request *r, char *buf, size_t size)
{
	if (r->summary[0] != '\0')
		return text_clean(r->summary, buf, size);
	return join(r->method, r->target[0] != '\0' ? r->target : r->space, r->system != NULL ? r->system : "DB", buf, size);
}

static void db_keys(struct attrs *a, const struct request *r)
{
	attrs_text(a, "db.system.name", r->system);
	attrs_text(a, "db.operation.name", r->method);
	attrs_text(a, "db.collection.name", r->target);
	attrs_text(a, "db.namespace", r->space);
	attrs_text(a, "db.query.summary", r->summary);
	attrs_text(a, "db.response.status_code", r->status_text);
}

static void db_more(struct attrs *a, const struct request *r)
{
	attrs_text(a, "db.query.text", r->text);
	if (r->batch > 1)
		attrs_int(a, "db.operation.batch.size", r->batch);
}

/* -- RPC -- */

static const char *rpc_name(const struct request *r, char *buf, size_t size)
{
	return join("", r->target, r->system != NULL ? r->system : "RPC", buf, size);
}

static void rpc_keys(struct attrs *a, const struct request *r)
{
	attrs_text(a, "rpc.system.name", r->system);
	attrs_text(a, "rpc.method", r->target);
	attrs_text(a, "rpc.response.status_code", r->status_text);
}

/* -- messaging -- */

static const char *messaging_name(const struct request *r, char *buf, size_t size)
{
	return join(r->method, r->target, r->system != NULL ? r->system : "messaging", buf, size);
}

static void messaging_keys(struct attrs *a, const struct request *r)
{
	static const char *const types[] = {[MESSAGE_SEND] = "send", [MESSAGE_RECEIVE] = "receive", [MESSAGE_DELIVER] = "receive"};
	attrs_text(a, "messaging.system", r->system);
	attrs_text(a, "messaging.operation.name", r->method);
	attrs_text(a, "messaging.operation.type", r->way < sizeof types / sizeof *types ? types[r->way] : NULL);
	attrs_text(a, "messaging.destination.name", r->target);
}

/* -- DNS -- */

static const char *dns_name(const struct request *r, char *buf, size_t size)
{
	return join("DNS", r->method[0] != '\0' ? r->method : "lookup", "DNS", buf, size);
}

static void dns_keys(struct attrs *a, const struct request *r)
{
	attrs_text(a, "dns.question.name", r->target);
}

/* -- the table -- */

const struct area area_table[AREA_N] = {
	[AREA_HTTP] = {.client_metric = "http.client.request.duration",
		       .client_doc = "Duration of HTTP client requests.",
		       .server_metric = "http.server.request.duration",
		       .server_doc = "Duration of HTTP server requests.",
		       BOUNDS(slow_bounds),
		       .name = http_name,
		       .keys = http_keys,
		       .more = http_more},
	[AREA_DB] = {.client_metric = "db.client.operation.duration",
		     .client_doc = "Duration of database client operations.",
		     .server_metric = "gapscope.db.server.operation.duration",
		     .server_doc = "Duration of operations that the service serves as a database.",
		     BOUNDS(fast_bounds),
		     .name = db_name,
		     .keys = db_keys,
		     .more = db_more},
	[AREA_RPC] = {.client_metric = "rpc.client.call.duration",
		      .client_doc = "Duration of outgoing remote procedure calls.",
		      .server_metric = "rpc.server.call.duration",
		      .server_doc = "Duration of incoming remote procedure calls.",
		      BOUNDS(slow_bounds),
		      .name = rpc_name,
		      .keys = rpc_keys},
	[AREA_MESSAGING] = {.client_metric = "messaging.client.operation.duration",
			    .client_doc = "Duration of messaging operations that the service starts.",
			    .server_metric = "gapscope.messaging.server.operation.duration",
			    .server_doc = "Duration of operations that the service serves as a broker.",
			    BOUNDS(slow_bounds),
			    .name = messaging_name,
			    .keys = messaging_keys},
	[AREA_DNS] = {.client_metric = "dns.lookup.duration",
		      .client_doc = "Time that DNS lookups took.",
		      .server_metric = "gapscope.dns.server.answer.duration",
		      .server_doc = "Duration of DNS questions that the service answers.",
		      BOUNDS(slow_bounds),
		      .name = dns_name,
		      .keys = dns_keys},
};

const struct area *area_of(const struct request *r)
{
	return &area_table[(unsigned int)r->area < AREA_N ? r->area : AREA_HTTP];
}
