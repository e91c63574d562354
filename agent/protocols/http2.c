/*
 * HTTP/2 (RFC 9113), and gRPC on it: streams of one connection are requests, known by their number. A request ends with its answer's
 * END_STREAM, or when either side resets its stream.
 *
 * One struct http2 a connection. Bodies are counted, not read.
 */
#include "protocols/http2.h"

#include <stdlib.h>
#include <string.h>

#include "protocols/frames.h"
#include "protocols/grpc.h"
#include "protocols/hpack.h"
#include "protocols/http2_field.h"
#include "protocols/http2_frame.h"

#define HEAD HTTP2_FRAME_HEAD
#define FRAME_MAX (1U << 20)    /* larger ones are agreed on by nobody we know */
#define UNSEEN_NS 1000000000ULL /* an answer whose end may be out of sight is over when nothing came for so long */
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define PREFACE_LEN 24U
#define STREAMS_AHEAD 256U /* so far in front of the last one the number of a new stream is believed behind a loss */

/* One direction. */
struct side {
	struct frames frames;
	struct hpack *hpack;
	/* a block that goes on in the next frames */
	uint8_t *block;
	size_t block_len;
	uint32_t stream;
	uint8_t flags;
	bool cut;
	bool doubt; /* frames were not seen: whether a block was among them is settled at the next one */
	struct talk_mark from;
	uint64_t size;
};

struct http2 {
	struct talk talk; /* first */
	struct side client, server;
	size_t preface;       /* bytes of it that were seen */
	uint32_t last_stream; /* whose block was seen */
	uint32_t told_stream; /* up to here requests are told, seen or not */
};

static struct http2 *http2_of(struct frames *f)
{
	return (struct http2 *)f->t;
}

static uint64_t frame_size(struct frames *f, const uint8_t *head)
{
	uint64_t n = (uint64_t)head[0] << 16 | (uint64_t)head[1] << 8 | head[2];

	(void)f;
	/* Unknown types are to be ignored; but after a loss they are noise. */
	return n <= FRAME_MAX && head[3] < 0x20 ? n + HEAD : 0;
}

/* -- blocks -- */

/* Requests whose blocks lay in what was not captured of a call: streams are opened in order, and clients leave none out (RFC 9113, 5.1.1), so
 * the number of a later one tells them. Those below `stream`. */
static void opened_unseen(struct http2 *s, uint32_t stream)
{
	const uint32_t next = s->told_stream + 2;

	if (!s->talk.cut || s->told_stream == 0 || stream <= next || stream - next > 2 * STREAMS_AHEAD)
		return;
	for (uint32_t id = next; id < stream; id += 2) {
		struct talk_call *q = talk_call_unseen(&s->talk);
		if (!q)
			return;
		q->key = id;
		q->r.version = 20;
		s->told_stream = id;
	}
}

static void request(struct http2 *s, struct side *side, const struct http2_block *b)
{
	struct talk_call *next;

	/* Trailers of a request that was answered before it was over. */
	if (!b->has_method && side->stream <= s->last_stream)
		return;
	opened_unseen(s, side->stream);
	s->last_stream = s->told_stream = side->stream;
	for (struct talk_call *q = s->talk.first; q; q = next) {
		next = q->next;
		if (q->unseen && q->r.answered && q->r.t_last_byte + UNSEEN_NS < side->from.ns)
			talk_end_unseen(&s->talk, q);
	}
	struct talk_call *q = talk_call_new(&s->talk, &side->from, side->size);
	if (!q)
		return;
	struct request *r = &q->r;
	q->key = side->stream;
	r->version = 20;
	memcpy(r->method, b->has_method ? b->head.method : "_OTHER", strlen(b->has_method ? b->head.method : "_OTHER") + 1);
	memcpy(r->method_original, b->head.method_original, sizeof(r->method_original));
	memcpy(r->path, b->head.path, sizeof(r->path));
	memcpy(r->query, b->head.query, sizeof(r->query));
	memcpy(r->host, b->head.host, sizeof(r->host));
	memcpy(r->traceparent, b->head.traceparent, sizeof(r->traceparent));
	r->idempotency_key = b->head.idempotency_key;
	r->reads = b->head.reads;
	r->attempt = b->head.attempt;
	r->waits = b->head.waits;
	r->deadline_ns = b->head.deadline_ns;
	if (b->grpc)
		grpc_name(r);
	talk_announce(&s->talk, q);
}

static void response(struct http2 *s, struct side *side, const struct http2_block *b)
{
	if (side->stream % 2 && side->stream > s->told_stream)
		opened_unseen(s, side->stream + 2);

	struct talk_call *q = talk_find(&s->talk, side->stream);

	if (!q)
		return;
	talk_answer(&s->talk, q, side->size);
	if (q->r.area == AREA_HTTP && b->head.status >= 200)
		q->r.status = b->head.status;
	if (b->head.retry_after_ns >= 0)
		q->r.retry_after_ns = b->head.retry_after_ns;
	if (b->grpc_status >= 0)
		grpc_status(&q->r, b->grpc_status);
	if (side->flags & END_STREAM)
		talk_end(&s->talk, q, REQUEST_DONE);
}

/* Streams are opened in order: where none was left out, no block of the client's was missed (its requests have no trailers, but for rare
 * ones). */
static void settle_client(struct http2 *s, struct side *side)
{
	if (side->stream <= s->last_stream)
		return;
	if (side->stream != (s->last_stream ? s->last_stream + 2 : 1)) {
		hpack_lose(side->hpack);
		if (s->server.doubt)
			hpack_lose(s->server.hpack);
	}
	side->doubt = false;
}

/* No block of the server's was missed where each answer that was under way goes on: this one with its trailers, others with their bodies.
 * Whether there were answers to requests that were missed is known with the client's next one. */
static void settle_server(struct http2 *s, struct side *side)
{
	bool missed = false;

	for (const struct talk_call *q = s->talk.first; q; q = q->next)
		missed |= q->unseen && (q->key != side->stream || !q->r.answered);
	if (missed)
		hpack_lose(side->hpack);
	side->doubt = s->client.doubt && !missed;
}

static void block_ends(struct http2 *s, struct side *side, const uint8_t *bytes, size_t len)
{
	struct http2_block b = {.head.retry_after_ns = -1, .now_ns = s->talk.e.t1, .grpc_status = -1};

	if (side->doubt && side == &s->server)
		settle_server(s, side);
	else if (side->doubt)
		settle_client(s, side);
	hpack_doubt(side->hpack, side->doubt);
	hpack_block(side->hpack, bytes, len, side->cut, http2_field, &b);
	/* Interim answers and trailers are blocks like any. */
	if (side == &s->server)
		response(s, side, &b);
	else if (!talk_find(&s->talk, side->stream))
		request(s, side, &b);
}

static void block_drop(struct side *side)
{
	free(side->block);
	side->block = NULL;
	side->block_len = 0;
}

static void block_part(struct http2 *s, struct side *side, const uint8_t *bytes, size_t len, bool cut, bool last)
{
	side->cut |= cut;
	if (last && !side->block) {
		block_ends(s, side, bytes, len);
		return;
	}
	size_t room = LIMIT_HTTP_HEAD_BYTES - side->block_len;
	if (!side->block && !(side->block = malloc(LIMIT_HTTP_HEAD_BYTES))) {
		side->cut = true;
		return;
	}
	/* What comes behind a hole cannot be read. */
	size_t n = side->cut && !cut ? 0 : len < room ? len : room;
	memcpy(side->block + side->block_len, bytes, n);
	side->block_len += n;
	side->cut |= n < len;
	if (!last)
		return;
	block_ends(s, side, side->block, side->block_len);
	block_drop(side);
}

/* -- frames -- */

static void headers(struct http2 *s, struct side *side, const uint8_t *b, size_t len, uint64_t size)
{
	size_t at, n;

	block_drop(side);
	if (!http2_frame_payload(b, len, size, &at, &n)) {
		hpack_lose(side->hpack);
		return;
	}
	side->stream = talk_be32(b + 5) & 0x7fffffff;
	/* A promise's block is about another stream: it is read for its entries. */
	if (b[3] == PUSH_PROMISE)
		side->stream = 0;
	side->flags = b[4];
	side->cut = false;
	side->from = side->frames.from;
	side->size = size;
	block_part(s, side, b + at, n, len < size, b[4] & END_HEADERS);
}

static void data(struct http2 *s, const struct side *side, const uint8_t *b, uint64_t size)
{
	struct talk_call *q = talk_find(&s->talk, talk_be32(b + 5) & 0x7fffffff);

	if (!q)
		return;
	if (side == &s->client) {
		q->r.request_bytes += size;
		q->r.t_sent = s->talk.e.t1;
		return;
	}
	/* It goes on: nothing of it that matters was missed. */
	q->doubted |= q->unseen && q->r.answered;
	q->unseen &= !q->r.answered;
	talk_answer(&s->talk, q, size);
	if (b[4] & END_STREAM)
		talk_end(&s->talk, q, REQUEST_DONE);
}

/* A reset by the client is its giving up; of a server, a refusal. */
static void reset(struct http2 *s, const struct side *side, const uint8_t *b, size_t len)
{
	struct talk_call *q = talk_find(&s->talk, talk_be32(b + 5) & 0x7fffffff);

	const uint32_t code = len >= HEAD + 4 ? talk_be32(b + HEAD) : 0;

	if (!q)
		return;
	/* curl resets streams that are over, too: of one whose end may be out of sight it says nothing. */
	if (side == &s->client && q->r.answered && (q->unseen || q->doubted) && (q->r.area != AREA_RPC || code == 0)) {
		talk_end_unseen(&s->talk, q);
		return;
	}
	if (q->r.area == AREA_RPC && len >= HEAD + 4)
		grpc_reset(&q->r, code, side == &s->client, s->talk.e.t1);
	talk_end(&s->talk, q, side == &s->client ? REQUEST_ABANDONED : REQUEST_RESET);
}

static void frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct http2 *s = http2_of(f);
	struct side *side = f->client ? &s->client : &s->server;

	if (len < HEAD)
		return;
	switch (b[3]) {
	case DATA:
		data(s, side, b, size);
		break;
	case HEADERS:
	case PUSH_PROMISE:
		headers(s, side, b, len, size);
		break;
	case CONTINUATION:
		side->size += size;
		if (side->stream == (talk_be32(b + 5) & 0x7fffffff))
			block_part(s, side, b + HEAD, len - HEAD, len < size, b[4] & END_HEADERS);
		break;
	case RST_STREAM:
		reset(s, side, b, len);
		break;
	default:
		break;
	}
}

static bool begins(struct frames *f, const uint8_t *b, size_t len)
{
	(void)f;
	return http2_frames_sensible(b, len);
}

static bool http2_is_client(const uint8_t *bytes, size_t len)
{
	if (len >= 4 && !memcmp(bytes, PREFACE, len < PREFACE_LEN ? len : PREFACE_LEN))
		return true;
	/* A request's block is the client's; it begins with the method, which is in the static table. */
	return len > HEAD && bytes[3] == HEADERS && (bytes[4] & HAS_PRIORITY || (bytes[HEAD] >= 0x82 && bytes[HEAD] <= 0x87));
}

/* Does a frame begin here that only an exchange of this connection can have: a block of a stream that is open, or of the next one, or a reset? */
static bool is_own(const struct http2 *s, bool client, const uint8_t *b, size_t len)
{
	uint32_t stream = talk_be32(b + 5);

	if (!http2_frame_sensible(b) || b[0] || (b[3] != HEADERS && b[3] != RST_STREAM))
		return false;
	if (talk_find(&s->talk, stream))
		return b[3] == RST_STREAM || (!client && (b[4] & END_HEADERS));
	return client && http2_is_client(b, len) && (b[4] & END_HEADERS) && stream % 2 && stream > s->last_stream &&
	       stream - s->last_stream <= STREAMS_AHEAD;
}

/* Trailers stand behind a body whose frames could not be followed. */
static size_t seek(struct frames *f, const uint8_t *b, size_t len)
{
	const struct http2 *s = http2_of(f);

	for (size_t at = 0; at + HEAD <= len; at++) {
		if (is_own(s, f->client, b + at, len - at) && begins(f, b + at, len - at))
			return at;
	}
	return len;
}

static void forget(struct side *side)
{
	if (side->block)
		hpack_lose(side->hpack);
	block_drop(side);
	side->doubt = true;
}

/* What there is of a block still says the most: a request's method, an answer's status. */
static void lost(struct frames *f)
{
	struct http2 *s = http2_of(f);
	struct side *side = f->client ? &s->client : &s->server;

	if (side->block) {
		side->cut = true;
		block_ends(s, side, side->block, side->block_len);
	}
	if (f->client)
		talk_cut(f->t);
	forget(side);
}

static const struct frames_ops ops = {.size = frame_size, .frame = frame, .begins = begins, .seek = seek, .lost = lost};

/* -- the protocol's entry -- */

static void http2_feed(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	struct http2 *s = (struct http2 *)t;

	while (client && len && s->preface < PREFACE_LEN) {
		s->preface++;
		bytes++;
		len--;
	}
	frames_feed(client ? &s->client.frames : &s->server.frames, bytes, len, gap);
}

static void http2_lose(struct talk *t)
{
	struct http2 *s = (struct http2 *)t;

	s->preface = PREFACE_LEN;
	s->told_stream = 0;
	frames_lose(&s->client.frames);
	frames_lose(&s->server.frames);
	forget(&s->client);
	forget(&s->server);
	/* No open request is left to tell what was missed. */
	hpack_lose(s->server.hpack);
}

static void http2_done(struct talk *t)
{
	struct http2 *s = (struct http2 *)t;

	block_drop(&s->client);
	block_drop(&s->server);
	hpack_free(s->client.hpack);
	hpack_free(s->server.hpack);
}

static enum probe_answer http2_probe(const uint8_t *bytes, size_t len, bool from_client)
{
	size_t n = len < PREFACE_LEN ? len : PREFACE_LEN;

	if (!from_client || memcmp(bytes, PREFACE, n) != 0)
		return PROBE_NO;
	return n == PREFACE_LEN ? PROBE_YES : PROBE_MORE;
}

/* Frames to the end of what was captured, and a block of headers among them. */
static enum probe_answer http2_probe_midway(const uint8_t *bytes, size_t len, bool from_client)
{
	if (!begins(NULL, bytes, len))
		return PROBE_NO;
	bool any = false;
	for (size_t at = 0; at + HEAD < len; at += HEAD + ((size_t)bytes[at] << 16 | (size_t)bytes[at + 1] << 8 | bytes[at + 2]))
		any |= bytes[at + 3] == HEADERS && http2_is_client(bytes + at, len - at) == from_client;
	return any ? PROBE_YES : PROBE_NO;
}

static const struct talk_ops http2_ops = {
	.protocol = &http2_protocol,
	.area = AREA_HTTP,
	.is_client = http2_is_client,
	.feed = http2_feed,
	.lose = http2_lose,
	.done = http2_done,
};

static void *http2_open(struct model *m, struct conn *c)
{
	struct http2 *s = talk_new(sizeof(*s), &http2_ops, m, c);

	if (!s)
		return NULL;
	s->client.frames = (struct frames){.ops = &ops, .t = &s->talk, .client = true, .head = HEAD};
	s->server.frames = (struct frames){.ops = &ops, .t = &s->talk, .head = HEAD};
	s->client.hpack = hpack_new();
	s->server.hpack = hpack_new();
	if (!s->client.hpack || !s->server.hpack) {
		http2_done(&s->talk);
		free(s);
		return NULL;
	}
	/* Frames of many streams come in one call. */
	talk_wide(&s->talk);
	if (c->inherited)
		http2_lose(&s->talk);
	return s;
}

const struct protocol http2_protocol = {
	.name = "http2",
	.doc = "HTTP/2 requests and gRPC calls, as client and server",
	.probe = http2_probe,
	.probe_midway = http2_probe_midway,
	.open = http2_open,
	.data = talk_data,
	.close = talk_close,
	.resync = talk_resync,
};
