/*
 * TLS: what its handshake says of a connection (version, server name, protocol inside, alerts), before all else is encrypted. It makes no
 * requests, and leaves the connection's own protocol open: that is known where a TLS library's plaintext is (protocols.c).
 *
 * One struct tls a connection, until both hellos were seen.
 */
#include "protocols/tls.h"

#include "protocols/frames.h"
#include "wire/shared.h"

#define HEAD 5U
#define RECORD_MAX (16384U + 256U)

enum { ALERT = 21, HANDSHAKE = 22, APPLICATION = 23, CLIENT_HELLO = 1, SERVER_HELLO = 2 };
enum { EXTENSION_SERVER_NAME = 0, EXTENSION_ALPN = 16, EXTENSION_VERSIONS = 43 };

struct tls {
	struct talk talk; /* first */
	struct frames client, server;
	bool client_seen, server_seen;
};

struct cursor {
	const uint8_t *at, *end;
};

/* `bytes` of length, then as much; false if it is cut. */
static bool vector(struct cursor *c, unsigned int bytes, struct cursor *ret)
{
	size_t n = 0;

	if ((size_t)(c->end - c->at) < bytes)
		return false;
	for (unsigned int i = 0; i < bytes; i++)
		n = n << 8 | *c->at++;
	if ((size_t)(c->end - c->at) < n)
		return false;
	*ret = (struct cursor){c->at, c->at + n};
	c->at += n;
	return true;
}

static void extension(struct conn_tls *t, unsigned int type, struct cursor v, bool client)
{
	struct cursor list, item;

	if (type == EXTENSION_SERVER_NAME && client) {
		if (vector(&v, 2, &list) && list.at < list.end && *list.at++ == 0 && vector(&list, 2, &item))
			talk_text(t->server_name, sizeof(t->server_name), item.at, (size_t)(item.end - item.at));
	} else if (type == EXTENSION_ALPN && !client) {
		if (vector(&v, 2, &list) && vector(&list, 1, &item))
			talk_text(t->alpn, sizeof(t->alpn), item.at, (size_t)(item.end - item.at));
	} else if (type == EXTENSION_VERSIONS && !client && v.end - v.at == 2) {
		t->version = talk_be16(v.at);
	}
}

static void hello(struct conn_tls *t, const uint8_t *b, size_t len, bool client)
{
	struct cursor c = {b, b + len}, part, list;

	/* version, random, session */
	if (len < 34)
		return;
	if (!client)
		t->version = talk_be16(b);
	c.at += 34;
	if (!vector(&c, 1, &part))
		return;
	if (client ? !vector(&c, 2, &part) || !vector(&c, 1, &part) : c.end - c.at < 3)
		return;
	if (!client)
		c.at += 3;
	/* Extensions may be cut: what is there is read. */
	if (c.end - c.at < 2)
		return;
	list = (struct cursor){c.at + 2, c.end};
	while (list.end - list.at >= 4) {
		unsigned int type = talk_be16(list.at);
		list.at += 2;
		if (!vector(&list, 2, &part))
			return;
		extension(t, type, part, client);
	}
}

static void frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct tls *s = (struct tls *)f->t;
	struct conn_tls *t = &s->talk.c->handshake;

	if (len < HEAD)
		return;
	if (b[0] == HANDSHAKE && len > HEAD + 4 && (b[HEAD] == CLIENT_HELLO || b[HEAD] == SERVER_HELLO)) {
		bool client = b[HEAD] == CLIENT_HELLO;
		hello(t, b + HEAD + 4, len - HEAD - 4, client);
		*(client ? &s->client_seen : &s->server_seen) = true;
	} else if (b[0] == ALERT && size == HEAD + 2 && len == size) {
		/* Once keys are set alerts are longer, as they are encrypted. */
		t->alert = b[HEAD + 1];
	}
	if ((s->client_seen && s->server_seen && t->version) || b[0] == APPLICATION) {
		/* Enough: what follows is encrypted, but for alerts of a handshake that fails, which come at once. */
		talk_opaque(&s->talk);
	}
}

static uint64_t record_size(struct frames *f, const uint8_t *head)
{
	unsigned int n = talk_be16(head + 3);

	(void)f;
	return head[0] >= 20 && head[0] <= 24 && head[1] == 3 && n && n <= RECORD_MAX ? n + (uint64_t)HEAD : 0;
}

static bool begins(struct frames *f, const uint8_t *b, size_t len)
{
	return len >= HEAD && record_size(f, b);
}

static const struct frames_ops ops = {.size = record_size, .frame = frame, .begins = begins};

/* -- the protocol's entry -- */

static void tls_feed(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	struct tls *s = (struct tls *)t;

	frames_feed(client ? &s->client : &s->server, bytes, len, gap);
	if (s->client.lost || s->server.lost)
		talk_opaque(t);
}

static void tls_lose(struct talk *t)
{
	struct tls *s = (struct tls *)t;

	frames_lose(&s->client);
	frames_lose(&s->server);
}

static enum probe_answer tls_probe(const uint8_t *bytes, size_t len, bool from_client)
{
	/* A handshake's record, and in it a hello. */
	if (!from_client || bytes[0] != HANDSHAKE || (len > 1 && bytes[1] != 3) || (len > 5 && bytes[5] != CLIENT_HELLO))
		return PROBE_NO;
	return len > HEAD ? PROBE_YES : PROBE_MORE;
}

static bool tls_is_client(const uint8_t *bytes, size_t len)
{
	return len > HEAD && bytes[HEAD] == CLIENT_HELLO;
}

static const struct talk_ops tls_ops = {
	.protocol = &tls_protocol,
	.is_client = tls_is_client,
	.feed = tls_feed,
	.lose = tls_lose,
};

static void *tls_open(struct model *m, struct conn *c)
{
	struct tls *s = talk_new(sizeof(*s), &tls_ops, m, c);

	if (!s)
		return NULL;
	s->client = (struct frames){.ops = &ops, .t = &s->talk, .client = true, .head = HEAD};
	s->server = (struct frames){.ops = &ops, .t = &s->talk, .head = HEAD};
	return s;
}

const struct protocol tls_protocol = {
	.name = "tls",
	.doc = "TLS handshakes: version, server name, protocol inside",
	.probe = tls_probe,
	.open = tls_open,
	.data = talk_data,
	.close = talk_close,
	.resync = talk_resync,
	.outer = true,
};
