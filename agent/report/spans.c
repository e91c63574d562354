/*
 * A request as a span: what its area says of it, where it went, where in the code it was made, and how it ended. Pure functions: the
 * session's thread, no allocation.
 */
#include "report/spans.h"

#include <arpa/inet.h>
#include <string.h>

static void put_peer(struct attrs *a, const struct conn *c)
{
	char address[INET6_ADDRSTRLEN];
	unsigned int port = 0;
	if (c->peer_addr.ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, &c->peer_addr, sizeof in);
		inet_ntop(AF_INET, &in.sin_addr, address, sizeof address);
		port = ntohs(in.sin_port);
	} else if (c->peer_addr.ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, &c->peer_addr, sizeof in6);
		inet_ntop(AF_INET6, &in6.sin6_addr, address, sizeof address);
		port = ntohs(in6.sin6_port);
	} else {
		return;
	}
	attrs_text(a, "network.peer.address", address);
	attrs_int(a, "network.peer.port", port);
}

static void put_handshake(struct attrs *a, const struct conn_tls *t)
{
	static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};
	if (t->version < 0x0301 || t->version > 0x0304)
		return;
	attrs_text(a, "tls.protocol.version", versions[t->version - 0x0301]);
	attrs_text(a, "tls.next_protocol", t->alpn);
}

static void put_site(struct attrs *a, const struct request *r, const struct stacks *stacks)
{
	const struct frame *site = stacks_site(stacks, r->stack);
	if (site == NULL)
		return;
	attrs_text(a, "code.function.name", site->function);
	if (site->file == NULL)
		return;
	attrs_text(a, "code.file.path", site->file);
	if (site->line != 0)
		attrs_int(a, "code.line.number", site->line);
}

static enum span_kind kind_of(const struct request *r)
{
	if (r->way == MESSAGE_SEND && !r->server)
		return SPAN_PRODUCER;
	if (r->way == MESSAGE_DELIVER && !r->server)
		return SPAN_CONSUMER;
	return r->server ? SPAN_SERVER : SPAN_CLIENT;
}

void span_from_request(const struct request *r, const struct trace_ids *ids, const struct stacks *stacks, struct span_texts *texts,
		       struct span *ret)
{
	const struct area *area = area_of(r);
	struct attrs a = {.list = ret->attrs, .max = SPAN_ATTRS_MAX, .text = texts->all, .size = sizeof texts->all};
	char buf[16];
	*ret = (struct span){
		.kind = kind_of(r),
		.parent_remote = ids->parent_remote,
		.trace_flags = ids->flags,
		.start_ns = r->t_start,
		.end_ns = r->t_end >= r->t_start ? r->t_end : r->t_start,
	};
	memcpy(ret->trace_id, ids->trace_id, sizeof ret->trace_id);
	memcpy(ret->span_id, ids->span_id, sizeof ret->span_id);
	memcpy(ret->parent_id, ids->parent_id, sizeof ret->parent_id);

	ret->name = area->name(r, texts->name, sizeof texts->name);
	area->keys(&a, r);
	if (area->more != NULL)
		area->more(&a, r);
	area_server(&a, r);
	if (!r->server && r->conn != NULL)
		put_peer(&a, r->conn);
	if (r->conn != NULL)
		put_handshake(&a, &r->conn->handshake);
	if (!r->server)
		put_site(&a, r, stacks);
	if (r->alloc_samples != 0)
		attrs_int(&a, "gapscope.request.allocated_bytes", (int64_t)r->alloc_bytes);
	const char *error = request_error_type(r, buf, sizeof buf);
	attrs_text(&a, "error.type", error);
	ret->status = error != NULL ? SPAN_ERROR : SPAN_UNSET;
	/* a request that was still open when the session ended, or when records were lost, has no end of its own */
	if (!request_end_seen(r))
		attrs_text(&a, "gapscope.request.end", request_end_name(r));
	ret->attrs_n = a.n;
}
