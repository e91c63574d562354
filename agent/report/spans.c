/*
 * A request as a span. Pure functions: the session's thread, no allocation.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "report/spans.h"
#include "report/text.h"
#include "report/url.h"

#define HTTP_PORT 80U

static void put_text(struct span *s, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0' || s->attrs_n == SPAN_ATTRS_MAX)
		return;
	s->attrs[s->attrs_n++] = (struct attr){.key = key, .type = ATTR_STRING, .s = value};
}

static void put_int(struct span *s, const char *key, int64_t value)
{
	if (s->attrs_n < SPAN_ATTRS_MAX)
		s->attrs[s->attrs_n++] = (struct attr){.key = key, .type = ATTR_INT, .i = value};
}

const char *request_end_name(enum request_end end)
{
	static const char *const names[] = {
		[REQUEST_DONE] = "done",           [REQUEST_EOF] = "eof",         [REQUEST_RESET] = "reset",
		[REQUEST_ABANDONED] = "abandoned", [REQUEST_PENDING] = "pending", [REQUEST_REFUSED] = "refused",
	};
	return (unsigned int)end < sizeof names / sizeof *names ? names[end] : "?";
}

const char *request_version(const struct request *r)
{
	return r->version == 10 ? "1.0" : r->version == 20 ? "2" : "1.1";
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
	if (r->status >= (r->server ? 500 : 400)) {
		snprintf(buf, size, "%d", r->status);
		return buf;
	}
	return r->end < sizeof broken / sizeof *broken ? broken[r->end] : NULL;
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
	text_clean(raw, buf, size);
	if (*ret_port == 0 && buf[0] != '\0' && !from_peer)
		*ret_port = HTTP_PORT;
	return buf;
}

static void put_peer(struct span *s, const struct conn *c, struct span_texts *t)
{
	unsigned int port = 0;
	if (c->peer_addr.ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, &c->peer_addr, sizeof in);
		inet_ntop(AF_INET, &in.sin_addr, t->peer_address, sizeof t->peer_address);
		port = ntohs(in.sin_port);
	} else if (c->peer_addr.ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, &c->peer_addr, sizeof in6);
		inet_ntop(AF_INET6, &in6.sin6_addr, t->peer_address, sizeof t->peer_address);
		port = ntohs(in6.sin6_port);
	} else {
		return;
	}
	put_text(s, "network.peer.address", t->peer_address);
	put_int(s, "network.peer.port", port);
}

static void put_site(struct span *s, const struct request *r, const struct stacks *stacks, struct span_texts *t)
{
	const struct frame *site = stacks_site(stacks, r->stack);
	if (site == NULL)
		return;
	put_text(s, "code.function.name", text_clean(site->function, t->function, sizeof t->function));
	if (site->file == NULL)
		return;
	put_text(s, "code.file.path", text_clean(site->file, t->file, sizeof t->file));
	if (site->line != 0)
		put_int(s, "code.line.number", site->line);
}

static void put_client(struct span *s, const struct request *r, const struct stacks *stacks, struct span_texts *t)
{
	const char *authority = r->host[0] != '\0' || r->conn == NULL ? r->host : r->conn->peer;
	char raw[sizeof t->url];
	url_full(url_scheme(r->conn != NULL && r->conn->tls), authority, r->path, r->query, raw, sizeof raw);
	put_text(s, "url.full", text_clean(raw, t->url, sizeof t->url));
	if (r->resend_count > 0)
		put_int(s, "http.request.resend_count", r->resend_count);
	if (r->conn != NULL)
		put_peer(s, r->conn, t);
	put_site(s, r, stacks, t);
}

static void put_server(struct span *s, const struct request *r, struct span_texts *t)
{
	char raw[sizeof t->query];
	put_text(s, "url.scheme", url_scheme(r->conn != NULL && r->conn->tls));
	put_text(s, "url.path", text_clean(url_path(r->path), t->path, sizeof t->path));
	url_query(r->query, raw, sizeof raw);
	put_text(s, "url.query", text_clean(raw, t->query, sizeof t->query));
}

void span_from_request(const struct request *r, const struct trace_ids *ids, const struct stacks *stacks, struct span_texts *texts,
		       struct span *ret)
{
	*ret = (struct span){
		.kind = r->server ? SPAN_SERVER : SPAN_CLIENT,
		.parent_remote = ids->parent_remote,
		.trace_flags = ids->flags,
		.start_ns = r->t_start,
		.end_ns = r->t_end >= r->t_start ? r->t_end : r->t_start,
	};
	memcpy(ret->trace_id, ids->trace_id, sizeof ret->trace_id);
	memcpy(ret->span_id, ids->span_id, sizeof ret->span_id);
	memcpy(ret->parent_id, ids->parent_id, sizeof ret->parent_id);

	bool other = r->method[0] == '\0' || strcmp(r->method, "_OTHER") == 0;
	text_clean(other ? "_OTHER" : r->method, texts->method, sizeof texts->method);
	ret->name = other ? "HTTP" : texts->method;
	put_text(ret, "http.request.method", texts->method);
	if (other)
		put_text(ret, "http.request.method_original",
			 text_clean(r->method_original, texts->method_original, sizeof texts->method_original));
	unsigned int port;
	put_text(ret, "server.address", request_server(r, texts->host, sizeof texts->host, &port));
	if (port != 0)
		put_int(ret, "server.port", port);
	if (r->status != 0)
		put_int(ret, "http.response.status_code", r->status);
	put_text(ret, "network.protocol.version", request_version(r));
	if (r->server)
		put_server(ret, r, texts);
	else
		put_client(ret, r, stacks, texts);

	const char *error = request_error_type(r, texts->status, sizeof texts->status);
	put_text(ret, "error.type", error);
	ret->status = error != NULL ? SPAN_ERROR : SPAN_UNSET;
	/* a request that was still open when the session ended has no end of its own */
	if (r->end == REQUEST_PENDING)
		put_text(ret, "gapscope.request.end", request_end_name(r->end));
}
