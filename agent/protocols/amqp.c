/*
 * AMQP 0-9-1: messages published, delivered and fetched. A publish ends with the last byte of its content, a delivery too; basic.get ends
 * with what it got. Other methods are no requests.
 *
 * Many deliveries come in one call, more than is captured of it. A channel numbers them from 1 on (delivery tags), so that the next one in
 * sight, or the client's word that it has one, tells how many there were.
 *
 * One struct amqp a connection. Deliveries to us are requests that the broker makes: their span is a consumer's.
 */
#include "protocols/amqp.h"

#include <string.h>

#include "protocols/frames.h"

#define HEAD 7U
#define FRAME_METHOD 1U
#define FRAME_HEADER 2U
#define FRAME_BODY 3U
#define FRAME_HEARTBEAT 8U
#define FRAME_END 0xceU
#define FRAME_MAX (16U << 20)
#define CLASS_CONNECTION 10U
#define CLASS_CHANNEL 20U
#define CLASS_BASIC 60U
#define CHANNELS 64U     /* whose deliveries are counted; one that shares its place with another begins anew */
#define HIDDEN_MAX 4096U /* deliveries out of sight at once, as many as 256 KiB hold: more are bytes that looked like a number */
#define GET_WAITS (1U << 20) /* in a call's key: asked for, and nothing of its answer was seen */

enum { OPEN = 10, CHANNEL_CLOSE = 40, CONNECTION_CLOSE = 50 };
enum { PUBLISH = 40, DELIVER = 60, GET = 70, GET_OK = 71, GET_EMPTY = 72, ACK = 80, REJECT = 90, NACK = 120 };

/* What was delivered on a channel. */
struct channel {
	uint16_t number;
	bool known;           /* `last` is true: seen from its opening on, or since a tag was seen */
	uint64_t last;        /* tag */
	uint64_t destination; /* the last one's operation key */
	uint64_t alike;       /* deliveries in a row that had it */
};

struct amqp {
	struct talk talk; /* first */
	struct frames client, server;
	bool greeted; /* the client's eight bytes are behind us */
	size_t greeting;
	struct channel channels[CHANNELS];
	uint64_t target_key; /* of the destination that `target` names */
	char target[sizeof(((struct request *)0)->target)];
};

static struct amqp *amqp_of(struct frames *f)
{
	return (struct amqp *)f->t;
}

static uint64_t frame_size(struct frames *f, const uint8_t *head)
{
	uint32_t n = talk_be32(head + 3);

	(void)f;
	return (head[0] == FRAME_METHOD || head[0] == FRAME_HEADER || head[0] == FRAME_BODY || head[0] == FRAME_HEARTBEAT) &&
			       n < FRAME_MAX
		       ? (uint64_t)n + HEAD + 1
		       : 0;
}

static bool begins(struct frames *f, const uint8_t *b, size_t len)
{
	uint64_t n = len >= HEAD ? frame_size(f, b) : 0;

	return n && n <= len && b[n - 1] == FRAME_END && (b[0] == FRAME_METHOD || b[0] == FRAME_HEARTBEAT);
}

/* A short text at *at: one byte of length. False if it is cut. */
static bool short_text(const uint8_t *b, size_t len, size_t *at, const uint8_t **ret, size_t *ret_len)
{
	if (*at >= len || len - *at - 1 < b[*at])
		return false;
	*ret = b + *at + 1;
	*ret_len = b[*at];
	*at += 1 + *ret_len;
	return true;
}

/* The exchange and the key of the route: where there is no exchange, the key is the queue. Names that a broker made up say nothing. */
static void destination(struct talk_call *q, const uint8_t *b, size_t len, size_t at)
{
	const uint8_t *exchange, *key;
	size_t n, key_len;

	if (!short_text(b, len, &at, &exchange, &n) || !short_text(b, len, &at, &key, &key_len))
		return;
	q->r.operation_key = talk_hash(talk_hash(TALK_HASH_START, exchange, n), key, key_len);
	if (n)
		talk_text(q->r.target, sizeof(q->r.target), exchange, n);
	else if (key_len < 4 || memcmp(key, "amq.", 4) != 0)
		talk_text(q->r.target, sizeof(q->r.target), key, key_len);
}

/* Channel and direction name the content that is under way. */
static uint64_t content_key(const uint8_t *b, const struct frames *f)
{
	return (uint64_t)talk_be16(b + 1) << 1 | f->client;
}

/* key: of the content that belongs to it. One that is still open had its end where nothing was captured: channels carry one at a time. */
static struct talk_call *message(struct amqp *s, struct frames *f, const char *operation, enum message_way way, uint64_t key,
				 uint64_t size)
{
	struct talk_call *q = talk_find(&s->talk, key);

	if (q && q->unseen)
		talk_end_unseen(&s->talk, q);
	q = talk_call_new(&s->talk, &f->from, size);
	if (!q)
		return NULL;
	q->key = key;
	memcpy(q->r.method, operation, strlen(operation) + 1);
	q->r.way = way;
	q->kind = (uint8_t)way;
	return q;
}

static struct channel *channel_of(struct amqp *s, unsigned int number)
{
	struct channel *c = &s->channels[number % CHANNELS];

	if (c->number != number)
		*c = (struct channel){.number = (uint16_t)number};
	return c;
}

static uint64_t waiting_key(const struct amqp *s, const uint8_t *b)
{
	return content_key(b, &s->server) | GET_WAITS;
}

/* A delivery that was made where nothing was captured. It went where those around it went, if they agree. */
static void hidden(struct amqp *s, struct frames *f, const struct channel *c)
{
	struct talk_call *q = talk_call_new(&s->talk, &f->from, 0);

	if (!q)
		return;
	strcpy(q->r.method, "deliver");
	q->r.way = MESSAGE_DELIVER;
	q->kind = MESSAGE_DELIVER;
	if (c->alike > 1 && c->destination == s->target_key) {
		memcpy(q->r.target, s->target, sizeof(q->r.target));
		q->r.operation_key = c->destination;
	}
	talk_announce(&s->talk, q);
	talk_end_unseen(&s->talk, q);
}

/* There is a delivery with this tag; here: in this frame. */
static void tagged(struct amqp *s, struct frames *f, const uint8_t *b, uint64_t tag, bool here)
{
	struct channel *c = channel_of(s, talk_be16(b + 1));
	uint64_t n = c->known && tag > c->last ? tag - c->last - here : 0;
	struct talk_call *q = n ? talk_find(&s->talk, waiting_key(s, b)) : NULL;

	if (here)
		c->known = true;
	if (here || (c->known && tag > c->last))
		c->last = tag;
	if (q && q->unseen) { /* one of them is what it got */
		talk_end_unseen(&s->talk, q);
		n--;
	}
	for (n = n > HIDDEN_MAX ? 0 : n; n; n--)
		hidden(s, f, c);
}

/* The client says that it has the message with this tag, and those before it. */
static void acknowledged(struct amqp *s, struct frames *f, const uint8_t *b, uint64_t tag)
{
	const struct channel *c = channel_of(s, talk_be16(b + 1));
	struct talk_call *q = c->known && tag >= c->last ? talk_find(&s->talk, content_key(b, &s->server)) : NULL;

	if (q)
		talk_end_unseen(&s->talk, q);
	tagged(s, f, b, tag, false);
}

static uint64_t be64(const uint8_t *b)
{
	return (uint64_t)talk_be32(b) << 32 | talk_be32(b + 4);
}

static void delivered(struct amqp *s, struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct talk_call *q = message(s, f, "deliver", MESSAGE_DELIVER, content_key(b, f), size);
	struct channel *c = channel_of(s, talk_be16(b + 1));
	size_t at = HEAD + 4, n;
	const uint8_t *consumer;

	if (!q)
		return;
	if (short_text(b, len, &at, &consumer, &n) && len - at > 9) {
		destination(q, b, len, at + 9);
		c->alike = c->destination == q->r.operation_key ? c->alike + 1 : 1;
		c->destination = q->r.operation_key;
		if (s->target_key != c->destination) {
			s->target_key = c->destination;
			memcpy(s->target, q->r.target, sizeof(s->target));
		}
		tagged(s, f, b, be64(b + at), true);
	}
	talk_announce(&s->talk, q);
}

/* A channel is opened: it counts from 1 on. Or the server closes one, or all: a number from 300 on says why. */
static void channel_method(struct amqp *s, struct frames *f, const uint8_t *b, size_t len)
{
	const unsigned int class = talk_be16(b + HEAD), number = talk_be16(b + HEAD + 2), channel = talk_be16(b + 1);
	struct talk_call *next;

	if (class == CLASS_CHANNEL && number == OPEN && f->client) {
		struct channel *c = channel_of(s, channel);
		*c = (struct channel){.number = c->number, .known = true};
	}
	if (f->client || len < HEAD + 6 || number != (class == CLASS_CHANNEL ? CHANNEL_CLOSE : CONNECTION_CLOSE))
		return;
	const int code = talk_be16(b + HEAD + 4);
	for (struct talk_call *q = s->talk.first; q; q = next) {
		next = q->next;
		if (class == CLASS_CHANNEL && (q->key & ~(uint64_t)GET_WAITS) >> 1 != channel)
			continue;
		if (code >= 300)
			talk_fail_number(q, code, false);
		talk_answer(&s->talk, q, 0);
		talk_end(&s->talk, q, REQUEST_DONE);
	}
}

static void method(struct amqp *s, struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct talk_call *q;
	size_t at = HEAD + 4;
	const uint8_t *text;
	size_t n;

	if (len < HEAD + 4)
		return;
	if (talk_be16(b + HEAD) == CLASS_CHANNEL || talk_be16(b + HEAD) == CLASS_CONNECTION)
		channel_method(s, f, b, len);
	if (talk_be16(b + HEAD) != CLASS_BASIC)
		return;
	switch (talk_be16(b + HEAD + 2)) {
	case PUBLISH:
		if (!f->client || !(q = message(s, f, "publish", MESSAGE_SEND, content_key(b, f), size)))
			return;
		destination(q, b, len, at + 2);
		talk_announce(&s->talk, q);
		break;
	case DELIVER:
		if (!f->client)
			delivered(s, f, b, len, size);
		break;
	case ACK:
	case REJECT:
	case NACK:
		if (f->client && len >= at + 8)
			acknowledged(s, f, b, be64(b + at));
		break;
	case GET:
		if (!f->client || !(q = message(s, f, "get", MESSAGE_RECEIVE, waiting_key(s, b), size)))
			return;
		at += 2;
		if (short_text(b, len, &at, &text, &n))
			talk_text(q->r.target, sizeof(q->r.target), text, n);
		q->r.operation_key = talk_hash(TALK_HASH_START, b + HEAD, len - HEAD);
		talk_announce(&s->talk, q);
		break;
	case GET_OK:
	case GET_EMPTY:
		if (f->client)
			return;
		if (talk_be16(b + HEAD + 2) == GET_OK && len >= at + 8)
			tagged(s, f, b, be64(b + at), true);
		if (!(q = talk_find(&s->talk, waiting_key(s, b))))
			return;
		q->key = content_key(b, f);
		talk_answer(&s->talk, q, size);
		if (talk_be16(b + HEAD + 2) == GET_EMPTY)
			talk_end(&s->talk, q, REQUEST_DONE);
		break;
	default:
		break;
	}
}

static void add_bytes(struct amqp *s, struct talk_call *q, const struct frames *f, uint64_t size)
{
	if (f->client) {
		q->r.request_bytes += size;
		q->r.t_sent = s->talk.e.t1;
	} else {
		talk_answer(&s->talk, q, size);
	}
}

/* Class, weight, size of the body, flags, properties: content-type, content-encoding, headers. */
static void content_header(struct amqp *s, struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	static const char key[] = "\x0btraceparentS";
	struct talk_call *q = len >= HEAD + 14 ? talk_find(&s->talk, content_key(b, f)) : NULL;

	if (!q)
		return;
	add_bytes(s, q, f, size);
	const uint8_t *at = len > HEAD + 14 ? memmem(b + HEAD + 14, len - HEAD - 14, key, sizeof(key) - 1) : NULL;
	if (at && (size_t)(b + len - at) >= sizeof(key) - 1 + 4 + 55)
		talk_text(q->r.traceparent, sizeof(q->r.traceparent), at + sizeof(key) - 1 + 4, 55);
	uint32_t high = talk_be32(b + HEAD + 4), low = talk_be32(b + HEAD + 8);
	q->left = high ? UINT32_MAX : low;
	if (q->left == 0)
		talk_end(&s->talk, q, REQUEST_DONE);
}

static void content_body(struct amqp *s, struct frames *f, const uint8_t *b, uint64_t size)
{
	struct talk_call *q = talk_find(&s->talk, content_key(b, f));
	uint64_t n = size - HEAD - 1;

	if (!q)
		return;
	add_bytes(s, q, f, size);
	q->left -= n < q->left ? (uint32_t)n : q->left;
	if (q->left == 0)
		talk_end(&s->talk, q, REQUEST_DONE);
}

static void frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct amqp *s = amqp_of(f);

	if (len < HEAD)
		return;
	if (b[0] == FRAME_METHOD)
		method(s, f, b, len, size);
	else if (b[0] == FRAME_HEADER)
		content_header(s, f, b, len, size);
	else if (b[0] == FRAME_BODY)
		content_body(s, f, b, size);
}

/* A whole method of a channel that follows another frame's end. */
static size_t seek(struct frames *f, const uint8_t *b, size_t len)
{
	for (size_t i = 1; i + HEAD + 4 < len; i++) {
		if (b[i - 1] != FRAME_END || b[i] != FRAME_METHOD || !begins(f, b + i, len - i))
			continue;
		const unsigned int class = talk_be16(b + i + HEAD), number = talk_be16(b + i + HEAD + 2);
		if (class == CLASS_BASIC && number >= 10 && number <= NACK)
			return i;
	}
	return len;
}

static void lost(struct frames *f)
{
	talk_doubt(f->t);
}

static const struct frames_ops ops = {.size = frame_size, .frame = frame, .begins = begins, .seek = seek, .lost = lost};

/* -- the protocol's entry -- */

static void amqp_feed(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	struct amqp *s = (struct amqp *)t;

	while (client && !s->greeted && len) {
		s->greeted = ++s->greeting == 8;
		bytes++;
		len--;
	}
	frames_feed(client ? &s->client : &s->server, bytes, len, gap);
}

static void amqp_lose(struct talk *t)
{
	struct amqp *s = (struct amqp *)t;

	s->greeted = true;
	for (unsigned int i = 0; i < CHANNELS; i++)
		s->channels[i].known = false;
	frames_lose(&s->client);
	frames_lose(&s->server);
}

static const uint8_t greeting[] = {'A', 'M', 'Q', 'P', 0, 0, 9, 1};

static enum probe_answer amqp_probe(const uint8_t *bytes, size_t len, bool from_client)
{
	size_t n = len < sizeof(greeting) ? len : sizeof(greeting);

	if (!from_client || memcmp(bytes, greeting, n) != 0)
		return PROBE_NO;
	return n == sizeof(greeting) ? PROBE_YES : PROBE_MORE;
}

/* A whole method of the basic class. */
static enum probe_answer amqp_probe_midway(const uint8_t *b, size_t len, bool from_client)
{
	if (len < HEAD + 5 || b[0] != FRAME_METHOD || talk_be16(b + HEAD) != CLASS_BASIC || !begins(NULL, b, len))
		return PROBE_NO;
	unsigned int number = talk_be16(b + HEAD + 2);
	bool clients = number == PUBLISH || number == GET || number == 80 || number == 90;
	return clients == from_client && number >= 10 && number <= 120 ? PROBE_YES : PROBE_NO;
}

static bool amqp_is_client(const uint8_t *bytes, size_t len)
{
	return amqp_probe(bytes, len, true) == PROBE_YES || amqp_probe_midway(bytes, len, true) == PROBE_YES;
}

static const struct talk_ops amqp_ops = {
	.protocol = &amqp_protocol,
	.area = AREA_MESSAGING,
	.system = "rabbitmq",
	.is_client = amqp_is_client,
	.feed = amqp_feed,
	.lose = amqp_lose,
};

static void *amqp_open(struct model *m, struct conn *c)
{
	struct amqp *s = talk_new(sizeof(*s), &amqp_ops, m, c);

	if (!s)
		return NULL;
	s->client = (struct frames){.ops = &ops, .t = &s->talk, .client = true, .head = HEAD};
	s->server = (struct frames){.ops = &ops, .t = &s->talk, .head = HEAD};
	/* Many small messages come in one call. */
	talk_wide(&s->talk);
	if (c->inherited)
		amqp_lose(&s->talk);
	return s;
}

const struct protocol amqp_protocol = {
	.name = "amqp",
	.doc = "AMQP 0-9-1 messages published, delivered and fetched",
	.probe = amqp_probe,
	.probe_midway = amqp_probe_midway,
	.open = amqp_open,
	.data = talk_data,
	.close = talk_close,
	.resync = talk_resync,
};
