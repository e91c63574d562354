/*
 * Redis: commands and their answers, in order. Messages of pub/sub and other pushes answer nothing.
 *
 * One struct redis a connection. Arguments never leave it: a span has the command's name, a key has a hash of all of it.
 */
#include "protocols/redis.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "protocols/resp.h"

struct redis {
	struct talk talk; /* first */
	struct resp client, server;
	bool subscribed;
	bool silent;   /* CLIENT REPLY OFF */
	bool skip_one; /* CLIENT REPLY SKIP: the next command has no answer */
};

static struct redis *redis_of(struct resp *r)
{
	return (struct redis *)r->t;
}

static bool word_is(const struct resp_value *v, unsigned int i, const char *text)
{
	return v->words > i && (v->word[i][0] | 0x20) == (text[0] | 0x20) && strcasecmp(v->word[i], text) == 0;
}

static bool is_name(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == '.' || text[n] == '-')
		n++;
	return isalpha((unsigned char)text[0]) && text[n] == '\0' && n < 25;
}

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcasecmp(text + n - m, end) == 0;
}

/* -- commands -- */

static void client_reply(struct redis *s, const struct resp_value *v)
{
	if (!word_is(v, 0, "CLIENT") || !word_is(v, 1, "REPLY"))
		return;
	if (word_is(v, 2, "ON"))
		s->silent = false;
	else if (word_is(v, 2, "OFF"))
		s->silent = true;
	else if (word_is(v, 2, "SKIP"))
		s->skip_one = true;
}

/* Commands that wait for what others put there. */
static bool is_standing(const char *method)
{
	static const char *const names[] = {"BLPOP",    "BRPOP",    "BLMOVE", "BRPOPLPUSH", "BLMPOP",
					    "BZPOPMIN", "BZPOPMAX", "BZMPOP", "XREAD",      "XREADGROUP"};

	for (size_t i = 0; (method[0] == 'B' || method[0] == 'X') && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(method, names[i]) == 0)
			return true;
	return false;
}

static void command(struct resp *reader, const struct resp_value *v)
{
	struct redis *s = redis_of(reader);
	bool name = v->words && is_name(v->word[0]);

	if (v->count == 0)
		return;
	bool quiet = s->skip_one;
	s->skip_one = false;
	client_reply(s, v);
	quiet |= s->silent || s->skip_one;
	/* What was asked while answers were out of sight is no better known than what was open before. */
	if (s->server.lost)
		talk_doubt(&s->talk);
	talk_end_doubted(&s->talk);
	struct talk_call *q = talk_call_new(&s->talk, &v->from, v->size);
	if (!q)
		return;
	if (!name)
		strcpy(q->r.method, "_OTHER");
	for (size_t i = 0; name && v->word[0][i]; i++)
		q->r.method[i] = (char)toupper((unsigned char)v->word[0][i]);
	talk_only_method(q);
	q->r.operation_key = v->hash;
	/* Libraries introduce themselves; older servers refuse it. */
	q->r.setup = word_is(v, 0, "CLIENT") || word_is(v, 0, "HELLO");
	q->left = 1;
	/* One answer a channel. */
	if (ends_in(q->r.method, "SUBSCRIBE") && v->count > 2)
		q->left = (uint32_t)v->count - 1;
	/* The database counts from the next command on. */
	if (word_is(v, 0, "SELECT") && v->words > 1 && strlen(v->word[1]) < 6 &&
	    strspn(v->word[1], "0123456789") == strlen(v->word[1]))
		memcpy(s->talk.space, v->word[1], strlen(v->word[1]) + 1);
	q->standing = is_standing(q->r.method);
	talk_announce(&s->talk, q);
	if (quiet)
		talk_end(&s->talk, q, REQUEST_DONE);
}

/* -- answers -- */

static bool is_push(struct redis *s, const struct resp_value *v)
{
	bool message = word_is(v, 0, "message") || word_is(v, 0, "pmessage") || word_is(v, 0, "smessage");

	/* UNSUBSCRIBE without a name is answered once for each channel that there was. */
	if (v->words && (v->type == '>' || (v->type == '*' && s->subscribed)) && ends_in(v->word[0], "subscribe"))
		return !s->talk.first || !ends_in(s->talk.first->r.method, "SUBSCRIBE");
	if (v->type == '>')
		return true;
	return v->type == '*' && s->subscribed && message;
}

/* "WRONGTYPE Operation against a key": the first word is the kind of error; what follows may name values. */
static void error(struct talk_call *q, const char *text)
{
	static const char *const passing[] = {"LOADING", "BUSY",       "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN",
					      "OOM",     "NOREPLICAS", "READONLY", "UNBLOCKED"};
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	bool transient = false;

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		transient |= n == strlen(passing[i]) && !strncmp(text, passing[i], n);
	talk_fail(q, n ? text : "ERR", n ? n : 3, transient);
	/* Where else to ask is an answer, not a failure. */
	if (!strcmp(q->r.status_text, "MOVED") || !strcmp(q->r.status_text, "ASK"))
		q->r.failed = false;
	if (!strncmp(text, "ERR?unknown?command", 19)) {
		strcpy(q->r.method, "_OTHER");
		talk_only_method(q);
	}
}

static void answer(struct resp *reader, const struct resp_value *v)
{
	struct redis *s = redis_of(reader);
	struct talk_call *q = s->talk.first;

	if (v->type == '|' || is_push(s, v) || (!q && !(q = talk_call_unseen(&s->talk))))
		return;
	talk_answer(&s->talk, q, v->size);
	if ((v->type == '-' || v->type == '!') && v->words) {
		error(q, v->word[0]);
		q->left = 1;
	} else if (ends_in(q->r.method, "SUBSCRIBE") || !strcmp(q->r.method, "MONITOR")) {
		s->subscribed = true;
	}
	if (q->left > 1)
		q->left--;
	else
		talk_end(&s->talk, q, REQUEST_DONE);
}

/* -- the protocol's entry -- */

static void redis_feed(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	struct redis *s = (struct redis *)t;

	resp_feed(client ? &s->client : &s->server, bytes, len, gap);
	if (client && s->client.lost && gap > 0)
		talk_cut(t);
}

static void redis_lose(struct talk *t)
{
	struct redis *s = (struct redis *)t;

	resp_lose(&s->client);
	resp_lose(&s->server);
}

/* "*3\r\n$3\r\nSET\r\n": an array of bulks whose first is a name. */
static enum probe_answer redis_probe(const uint8_t *bytes, size_t len, bool from_client)
{
	char shape[48];
	size_t n = len < sizeof(shape) - 1 ? len : sizeof(shape) - 1, at = 1;

	if (!from_client || !len)
		return len ? PROBE_NO : PROBE_MORE;
	memcpy(shape, bytes, n);
	shape[n] = '\0';
	if (shape[0] != '*')
		return PROBE_NO;
	for (int part = 0; part < 2; part++) {
		size_t digits = strspn(shape + at, "0123456789");
		if (at + digits == n)
			return digits < 8 ? PROBE_MORE : PROBE_NO;
		if (digits == 0 || digits > 7)
			return PROBE_NO;
		at += digits;
		const char *expect = part ? "\r\n" : "\r\n$";
		for (; *expect; expect++, at++) {
			if (at == n)
				return PROBE_MORE;
			if (shape[at] != *expect)
				return PROBE_NO;
		}
	}
	if (at == n)
		return PROBE_MORE;
	return isalpha((unsigned char)shape[at]) ? PROBE_YES : PROBE_NO;
}

static bool redis_is_client(const uint8_t *bytes, size_t len)
{
	return redis_probe(bytes, len, true) == PROBE_YES;
}

static const struct talk_ops redis_ops = {
	.protocol = &redis_protocol,
	.area = AREA_DB,
	.system = "redis",
	.is_client = redis_is_client,
	.feed = redis_feed,
	.lose = redis_lose,
};

static void *redis_open(struct model *m, struct conn *c)
{
	struct redis *s = talk_new(sizeof(*s), &redis_ops, m, c);

	if (!s)
		return NULL;
	s->client = (struct resp){.t = &s->talk, .client = true, .value = command};
	s->server = (struct resp){.t = &s->talk, .value = answer};
	if (c->inherited)
		redis_lose(&s->talk);
	else
		strcpy(s->talk.space, "0");
	return s;
}

const struct protocol redis_protocol = {
	.name = "redis",
	.doc = "Redis commands, RESP2 and RESP3, as client and server",
	.probe = redis_probe,
	.open = redis_open,
	.data = talk_data,
	.close = talk_close,
	.resync = talk_resync,
};
