/*
 * memcached's binary protocol: heads of 24 bytes say what is asked, and how long what follows is. Answers repeat the request's number; quiet
 * requests have none where all is well, which the answer to a later one shows.
 *
 * One struct memcached_binary a connection. Keys and values never leave it. Names are those of the text protocol.
 */
#include "protocols/memcached_binary.h"

#include <string.h>

#include "protocols/frames.h"

#define HEAD 24U
#define ASKED 0x80U
#define ANSWERED 0x81U
#define BODY_MAX (128U << 20)
#define STAT 0x10U

/* A head:  0 magic  1 operation  2 length of the key  4 of extras  5 type, 0  6 status  8 length of the body  12 number  16 version */

static const struct operation {
	const char *name; /* NULL: what clients do by themselves (logging in, saying goodbye) */
	bool known, quiet;
} operations[] = {
	[0x00] = {"get", true, false},       [0x01] = {"set", true, false},    [0x02] = {"add", true, false},
	[0x03] = {"replace", true, false},   [0x04] = {"delete", true, false}, [0x05] = {"incr", true, false},
	[0x06] = {"decr", true, false},      [0x07] = {NULL, true, false},     [0x08] = {"flush_all", true, false},
	[0x09] = {"get", true, true},        [0x0a] = {"noop", true, false},   [0x0b] = {"version", true, false},
	[0x0c] = {"get", true, false},       [0x0d] = {"get", true, true},     [0x0e] = {"append", true, false},
	[0x0f] = {"prepend", true, false},   [STAT] = {"stats", true, false},  [0x11] = {"set", true, true},
	[0x12] = {"add", true, true},        [0x13] = {"replace", true, true}, [0x14] = {"delete", true, true},
	[0x15] = {"incr", true, true},       [0x16] = {"decr", true, true},    [0x17] = {NULL, true, true},
	[0x18] = {"flush_all", true, true},  [0x19] = {"append", true, true},  [0x1a] = {"prepend", true, true},
	[0x1b] = {"verbosity", true, false}, [0x1c] = {"touch", true, false},  [0x1d] = {"gat", true, false},
	[0x1e] = {"gat", true, true},        [0x20] = {NULL, true, false},     [0x21] = {NULL, true, false},
	[0x22] = {NULL, true, false},        [0x23] = {"gat", true, false},    [0x24] = {"gat", true, true},
};

struct memcached_binary {
	struct talk talk; /* first */
	struct frames client, server;
};

static const struct operation *operation_of(uint8_t number)
{
	return number < sizeof(operations) / sizeof(operations[0]) && operations[number].known ? &operations[number] : NULL;
}

static uint64_t message_size(const uint8_t *head, uint8_t magic)
{
	const uint32_t body = talk_be32(head + 8);

	return head[0] == magic && body <= BODY_MAX && (uint32_t)talk_be16(head + 2) + head[4] <= body ? (uint64_t)body + HEAD : 0;
}

static uint64_t size_of(struct frames *f, const uint8_t *head)
{
	return message_size(head, f->client ? ASKED : ANSWERED);
}

static bool begins(struct frames *f, const uint8_t *bytes, size_t len)
{
	return len >= HEAD && operation_of(bytes[1]) != NULL && bytes[5] == 0 && size_of(f, bytes);
}

static uint64_t key_of(const uint8_t *b)
{
	return (uint64_t)b[1] << 32 | talk_be32(b + 12);
}

/* -- the client -- */

static void client_frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	const struct operation *const o = len >= HEAD ? operation_of(b[1]) : NULL;

	if (len < HEAD || (o != NULL && o->name == NULL))
		return;
	if (((struct memcached_binary *)f->t)->server.lost) {
		while (f->t->first)
			talk_end_unseen(f->t, f->t->first);
	}
	struct talk_call *q = talk_call_new(f->t, &f->from, size);
	if (!q)
		return;
	const char *const name = o != NULL ? o->name : "_OTHER";
	memcpy(q->r.method, name, strlen(name) + 1);
	memcpy(q->r.summary, name, strlen(name) + 1);
	memcpy(q->r.text, name, strlen(name) + 1);
	q->key = key_of(b);
	q->kind = b[1];
	q->unseen = o != NULL && o->quiet; /* silence is its answer */
	/* All but its number and the version that it asks for. */
	q->r.operation_key = talk_hash(talk_hash(TALK_HASH_START, b + 1, 11), b + HEAD, len - HEAD);
	talk_announce(f->t, q);
}

/* -- the server -- */

/* A miss, or what is there already, is an answer like any. */
static void error(struct talk_call *q, unsigned int status)
{
	if (status == 0 || status == 1 || status == 2 || status == 5)
		return;
	if (status == 0x81)
		talk_fail(q, "ERROR", 5, false);
	else if (status > 0x81)
		talk_fail(q, "SERVER_ERROR", 12, true);
	else
		talk_fail(q, "CLIENT_ERROR", 12, false);
}

static void server_frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct talk_call *q = len >= HEAD ? talk_find(f->t, key_of(b)) : NULL, *next;

	if (!q)
		return;
	for (struct talk_call *before = f->t->first; before != q; before = next) {
		next = before->next;
		if (before->unseen)
			talk_end(f->t, before, REQUEST_DONE);
	}
	talk_answer(f->t, q, size);
	error(q, talk_be16(b + 6));
	/* Of many numbers the last one has no name. */
	if (q->kind != STAT || talk_be16(b + 2) == 0 || q->r.failed)
		talk_end(f->t, q, REQUEST_DONE);
}

static const struct frames_ops ops[] = {
	{.size = size_of, .frame = server_frame, .begins = begins},
	{.size = size_of, .frame = client_frame, .begins = begins},
};

/* -- the protocol's entry -- */

static void binary_feed(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	struct memcached_binary *s = (struct memcached_binary *)t;

	frames_feed(client ? &s->client : &s->server, bytes, len, gap);
}

static void binary_lose(struct talk *t)
{
	struct memcached_binary *s = (struct memcached_binary *)t;

	frames_lose(&s->client);
	frames_lose(&s->server);
}

static enum probe_answer binary_probe(const uint8_t *bytes, size_t len, bool from_client)
{
	if (!from_client || len == 0)
		return len ? PROBE_NO : PROBE_MORE;
	if (bytes[0] != ASKED || (len > 1 && !operation_of(bytes[1])) || (len > 5 && bytes[5] != 0))
		return PROBE_NO;
	if (len < HEAD)
		return PROBE_MORE;
	return message_size(bytes, ASKED) ? PROBE_YES : PROBE_NO;
}

static bool binary_is_client(const uint8_t *bytes, size_t len)
{
	return len > 0 && bytes[0] == ASKED;
}

static const struct talk_ops binary_ops = {
	.protocol = &memcached_binary_protocol,
	.area = AREA_DB,
	.system = "memcached",
	.is_client = binary_is_client,
	.feed = binary_feed,
	.lose = binary_lose,
};

static void *binary_open(struct model *m, struct conn *c)
{
	struct memcached_binary *s = talk_new(sizeof(*s), &binary_ops, m, c);

	if (!s)
		return NULL;
	s->client = (struct frames){.ops = &ops[1], .t = &s->talk, .client = true, .head = HEAD};
	s->server = (struct frames){.ops = &ops[0], .t = &s->talk, .head = HEAD};
	if (c->inherited)
		binary_lose(&s->talk);
	return s;
}

const struct protocol memcached_binary_protocol = {
	.name = "memcached_binary",
	.doc = "memcached requests in its binary protocol, as client and server",
	.probe = binary_probe,
	.open = binary_open,
	.data = talk_data,
	.close = talk_close,
	.resync = talk_resync,
};
