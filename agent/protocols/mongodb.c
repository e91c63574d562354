/*
 * MongoDB's OP_MSG: a command is a document whose first element is its name; its answer names the request that it answers.
 *
 * One struct mongodb a connection. What drivers do by themselves (hello, authentication) is no request. Of what was compressed by snappy or
 * zlib the beginning is unpacked; by zstd, it is a command without a name.
 */
#include "protocols/mongodb.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "protocols/bson.h"
#include "protocols/frames.h"
#include "protocols/unpack.h"

#define OP_REPLY 1U
#define OP_QUERY 2004U
#define OP_COMPRESSED 2012U
#define OP_MSG 2013U
#define HEAD 16U
#define MESSAGE_MAX (64U << 20)
#define MORE_TO_COME 2U
#define PACKED_HEAD 9U     /* behind the head: the code inside, its size, how it was packed */
#define UNPACKED_MAX 4096U /* of a message: a command's name and what is next to it */

/* How a message was packed. */
enum { PACKED_NOT, PACKED_SNAPPY, PACKED_ZLIB };

struct mongodb {
	struct talk talk; /* first */
	struct frames client, server;
};

static bool is_opcode(uint32_t code)
{
	return code == OP_MSG || code == OP_QUERY || code == OP_COMPRESSED || code == OP_REPLY;
}

static uint64_t message_size(struct frames *f, const uint8_t *head)
{
	uint32_t n = talk_le32(head);

	(void)f;
	return n >= HEAD && n <= MESSAGE_MAX && is_opcode(talk_le32(head + 12)) ? n : 0;
}

static bool begins(struct frames *f, const uint8_t *bytes, size_t len)
{
	return len >= HEAD && message_size(f, bytes);
}

/* The command's document in an OP_MSG: the section of kind 0. */
static bool body(const uint8_t *b, size_t len, struct bson *ret)
{
	size_t at = HEAD + 4;

	while (at < len) {
		if (b[at] == 0)
			return bson_begin(ret, b + at + 1, len - at - 1);
		if (b[at] != 1 || len - at < 5)
			return false;
		at += 1 + (size_t)talk_le32(b + at + 1);
	}
	return false;
}

static bool is_own(const char *command)
{
	static const char *const own[] = {"hello", "ismaster", "saslStart", "saslContinue", "authenticate", "getnonce"};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (!strcasecmp(command, own[i]))
			return true;
	}
	return false;
}

/* A command's name is letters; a document that a client sends under another name is not repeated. */
static bool is_name(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++) {
		if (!isalpha((unsigned char)text[i]) && text[i] != '_')
			return false;
	}
	return n > 1 && n < 32;
}

static void command(struct mongodb *s, const uint8_t *b, size_t len, uint64_t size)
{
	struct bson doc;
	struct bson_element e;
	const char *text;
	size_t n;

	if (!body(b, len, &doc) || !bson_next(&doc, &e) || is_own(e.key))
		return;
	struct talk_call *q = talk_call_new(&s->talk, &s->client.from, size);
	if (!q)
		return;
	q->key = talk_le32(b + 4);
	memcpy(q->r.method, is_name(e.key) ? e.key : "_OTHER", strlen(is_name(e.key) ? e.key : "_OTHER") + 1);
	text = bson_text(&e, &n);
	if (text)
		talk_text(q->r.target, sizeof(q->r.target), (const uint8_t *)text, n);
	q->r.operation_key = talk_hash(TALK_HASH_START, e.key, strlen(e.key) + 1 + e.len);
	while (bson_next(&doc, &e)) {
		if (bson_is(&e, "$db") && (text = bson_text(&e, &n)))
			talk_text(q->r.space, sizeof(q->r.space), (const uint8_t *)text, n);
		if (bson_is(&e, "collection") && !q->r.target[0] && (text = bson_text(&e, &n)))
			talk_text(q->r.target, sizeof(q->r.target), (const uint8_t *)text, n);
		/* Sessions, transactions and cluster times differ from attempt to attempt. */
		if (!bson_is(&e, "lsid") && !bson_is(&e, "txnNumber") && !bson_is(&e, "$clusterTime"))
			q->r.operation_key = talk_hash(q->r.operation_key, e.key, strlen(e.key) + 1 + e.len);
	}
	size_t used = strlen(q->r.method);
	memcpy(q->r.summary, q->r.method, used + 1);
	if (q->r.target[0] && used + strlen(q->r.target) + 2 <= sizeof(q->r.summary)) {
		q->r.summary[used] = ' ';
		memcpy(q->r.summary + used + 1, q->r.target, strlen(q->r.target) + 1);
	}
	talk_announce(&s->talk, q);
	if (talk_le32(b + HEAD) & MORE_TO_COME)
		talk_end(&s->talk, q, REQUEST_DONE);
}

/* An OP_COMPRESSED as the OP_MSG that is in it, cut; how long that is, 0 if it cannot be read. */
static size_t unpack(const uint8_t *b, size_t len, uint8_t out[UNPACKED_MAX])
{
	const uint8_t *const packed = b + HEAD + PACKED_HEAD;
	const size_t n = len > HEAD + PACKED_HEAD ? len - HEAD - PACKED_HEAD : 0, room = UNPACKED_MAX - HEAD;
	size_t got = 0;

	if (n == 0 || talk_le32(b + HEAD) != OP_MSG)
		return 0;
	memcpy(out, b, HEAD);
	switch (b[HEAD + 8]) {
	case PACKED_NOT:
		got = n < room ? n : room;
		memcpy(out + HEAD, packed, got);
		break;
	case PACKED_SNAPPY:
		got = unpack_snappy(packed, n, out + HEAD, room);
		break;
	case PACKED_ZLIB:
		got = unpack_zlib(packed, n, out + HEAD, room);
		break;
	default:
		break;
	}
	return got > 0 ? got + HEAD : 0;
}

/* What drivers do by themselves is not compressed, so it is a command. */
static void packed_command(struct mongodb *s, const uint8_t *b, size_t len, uint64_t size)
{
	uint8_t unpacked[UNPACKED_MAX];
	const size_t n = unpack(b, len, unpacked);
	struct talk_call *q;

	if (n > 0) {
		command(s, unpacked, n, size);
		explicit_bzero(unpacked, n);
		return;
	}
	q = talk_call_new(&s->talk, &s->client.from, size);
	if (!q)
		return;
	q->key = talk_le32(b + 4);
	strcpy(q->r.method, "_OTHER");
	strcpy(q->r.summary, "_OTHER");
	q->r.operation_key = talk_hash(TALK_HASH_START, b + HEAD, len - HEAD);
	talk_announce(&s->talk, q);
}

static void client_frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct mongodb *s = (struct mongodb *)f->t;

	if (len >= HEAD + 10 && talk_le32(b + 12) == OP_MSG)
		command(s, b, len, size);
	else if (len >= HEAD + 10 && talk_le32(b + 12) == OP_COMPRESSED)
		packed_command(s, b, len, size);
}

/* Not primary, shutting down, lost network, write conflict: what drivers themselves repeat. */
static bool is_transient(int64_t code)
{
	static const int16_t codes[] = {6, 7, 89, 91, 112, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (code == codes[i])
			return true;
	}
	return false;
}

/* What a document says of an error. */
struct outcome {
	int64_t ok, code;
	const char *name;
	size_t name_len;
};

static void outcome_element(const struct bson_element *e, struct outcome *o)
{
	int64_t number;
	const char *text;
	size_t n;

	if (bson_is(e, "ok") && bson_number(e, &number))
		o->ok = number;
	else if (bson_is(e, "code") && bson_number(e, &number))
		o->code = number;
	else if (bson_is(e, "codeName") && (text = bson_text(e, &n)))
		o->name = text, o->name_len = n;
}

/* The document that an element holds. */
static bool inner(const struct bson_element *e, struct bson *ret)
{
	return (e->type == 0x03 || e->type == 0x04) && bson_begin(ret, e->value, e->len);
}

/* Writes that failed are told in an answer that is "ok": the first of them, or what kept them from being durable. */
static void outcome_of_writes(const struct bson_element *e, struct outcome *o)
{
	struct bson doc, list;
	struct bson_element first;

	if (bson_is(e, "writeErrors")) {
		if (!inner(e, &list) || !bson_next(&list, &first) || !inner(&first, &doc))
			return;
	} else if (!bson_is(e, "writeConcernError") || o->code || !inner(e, &doc)) {
		return;
	}
	while (bson_next(&doc, &first))
		outcome_element(&first, o);
	o->ok = 0;
}

static void result(struct talk_call *q, const uint8_t *b, size_t len)
{
	struct bson doc;
	struct bson_element e;
	struct outcome all = {.ok = 1}, writes = {.ok = 1};

	if (!body(b, len, &doc))
		return;
	while (bson_next(&doc, &e)) {
		outcome_element(&e, &all);
		outcome_of_writes(&e, &writes);
	}
	const struct outcome *o = all.ok ? &writes : &all;
	if (o->ok)
		return;
	if (o->name || !o->code)
		talk_fail(q, o->name ? o->name : "error", o->name ? o->name_len : 5, is_transient(o->code));
	else
		talk_fail_number(q, (int)o->code, is_transient(o->code));
	q->r.status = (int)o->code;
}

static void server_frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct talk_call *q = len >= HEAD ? talk_find(f->t, talk_le32(b + 8)) : NULL;

	if (!q)
		return;
	talk_answer(f->t, q, size);
	if (talk_le32(b + 12) == OP_MSG) {
		result(q, b, len);
	} else if (talk_le32(b + 12) == OP_COMPRESSED) {
		uint8_t unpacked[UNPACKED_MAX];
		const size_t n = unpack(b, len, unpacked);

		if (n > 0)
			result(q, unpacked, n);
		explicit_bzero(unpacked, n);
	}
	talk_end(f->t, q, REQUEST_DONE);
}

static const struct frames_ops client_ops = {.size = message_size, .frame = client_frame, .begins = begins};
static const struct frames_ops server_ops = {.size = message_size, .frame = server_frame, .begins = begins};

static void mongodb_feed(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	struct mongodb *s = (struct mongodb *)t;

	frames_feed(client ? &s->client : &s->server, bytes, len, gap);
}

static void mongodb_lose(struct talk *t)
{
	struct mongodb *s = (struct mongodb *)t;

	frames_lose(&s->client);
	frames_lose(&s->server);
}

static bool mongodb_is_client(const uint8_t *bytes, size_t len)
{
	return len >= HEAD && talk_le32(bytes + 8) == 0;
}

static enum probe_answer mongodb_probe(const uint8_t *bytes, size_t len, bool from_client)
{
	if (!from_client || (len >= 4 && (talk_le32(bytes) < HEAD || talk_le32(bytes) > MESSAGE_MAX)))
		return PROBE_NO;
	if (len < HEAD)
		return PROBE_MORE;
	uint32_t code = talk_le32(bytes + 12);
	return talk_le32(bytes + 8) == 0 && (code == OP_MSG || code == OP_QUERY || code == OP_COMPRESSED) ? PROBE_YES : PROBE_NO;
}

static const struct talk_ops mongodb_ops = {
	.protocol = &mongodb_protocol,
	.area = AREA_DB,
	.system = "mongodb",
	.is_client = mongodb_is_client,
	.feed = mongodb_feed,
	.lose = mongodb_lose,
};

static void *mongodb_open(struct model *m, struct conn *c)
{
	struct mongodb *s = talk_new(sizeof(*s), &mongodb_ops, m, c);

	if (!s)
		return NULL;
	s->client = (struct frames){.ops = &client_ops, .t = &s->talk, .client = true, .head = HEAD};
	s->server = (struct frames){.ops = &server_ops, .t = &s->talk, .head = HEAD};
	if (c->inherited)
		mongodb_lose(&s->talk);
	return s;
}

const struct protocol mongodb_protocol = {
	.name = "mongodb",
	.doc = "MongoDB commands (OP_MSG), as client and server",
	.probe = mongodb_probe,
	.open = mongodb_open,
	.data = talk_data,
	.close = talk_close,
	.resync = talk_resync,
};
