/*
 * Kafka's protocol: requests of many kinds and versions, answered by correlation id. Produce is a message sent, Fetch a receive; the others
 * are told by their names.
 *
 * One struct kafka a connection.
 */
#include "protocols/kafka.h"

#include <string.h>

#include "protocols/frames.h"

#define HEAD 4U
#define API_MAX 100U
#define SIZE_MAX_BYTES (128U << 20)
#define PRODUCE 0
#define FETCH 1
#define PRODUCE_COMPACT 9 /* the version from which on lengths are varints */
#define FETCH_COMPACT 12
#define PRODUCE_BY_ID 13 /* topics are numbers from here on */
#define FETCH_BY_ID 13

static const char *const names[] = {
	"send",
	"poll",
	"list_offsets",
	"metadata",
	[8] = "offset_commit",
	[9] = "offset_fetch",
	"find_coordinator",
	"join_group",
	"heartbeat",
	"leave_group",
	"sync_group",
	"describe_groups",
	"list_groups",
	"sasl_handshake",
	"api_versions",
	"create_topics",
	"delete_topics",
	"delete_records",
	"init_producer_id",
	"offset_for_leader_epoch",
	"add_partitions_to_txn",
	"add_offsets_to_txn",
	"end_txn",
	[28] = "txn_offset_commit",
	[29] = "describe_acls",
	"create_acls",
	"delete_acls",
	"describe_configs",
	"alter_configs",
	[35] = "describe_log_dirs",
	"sasl_authenticate",
	"create_partitions",
	[42] = "delete_groups",
	"elect_leaders",
	"incremental_alter_configs",
	[47] = "offset_delete",
	[60] = "describe_cluster",
	"describe_producers",
	[65] = "describe_transactions",
	"list_transactions",
	[68] = "consumer_group_heartbeat",
	"consumer_group_describe",
	[71] = "get_telemetry_subscriptions",
	"push_telemetry",
	[75] = "describe_topic_partitions",
};

struct kafka {
	struct talk talk; /* first */
	struct frames client, server;
};

/* What is left of a message. `ok` turns false where it ends too early. */
struct cursor {
	const uint8_t *at, *end;
	bool ok;
};

static const uint8_t *take(struct cursor *c, size_t n)
{
	const uint8_t *at = c->at;

	if (!c->ok || (size_t)(c->end - c->at) < n) {
		c->ok = false;
		return NULL;
	}
	c->at += n;
	return at;
}

static int take16(struct cursor *c)
{
	const uint8_t *b = take(c, 2);

	return b ? (int16_t)talk_be16(b) : 0;
}

static uint32_t take32(struct cursor *c)
{
	const uint8_t *b = take(c, 4);

	return b ? talk_be32(b) : 0;
}

static uint32_t take_varint(struct cursor *c)
{
	uint32_t value = 0;

	for (unsigned int shift = 0; shift < 35; shift += 7) {
		const uint8_t *b = take(c, 1);
		if (!b)
			return 0;
		value |= (uint32_t)(*b & 0x7f) << (shift < 28 ? shift : 28);
		if (!(*b & 0x80))
			return value;
	}
	c->ok = false;
	return 0;
}

/* A text or NULL: *ret_len bytes. */
static const uint8_t *take_text(struct cursor *c, bool compact, size_t *ret_len)
{
	int n = compact ? (int)(take_varint(c) & 0xffff) - 1 : take16(c);

	*ret_len = n > 0 ? (size_t)n : 0;
	return take(c, *ret_len);
}

static uint32_t take_count(struct cursor *c, bool compact)
{
	uint32_t n = compact ? take_varint(c) : take32(c);

	return compact ? (n ? n - 1 : 0) : n;
}

static void skip_tags(struct cursor *c)
{
	size_t n = take_varint(c);

	for (size_t i = 0; i < n && c->ok; i++) {
		take_varint(c);
		take(c, take_varint(c));
	}
}

/* -- the client -- */

static void topic(struct talk_call *q, struct cursor *c, bool compact, bool by_id)
{
	size_t n;
	uint32_t topics = take_count(c, compact);

	if (!c->ok || topics == 0 || topics > 100000)
		return;
	q->r.batch = topics;
	if (by_id || topics > 1)
		return;
	const uint8_t *name = take_text(c, compact, &n);
	if (c->ok)
		talk_text(q->r.target, sizeof(q->r.target), name, n);
}

/* False if it asks for no answer. */
static bool produce(struct talk_call *q, struct cursor *c, int version)
{
	bool compact = version >= PRODUCE_COMPACT;
	size_t n;

	q->r.way = MESSAGE_SEND;
	if (compact)
		skip_tags(c);
	if (version >= 3)
		take_text(c, compact, &n);
	int acks = take16(c);
	bool answered = !c->ok || acks != 0;
	take32(c);
	topic(q, c, compact, version >= PRODUCE_BY_ID);
	return answered;
}

static void fetch(struct talk_call *q, struct cursor *c, int version)
{
	bool compact = version >= FETCH_COMPACT;

	q->r.way = MESSAGE_RECEIVE;
	q->standing = true;
	if (compact)
		skip_tags(c);
	/* replica (to 14), longest wait, least bytes, most bytes (3), isolation (4), session and its epoch (7) */
	take(c, (version <= 14 ? 4U : 0U) + 8U + (version >= 3 ? 4U : 0U) + (version >= 4 ? 1U : 0U) + (version >= 7 ? 8U : 0U));
	topic(q, c, compact, version >= FETCH_BY_ID);
}

static void client_frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct cursor c = {.at = b + HEAD, .end = b + len, .ok = len >= HEAD + 8};
	int api = take16(&c), version = take16(&c);
	uint32_t id = take32(&c);
	size_t n;

	if (!c.ok)
		return;
	take_text(&c, false, &n);
	struct talk_call *q = talk_call_new(f->t, &f->from, size);
	if (!q)
		return;
	q->key = id;
	q->kind = (uint8_t)api;
	q->left = (uint32_t)version;
	bool known = api >= 0 && (size_t)api < sizeof(names) / sizeof(names[0]) && names[api];
	memcpy(q->r.method, known ? names[api] : "_OTHER", strlen(known ? names[api] : "_OTHER") + 1);
	bool answered = true;
	if (api == PRODUCE)
		answered = produce(q, &c, version);
	else if (api == FETCH)
		fetch(q, &c, version);
	/* All but the correlation id and the client's name. */
	q->r.operation_key = talk_hash(talk_hash(TALK_HASH_START, b + HEAD, 4), b + HEAD + 8, len - HEAD - 8);
	talk_announce(f->t, q);
	if (!answered)
		talk_end(f->t, q, REQUEST_DONE);
}

/* -- the server -- */

/* Leader moved, not enough replicas, timed out, rebalancing: errors that Kafka calls retriable. */
static bool is_transient(int code)
{
	static const uint8_t codes[] = {2, 3, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 22, 27, 41, 51, 56, 67, 71, 74, 75, 89};

	for (size_t i = 0; i < sizeof(codes); i++) {
		if (code == codes[i])
			return true;
	}
	return false;
}

/* The error of the first partition of the first topic. */
static int first_error(struct cursor *c, bool compact, bool by_id)
{
	size_t n;

	if (take_count(c, compact) == 0)
		return 0;
	if (by_id)
		take(c, 16);
	else
		take_text(c, compact, &n);
	if (take_count(c, compact) == 0)
		return 0;
	take32(c);
	return take16(c);
}

static int produce_error(struct cursor *c, int version)
{
	bool compact = version >= PRODUCE_COMPACT;

	if (compact)
		skip_tags(c);
	return first_error(c, compact, version >= PRODUCE_BY_ID);
}

/* Its own error, or that of what it brings. */
static int fetch_error(struct cursor *c, int version)
{
	bool compact = version >= FETCH_COMPACT;

	if (compact)
		skip_tags(c);
	if (version >= 1)
		take32(c);
	if (version >= 7) {
		int code = take16(c);
		if (code)
			return code;
		take32(c);
	}
	return first_error(c, compact, version >= FETCH_BY_ID);
}

static void server_frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct cursor c = {.at = b + HEAD, .end = b + len, .ok = len >= HEAD + 4};
	struct talk_call *q = talk_find(f->t, take32(&c));

	if (!c.ok || !q)
		return;
	talk_answer(f->t, q, size);
	int code = q->kind == PRODUCE ? produce_error(&c, (int)q->left) : q->kind == FETCH ? fetch_error(&c, (int)q->left) : 0;
	if (c.ok && code)
		talk_fail_number(q, code, is_transient(code));
	talk_end(f->t, q, REQUEST_DONE);
}

/* -- the protocol's entry -- */

static uint64_t size_of(struct frames *f, const uint8_t *head)
{
	uint64_t n = talk_be32(head);

	(void)f;
	return n >= 4 && n <= SIZE_MAX_BYTES ? n + HEAD : 0;
}

static bool server_begins(struct frames *f, const uint8_t *bytes, size_t len)
{
	/* An answer to something that was asked. */
	return len >= 8 && size_of(f, bytes) && talk_find(f->t, talk_be32(bytes + 4));
}

static bool is_request(const uint8_t *b, size_t len)
{
	if (len < 14 || talk_be32(b) < 10 || talk_be32(b) > SIZE_MAX_BYTES)
		return false;
	unsigned int api = talk_be16(b + 4), version = talk_be16(b + 6), client = talk_be16(b + 12);
	if (api > API_MAX || version > 20 || (client > 255 && client != 0xffff) || talk_be32(b) > 1U << 20)
		return false;
	for (size_t i = 14; client != 0xffff && i < len && i < 14 + client; i++) {
		if (b[i] < 32 || b[i] > 126)
			return false;
	}
	return client != 0xffff ? talk_be32(b) >= 10U + client : true;
}

static bool client_begins(struct frames *f, const uint8_t *bytes, size_t len)
{
	(void)f;
	return is_request(bytes, len);
}

static const struct frames_ops client_ops = {.size = size_of, .frame = client_frame, .begins = client_begins};
static const struct frames_ops server_ops = {.size = size_of, .frame = server_frame, .begins = server_begins};

static void kafka_feed(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	struct kafka *s = (struct kafka *)t;

	frames_feed(client ? &s->client : &s->server, bytes, len, gap);
}

static void kafka_lose(struct talk *t)
{
	struct kafka *s = (struct kafka *)t;

	frames_lose(&s->client);
	frames_lose(&s->server);
}

static bool kafka_is_client(const uint8_t *bytes, size_t len)
{
	return is_request(bytes, len);
}

/* The first thing a client says is which versions it wants to know (or its metadata, in old ones): a whole small request that names the
 * client, and whose size agrees with the bytes. */
static enum probe_answer kafka_probe(const uint8_t *bytes, size_t len, bool from_client)
{
	if (!from_client || (len >= 2 && (bytes[0] != 0 || bytes[1] != 0)))
		return PROBE_NO;
	if (len < 14)
		return len < 8 || (talk_be16(bytes + 4) <= API_MAX && talk_be16(bytes + 6) <= 20) ? PROBE_MORE : PROBE_NO;
	unsigned int client = talk_be16(bytes + 12);
	if (!is_request(bytes, len) || !client || client == 0xffff)
		return PROBE_NO;
	uint64_t size = (uint64_t)talk_be32(bytes) + HEAD;
	if (size == len || talk_be16(bytes + 4) <= FETCH || (size < len && is_request(bytes + size, len - (size_t)size)))
		return PROBE_YES;
	return size > len && size < 512 ? PROBE_MORE : PROBE_NO;
}

static const struct talk_ops kafka_ops = {
	.protocol = &kafka_protocol,
	.area = AREA_MESSAGING,
	.system = "kafka",
	.is_client = kafka_is_client,
	.feed = kafka_feed,
	.lose = kafka_lose,
};

static void *kafka_open(struct model *m, struct conn *c)
{
	struct kafka *s = talk_new(sizeof(*s), &kafka_ops, m, c);

	if (!s)
		return NULL;
	s->client = (struct frames){.ops = &client_ops, .t = &s->talk, .client = true, .head = HEAD};
	s->server = (struct frames){.ops = &server_ops, .t = &s->talk, .head = HEAD};
	if (c->inherited)
		kafka_lose(&s->talk);
	return s;
}

const struct protocol kafka_protocol = {
	.name = "kafka",
	.doc = "Kafka produce, fetch and other requests, as client and broker",
	.probe = kafka_probe,
	.open = kafka_open,
	.data = talk_data,
	.close = talk_close,
	.resync = talk_resync,
};
