/*
 * DNS: questions and answers with one number, over UDP a message a call, over TCP with a length before each (RFC 1035).
 *
 * One struct dns a socket, also where it talks to several servers.
 */
#include "protocols/dns.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "protocols/frames.h"

#define HEAD 12U
#define NAME_MAX_BYTES 255U
#define ANSWER_BIT 0x80U

struct dns {
	struct talk talk; /* first */
	struct frames client, server;
};

struct question {
	uint16_t id, type;
	bool answer;
	unsigned int code, answers;
	char name[128];
	uint64_t key; /* number and name */
};

static const char *type_name(unsigned int type)
{
	switch (type) {
	case 1:
		return "A";
	case 2:
		return "NS";
	case 5:
		return "CNAME";
	case 6:
		return "SOA";
	case 12:
		return "PTR";
	case 13:
		return "HINFO";
	case 15:
		return "MX";
	case 16:
		return "TXT";
	case 28:
		return "AAAA";
	case 33:
		return "SRV";
	case 35:
		return "NAPTR";
	case 41:
		return "OPT";
	case 43:
		return "DS";
	case 44:
		return "SSHFP";
	case 48:
		return "DNSKEY";
	case 52:
		return "TLSA";
	case 64:
		return "SVCB";
	case 65:
		return "HTTPS";
	case 251:
		return "IXFR";
	case 252:
		return "AXFR";
	case 255:
		return "ANY";
	case 256:
		return "URI";
	case 257:
		return "CAA";
	default:
		return NULL;
	}
}

/* What a name's label is printed with; what else there may be in one (RFC 2181, 11) is not printed. */
static bool usual(uint8_t c)
{
	return isalnum(c) || c == '-' || c == '_';
}

/* A message with one question; `len` bytes of it, perhaps cut behind the question. strict: of a type and with a name that are usual, so that
   it is hardly anything else. */
static bool message(const uint8_t *b, size_t len, bool strict, struct question *ret)
{
	size_t at = HEAD, out = 0;

	if (len < HEAD + 5 || talk_be16(b + 4) != 1 || (b[2] & 0x78) || (b[3] & 0x40))
		return false;
	*ret = (struct question){.id = talk_be16(b), .answer = b[2] & ANSWER_BIT, .code = b[3] & 0x0f, .answers = talk_be16(b + 6)};
	if (!ret->answer && (ret->answers || talk_be16(b + 8) || talk_be16(b + 10) > 4 || ret->code))
		return false;
	while (at < len && b[at]) {
		size_t n = b[at++];
		if (n > 63 || n >= len - at || at + n - HEAD > NAME_MAX_BYTES)
			return false;
		for (size_t i = 0; i < n; i++, at++) {
			if (strict && !usual(b[at]))
				return false;
			if (out + 2 < sizeof(ret->name))
				ret->name[out++] = (char)(usual(b[at]) || b[at] == '/' ? tolower(b[at]) : '?');
		}
		if (b[at] && out + 2 < sizeof(ret->name))
			ret->name[out++] = '.';
	}
	if (len - at < 5)
		return false;
	ret->type = talk_be16(b + at + 1);
	unsigned int class = talk_be16(b + at + 3);
	ret->key = talk_hash(talk_hash(TALK_HASH_START, ret->name, out), b, 2);
	ret->key = talk_hash(ret->key, &ret->type, sizeof(ret->type));
	return (!strict || type_name(ret->type)) && (class & 0x7fff) == 1;
}

static void asked(struct dns *s, const struct question *x, const struct talk_mark *from, uint64_t size)
{
	struct talk_call *q = talk_find(&s->talk, x->key);

	if (q) /* asked again with the same number: the one before was given up */
		talk_end(&s->talk, q, REQUEST_ABANDONED);
	q = talk_call_new(&s->talk, from, size);
	if (!q)
		return;
	q->key = x->key;
	q->left = x->id;
	if (type_name(x->type))
		snprintf(q->r.method, sizeof(q->r.method), "%s", type_name(x->type));
	else
		snprintf(q->r.method, sizeof(q->r.method), "TYPE%u", x->type); /* RFC 3597, 5 */
	memcpy(q->r.target, x->name, sizeof(x->name));
	q->r.operation_key = talk_hash(talk_hash(TALK_HASH_START, x->name, strlen(x->name)), &x->type, sizeof(x->type));
	talk_announce(&s->talk, q);
}

static void answered(struct dns *s, const struct question *x, uint64_t size)
{
	static const char *const codes[] = {NULL,       "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
					    "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};
	struct talk_call *q = x->key ? talk_find(&s->talk, x->key) : s->talk.first;

	while (q && !x->key && q->left != x->id)
		q = q->next;
	if (!q)
		return;
	talk_answer(&s->talk, q, size);
	const char *name = x->code < sizeof(codes) / sizeof(codes[0]) ? codes[x->code] : "error";
	if (name)
		talk_fail(q, name, strlen(name), x->code == 2);
	q->r.status = (int)x->code;
	talk_end(&s->talk, q, REQUEST_DONE);
}

/* A server that could not read a question, or will not, may answer with a head alone. */
static bool refusal(const uint8_t *b, size_t len, struct question *ret)
{
	if (len < HEAD || !(b[2] & ANSWER_BIT) || !(b[3] & 0x0f) || talk_be16(b + 4) || talk_be16(b + 6))
		return false;
	*ret = (struct question){.id = talk_be16(b), .answer = true, .code = b[3] & 0x0f};
	return true;
}

static void one(struct dns *s, const uint8_t *b, size_t len, const struct talk_mark *from, uint64_t size)
{
	struct question x;

	if (!message(b, len, false, &x) && !refusal(b, len, &x))
		return;
	if (x.answer)
		answered(s, &x, size);
	else
		asked(s, &x, from, size);
}

/* -- over TCP -- */

static uint64_t frame_size(struct frames *f, const uint8_t *head)
{
	uint64_t n = talk_be16(head);

	(void)f;
	return n >= HEAD ? n + 2 : 0;
}

static void frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	if (len > 2)
		one((struct dns *)f->t, b + 2, len - 2, &f->from, size);
}

static bool begins(struct frames *f, const uint8_t *b, size_t len)
{
	struct question x;

	return len > 2 && frame_size(f, b) && message(b + 2, len - 2, true, &x);
}

static const struct frames_ops ops = {.size = frame_size, .frame = frame, .begins = begins};

/* -- the protocol's entry -- */

static void dns_feed(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	struct dns *s = (struct dns *)t;
	struct talk_mark from = talk_now(t, client);

	if (t->c->kind == CONN_UDP)
		one(s, bytes, len, &from, len + gap);
	else
		frames_feed(client ? &s->client : &s->server, bytes, len, gap);
}

static void dns_lose(struct talk *t)
{
	struct dns *s = (struct dns *)t;

	frames_lose(&s->client);
	frames_lose(&s->server);
}

static bool dns_is_client(const uint8_t *bytes, size_t len)
{
	struct question x;

	return message(bytes, len, true, &x) ? !x.answer : len > 2 && message(bytes + 2, len - 2, true, &x) && !x.answer;
}

/* A question: bare as a datagram, or behind its length. A client's first bytes only, so that an answer says nothing by itself. */
static enum probe_answer dns_probe(const uint8_t *bytes, size_t len, bool from_client)
{
	struct question x;

	if (!from_client)
		return PROBE_NO;
	size_t size = len >= 2 ? talk_be16(bytes) : 0;
	if (len > 2 && size >= HEAD + 5 && size <= len - 2 && message(bytes + 2, size, true, &x) && !x.answer)
		return PROBE_YES;
	if (message(bytes, len, true, &x) && !x.answer)
		return PROBE_YES;
	/* A length that is not there yet, and a head that makes sense as far as it is. */
	if (len < 2)
		return len == 0 || bytes[0] <= 1 ? PROBE_MORE : PROBE_NO;
	bool sense = size >= HEAD + 5 && size < 512 && size > len - 2 && (len < 5 || !(bytes[4] & 0xf8)) &&
		     (len < 8 || talk_be16(bytes + 6) == 1);
	return sense ? PROBE_MORE : PROBE_NO;
}

static const struct talk_ops dns_ops = {
	.protocol = &dns_protocol,
	.area = AREA_DNS,
	.is_client = dns_is_client,
	.feed = dns_feed,
	.lose = dns_lose,
};

static void *dns_open(struct model *m, struct conn *c)
{
	struct dns *s = talk_new(sizeof(*s), &dns_ops, m, c);

	if (!s)
		return NULL;
	s->client = (struct frames){.ops = &ops, .t = &s->talk, .client = true, .head = 2};
	s->server = (struct frames){.ops = &ops, .t = &s->talk, .head = 2};
	return s;
}

const struct protocol dns_protocol = {
	.name = "dns",
	.doc = "DNS questions over UDP and TCP",
	.probe = dns_probe,
	.open = dns_open,
	.data = talk_data,
	.close = talk_close,
	.resync = talk_resync,
	.datagrams = true,
};
