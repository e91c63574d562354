/*
 * The table of protocols, and the observer that runs it: recognises a connection's protocol by its first bytes and feeds it.
 *
 * One struct stream a connection, in conn->protocol_state; owned by struct protocols. The session's thread only.
 */
#include "protocols/protocol.h"

#include <stdlib.h>
#include <string.h>

#include "protocols/amqp.h"
#include "protocols/dns.h"
#include "protocols/http1.h"
#include "protocols/kafka.h"
#include "protocols/memcached.h"
#include "protocols/memcached_binary.h"
#include "protocols/mongodb.h"
#include "protocols/mysql.h"
#include "protocols/postgresql.h"
#include "protocols/redis.h"
#include "protocols/tls.h"
#include "wire/shared.h"
#ifndef GAPSCOPE_SHIM_ONLY
#include "protocols/http2.h"
#endif

/* clang-format off */
const struct protocol *const protocol_table[] = {
#ifndef GAPSCOPE_SHIM_ONLY
	&http2_protocol, /* its first line looks like HTTP/1's */
#endif
	&http1_protocol,
	&redis_protocol,
	&postgresql_protocol,
	&mysql_protocol,
	&mongodb_protocol,
	&amqp_protocol,
	&memcached_protocol,
	&memcached_binary_protocol,
	&dns_protocol,
	&kafka_protocol,
	&tls_protocol,
	NULL,
};
/* clang-format on */

#define PROBE_BYTES 512U /* kept while the first bytes are too few to say */
#define PROBE_TRIES 16U  /* calls whose bytes are tried on a connection that began before we watched */

struct stream {
	struct conn *conn;
	const struct protocol *protocol;
	void *state;
	bool opaque;
	bool encrypted;
	bool plain;       /* fed with what a TLS library encrypted: the connection's own bytes say nothing more */
	bool other_spoke; /* a server, and it was not understood */
	unsigned int tries;
	enum direction probe_dir; /* of what is kept */
	struct event probe_event; /* that moved the first of it */
	uint32_t kept;
	uint8_t *bytes;
	struct stream *prev, *next;
};

struct protocols {
	struct model *m;
	struct counters *counters;
	struct stream *streams;
};

struct protocols *protocols_new(struct model *m, struct counters *counters)
{
	struct protocols *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->m = m;
	p->counters = counters;
	return p;
}

static void stream_end(struct protocols *p, struct stream *s, const struct event *e, enum conn_end how)
{
	if (s->state)
		s->protocol->close(s->state, e, how);
	s->conn->protocol_state = NULL;
	if (s->prev)
		s->prev->next = s->next;
	else
		p->streams = s->next;
	if (s->next)
		s->next->prev = s->prev;
	free(s->bytes);
	free(s);
}

void protocols_free(struct protocols *p)
{
	free(p);
}

static struct stream *stream_of(struct protocols *p, struct conn *c)
{
	struct stream *s = c->protocol_state;

	if (s || (c->kind != CONN_TCP && c->kind != CONN_UNIX && c->kind != CONN_UDP))
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->conn = c;
	s->next = p->streams;
	if (s->next)
		s->next->prev = s;
	p->streams = s;
	c->protocol_state = s;
	return s;
}

static void give_up(struct protocols *p, struct stream *s)
{
	free(s->bytes);
	s->bytes = NULL;
	s->kept = 0;
	/* Bytes from the middle of a connection say little: its next message may be clearer. */
	if (s->conn->inherited && ++s->tries < PROBE_TRIES)
		return;
	s->opaque = true;
	/* Detectors still recognise commands by their first bytes: a wait for messages that were subscribed to is no missing deadline. */
	model_set_policy(p->m, s->conn, s->encrypted || s->plain ? WIRE_POLICY_SIZES : WIRE_POLICY_HEAD_256);
}

/* A record of TLS: handshake, alert, change or data, version 3.x. */
static bool is_tls(const uint8_t *bytes, size_t len)
{
	return len >= 2 && bytes[0] >= 0x14 && bytes[0] <= 0x17 && bytes[1] == 3;
}

static bool from_client(const struct conn *c, enum direction d, bool *ret_known)
{
	*ret_known = c->role == CONN_CLIENT || c->role == CONN_SERVER;
	return *ret_known ? (d == DIR_OUT) == (c->role == CONN_CLIENT) : true;
}

static enum probe_answer ask_one(const struct protocol *p, const struct stream *s, const uint8_t *bytes, size_t len, bool client)
{
	enum probe_answer answer = PROBE_NO;

	if (s->conn->kind == CONN_UDP ? !p->datagrams : p->outer && s->plain)
		return PROBE_NO;
	answer = p->probe(bytes, len, client);
	if (answer == PROBE_NO && s->conn->inherited && p->probe_midway)
		answer = p->probe_midway(bytes, len, client);
	return answer;
}

static const struct protocol *ask(const struct stream *s, enum direction d, const uint8_t *bytes, size_t len, bool *ret_more,
				  bool *ret_client)
{
	bool known, client = from_client(s->conn, d, &known);

	*ret_more = false;
	for (int side = 0; side < (known ? 1 : 2); side++, client = !client) {
		for (size_t i = 0; protocol_table[i]; i++) {
			enum probe_answer answer = ask_one(protocol_table[i], s, bytes, len, client);
			*ret_client = client;
			if (answer == PROBE_YES)
				return protocol_table[i];
			*ret_more |= answer == PROBE_MORE;
		}
	}
	return NULL;
}

static bool keep(struct stream *s, enum direction d, const struct event *e, const uint8_t *bytes, size_t len)
{
	if (s->kept + len > PROBE_BYTES)
		return false;
	if (!s->bytes)
		s->bytes = malloc(PROBE_BYTES);
	if (!s->bytes)
		return false;
	if (s->kept == 0) {
		s->probe_dir = d;
		s->probe_event = *e;
		s->probe_event.data = NULL;
		s->probe_event.data_len = 0;
	}
	memcpy(s->bytes + s->kept, bytes, len);
	s->kept += (uint32_t)len;
	return true;
}

static void adopt(struct protocols *p, struct stream *s, const struct protocol *protocol, enum direction d, bool client)
{
	struct conn *c = s->conn;

	s->state = protocol->open(p->m, c);
	if (!s->state) {
		give_up(p, s);
		return;
	}
	s->protocol = protocol;
	if (!protocol->outer)
		c->protocol = protocol;
	/* Who began is seen now, where the socket call was not. */
	if (c->role == CONN_UNKNOWN && c->inherited)
		c->role = client == (d == DIR_OUT) ? CONN_CLIENT : CONN_SERVER;
}

/* First bytes: returns true once the protocol is known; what was kept has been fed then. */
static bool probe(struct protocols *p, struct stream *s, enum direction d, const struct event *e, size_t len, size_t gap)
{
	const uint8_t *bytes = e->data;
	size_t n = len;
	bool more, client, known;

	if (!s->kept)
		s->encrypted = is_tls(bytes, n);
	if (s->kept) {
		/* The other side spoke before the first one was understood. */
		if (s->probe_dir != d || !keep(s, d, e, e->data, len)) {
			give_up(p, s);
			return false;
		}
		bytes = s->bytes;
		n = s->kept;
	}
	const struct protocol *protocol = ask(s, d, bytes, n, &more, &client);
	if (protocol) {
		size_t before = s->kept ? s->kept - len : 0;
		adopt(p, s, protocol, d, client);
		if (s->state && before)
			protocol->data(s->state, d, &s->probe_event, s->bytes, before, 0);
		free(s->bytes);
		s->bytes = NULL;
		s->kept = 0;
		return s->state != NULL;
	}
	if (more && !gap && (s->kept || keep(s, d, e, e->data, len)))
		return false;
	/* Some servers speak before they have heard their client, whose first bytes say more. */
	if (!s->kept && !s->other_spoke && !s->encrypted && !from_client(s->conn, d, &known) && known) {
		s->other_spoke = true;
		return false;
	}
	give_up(p, s);
	return false;
}

static const struct protocol *named(const char *name)
{
	for (size_t i = 0; protocol_table[i]; i++) {
		if (!strcmp(protocol_table[i]->name, name))
			return protocol_table[i];
	}
	return NULL;
}

/* Nothing is known of what the connection speaks from now on. */
static void forget(struct stream *s, const struct event *e)
{
	if (s->state)
		s->protocol->close(s->state, e, CONN_CLOSED_BY_US);
	s->state = NULL;
	s->protocol = NULL;
	s->conn->protocol = NULL;
	s->opaque = false;
	s->kept = 0;
	s->tries = 0;
	s->other_spoke = false;
}

static void feed(struct protocols *p, struct stream *s, enum direction d, const struct event *e);

/* Both sides have agreed on another protocol, which goes on in the bytes that were fed last. */
static void turn(struct protocols *p, struct stream *s, enum direction d, const struct event *e, size_t len, size_t gap)
{
	size_t at = len;
	const char *name = s->protocol->turned ? s->protocol->turned(s->state, e->data, len, &at) : NULL;
	const struct protocol *next = name ? named(name) : NULL;
	struct event rest = *e;

	if (!name)
		return;
	forget(s, e);
	if (!next) {
		rest.data += at;
		rest.data_len -= (uint32_t)at;
		rest.ret -= (int64_t)at;
		if (at < len)
			feed(p, s, d, &rest);
		return;
	}
	adopt(p, s, next, d, false);
	if (s->state && (len > at || gap))
		next->data(s->state, d, e, e->data + at, len - at, gap);
}

static void feed(struct protocols *p, struct stream *s, enum direction d, const struct event *e)
{
	size_t total = e->ret > 0 ? (size_t)e->ret : 0, last = event_tail_len(e), len = e->data_len - last;

	if (s->opaque)
		return;
	if (e->id == WIRE_SENDMMSG || e->id == WIRE_RECVMMSG) {
		give_up(p, s);
		return;
	}
	if (e->id != WIRE_READ && e->id != WIRE_WRITE)
		len = last = 0;
	if (len + last > total) {
		len = total;
		last = 0;
	}
	if (!s->state && (len == 0 || !probe(p, s, d, e, len, total - len)))
		return;
	s->protocol->data(s->state, d, e, e->data, len, total - len - last);
	if (last && !s->opaque)
		s->protocol->data(s->state, d, e, e->data + len, last, 0);
	turn(p, s, d, e, len, total - len - last);
}

static void on_data(void *ctx, struct conn *c, enum direction d, const struct event *e)
{
	struct stream *s = stream_of(ctx, c);

	/* Of an encrypted connection whose plaintext is known, only the end counts. */
	if (s && !(s->plain && e->ret > 0))
		feed(ctx, s, d, e);
}

/* From now on the connection speaks inside of TLS: what was thought of its first bytes, or spoken before (STARTTLS), is over. */
static void turn_plain(struct stream *s, const struct event *e)
{
	forget(s, e);
	s->plain = true;
}

static void on_plain(void *ctx, struct conn *c, enum direction d, const struct event *e)
{
	struct stream *s = stream_of(ctx, c);

	if (!s)
		return;
	if (!s->plain)
		turn_plain(s, e);
	feed(ctx, s, d, e);
}

static void on_close(void *ctx, struct conn *c, const struct event *e)
{
	if (c->protocol_state)
		stream_end(ctx, c->protocol_state, e, c->end);
}

static void on_event(void *ctx, const struct event *e)
{
	struct protocols *p = ctx;

	if (e->id != WIRE_LOSS || e->a1 == 0)
		return;
	for (struct stream *s = p->streams; s; s = s->next) {
		if (s->state && (e->pid == 0 || s->conn->process->pid == e->pid))
			s->protocol->resync(s->state);
	}
}

const struct observer protocols_observer = {
	.rare_event = on_event,
	.conn_data = on_data,
	.conn_plain = on_plain,
	.conn_close = on_close,
};
