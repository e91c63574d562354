/*
 * memcached's text protocol and its meta commands: lines, and blocks of data whose length a line says. Answers come in order; quiet
 * commands have none on success.
 *
 * One struct memcached a connection. Keys and values never leave it.
 */
#include "protocols/memcached.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/talk.h"

#define LINE_KEPT 384U        /* the longest key, 250, and what is behind it */
#define LINE_MAX_BYTES 65536U /* of many keys; nothing says more */
#define WORDS 24U             /* a meta command has as many flags as it likes */

/* One direction. */
struct side {
	char line[LINE_KEPT + 1];
	size_t kept, len;
	uint64_t hash;
	uint64_t skip; /* bytes of a block still to come */
	struct talk_mark from;
	bool lost;
};

struct memcached {
	struct talk talk; /* first */
	struct side client, server;
};

enum shape { SHAPE_GET, SHAPE_STORE, SHAPE_LINE, SHAPE_META, SHAPE_META_STORE, SHAPE_LIST };

static const struct command {
	const char *name;
	enum shape shape;
} commands[] = {
	{"get", SHAPE_GET},        {"gets", SHAPE_GET},   {"gat", SHAPE_GET},       {"gats", SHAPE_GET},
	{"set", SHAPE_STORE},      {"add", SHAPE_STORE},  {"replace", SHAPE_STORE}, {"append", SHAPE_STORE},
	{"prepend", SHAPE_STORE},  {"cas", SHAPE_STORE},  {"delete", SHAPE_LINE},   {"incr", SHAPE_LINE},
	{"decr", SHAPE_LINE},      {"touch", SHAPE_LINE}, {"version", SHAPE_LINE},  {"flush_all", SHAPE_LINE},
	{"verbosity", SHAPE_LINE}, {"stats", SHAPE_LIST}, {"mg", SHAPE_META},       {"ms", SHAPE_META_STORE},
	{"md", SHAPE_META},        {"ma", SHAPE_META},    {"mn", SHAPE_META},       {"me", SHAPE_META},
};

struct words {
	unsigned int n;
	const char *at[WORDS];
	size_t len[WORDS];
};

static void split(const char *line, struct words *w)
{
	w->n = 0;
	while (*line && w->n < WORDS) {
		line += strspn(line, " ");
		if (!*line)
			return;
		w->at[w->n] = line;
		w->len[w->n++] = strcspn(line, " ");
		line += strcspn(line, " ");
	}
}

static bool word_is(const struct words *w, unsigned int i, const char *text)
{
	return i < w->n && w->len[i] == strlen(text) && !memcmp(w->at[i], text, w->len[i]);
}

static const struct command *command_of(const struct words *w)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (word_is(w, 0, commands[i].name))
			return &commands[i];
	}
	return NULL;
}

/* A block's length, with its line end; 0 if there is none or it is no number. */
static uint64_t block(const struct words *w, unsigned int i)
{
	if (i >= w->n || !isdigit((unsigned char)w->at[i][0]))
		return 0;
	return strtoull(w->at[i], NULL, 10) + 2;
}

static bool is_quiet(const struct command *c, const struct words *w, const char *line)
{
	size_t len = strlen(line);

	if (c->shape == SHAPE_STORE || c->shape == SHAPE_LINE)
		return len > 7 && !strcmp(line + len - 7, "noreply");
	if (c->shape != SHAPE_META && c->shape != SHAPE_META_STORE)
		return false;
	for (unsigned int i = c->shape == SHAPE_META ? 2 : 3; i < w->n; i++) {
		if (w->at[i][0] == 'q' && w->len[i] == 1)
			return true;
	}
	return false;
}

/* -- the client -- */

static uint64_t on_command(struct memcached *s, const char *line, uint64_t size)
{
	struct side *side = &s->client;
	struct words w;

	split(line, &w);
	const struct command *c = command_of(&w);
	if (w.n == 0 || word_is(&w, 0, "quit"))
		return 0;
	uint64_t data = !c ? 0 : c->shape == SHAPE_STORE ? block(&w, 4) : c->shape == SHAPE_META_STORE ? block(&w, 2) : 0;
	if (s->server.lost)
		talk_doubt(&s->talk);
	talk_end_doubted(&s->talk);
	struct talk_call *q = talk_call_new(&s->talk, &side->from, size + data);
	if (!q)
		return data;
	memcpy(q->r.method, c ? c->name : "_OTHER", strlen(c ? c->name : "_OTHER") + 1);
	talk_only_method(q);
	q->r.operation_key = side->hash;
	q->kind = c ? (uint8_t)c->shape : SHAPE_LINE;
	bool quiet = c && is_quiet(c, &w, line);
	bool meta = q->kind == SHAPE_META || q->kind == SHAPE_META_STORE;
	q->left = quiet && meta; /* its answer may or may not come */
	talk_announce(&s->talk, q);
	if (quiet && !meta)
		talk_end(&s->talk, q, REQUEST_DONE);
	return data;
}

/* -- the server -- */

static bool is_error(const struct words *w)
{
	return word_is(w, 0, "ERROR") || word_is(w, 0, "CLIENT_ERROR") || word_is(w, 0, "SERVER_ERROR");
}

static bool is_meta_answer(const struct words *w)
{
	static const char *const codes[] = {"HD", "VA", "EN", "NF", "NS", "EX", "MN", "ME"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (word_is(w, 0, codes[i]))
			return true;
	}
	return false;
}

static uint64_t on_answer(struct memcached *s, const char *line, uint64_t size)
{
	struct talk_call *q = s->talk.first;
	struct words w;
	uint64_t data = 0;

	split(line, &w);
	if (w.n == 0)
		return 0;
	if (word_is(&w, 0, "VALUE"))
		data = block(&w, 3);
	else if (word_is(&w, 0, "VA"))
		data = block(&w, 1);
	/* Quiet ones before a command that answers in another way have had their silence; MN ends all before its mn. */
	while (q && q->left &&
	       ((word_is(&w, 0, "MN") && strcmp(q->r.method, "mn") != 0) || (!is_meta_answer(&w) && !is_error(&w)))) {
		talk_end(&s->talk, q, REQUEST_DONE);
		q = s->talk.first;
	}
	/* END may be that of a list whose middle was not captured. */
	if (!q && !word_is(&w, 0, "END") && (q = talk_call_unseen(&s->talk)) != NULL)
		q->kind = word_is(&w, 0, "VALUE") ? SHAPE_GET : word_is(&w, 0, "STAT") ? SHAPE_LIST : SHAPE_LINE;
	if (!q)
		return data;
	talk_answer(&s->talk, q, size + data);
	if (is_error(&w))
		talk_fail(q, w.at[0], w.len[0], word_is(&w, 0, "SERVER_ERROR"));
	else if ((q->kind == SHAPE_GET && !word_is(&w, 0, "END")) || (q->kind == SHAPE_LIST && word_is(&w, 0, "STAT")))
		return data;
	talk_end(&s->talk, q, REQUEST_DONE);
	return data;
}

/* -- lines -- */

static void line_ends(struct memcached *s, struct side *side)
{
	uint64_t size = side->len + 1;

	if (side->kept && side->line[side->kept - 1] == '\r')
		side->kept--;
	side->line[side->kept] = '\0';
	side->kept = side->len = 0;
	side->skip = side == &s->client ? on_command(s, side->line, size) : on_answer(s, side->line, size);
}

static void side_lose(struct side *side)
{
	side->kept = side->len = 0;
	side->skip = 0;
	side->lost = true;
}

static size_t step(struct memcached *s, struct side *side, const uint8_t *bytes, size_t len)
{
	if (side->skip) {
		size_t n = len < side->skip ? len : (size_t)side->skip;
		side->skip -= n;
		return n;
	}
	if (side->len == 0) {
		side->from = talk_now(&s->talk, side == &s->client);
		side->hash = TALK_HASH_START;
	}
	const uint8_t *end = memchr(bytes, '\n', len);
	size_t n = end ? (size_t)(end - bytes) : len, room = LINE_KEPT - side->kept;
	memcpy(side->line + side->kept, bytes, n < room ? n : room);
	side->kept += n < room ? n : room;
	side->len += n;
	side->hash = talk_hash(side->hash, bytes, n);
	if (end) {
		line_ends(s, side);
		return n + 1;
	}
	if (side->len > LINE_MAX_BYTES) {
		s->talk.counters->protocol_resync++;
		side_lose(side);
	}
	return n;
}

static bool client_begins(const uint8_t *bytes, size_t len)
{
	char line[LINE_KEPT + 1];
	struct words w;
	size_t n = 0;

	while (n < len && n < LINE_KEPT && bytes[n] >= 32 && bytes[n] < 127)
		n++;
	memcpy(line, bytes, n);
	line[n] = '\0';
	split(line, &w);
	return command_of(&w) && (n == LINE_KEPT || (n < len && (bytes[n] == '\r' || bytes[n] == '\n')));
}

static bool server_begins(const uint8_t *bytes, size_t len)
{
	return len >= 4 && isupper(bytes[0]) && isupper(bytes[1]) && memchr(bytes, '\n', len);
}

static void memcached_feed(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	struct memcached *s = (struct memcached *)t;
	struct side *side = client ? &s->client : &s->server;

	if (side->lost && len && (client ? client_begins(bytes, len) : server_begins(bytes, len)))
		side->lost = false;
	while (len && !side->lost) {
		size_t n = step(s, side, bytes, len);
		bytes += n;
		len -= n;
	}
	if (!gap || side->lost)
		return;
	if (gap <= side->skip) {
		side->skip -= gap;
		return;
	}
	t->counters->protocol_resync++;
	if (client)
		talk_cut(t);
	else
		talk_doubt(t);
	side_lose(side);
}

static void memcached_lose(struct talk *t)
{
	struct memcached *s = (struct memcached *)t;

	side_lose(&s->client);
	side_lose(&s->server);
}

/* -- the protocol's entry -- */

/* A command, what it needs of words, and a line end: other protocols of lines have commands like "stats" or "version" too, so those that
 * name no key do not count. */
static enum probe_answer memcached_probe(const uint8_t *bytes, size_t len, bool from_client)
{
	char line[LINE_KEPT + 1];
	struct words w = {.n = 0};
	size_t n = 0;

	if (!from_client || !len)
		return len ? PROBE_NO : PROBE_MORE;
	while (n < len && n < LINE_KEPT && bytes[n] >= 32 && bytes[n] < 127)
		n++;
	memcpy(line, bytes, n);
	line[n] = '\0';
	split(line, &w);
	const struct command *c = command_of(&w);
	if (n == len && n < LINE_KEPT) {
		for (size_t i = 0; n <= 9 && i < sizeof(commands) / sizeof(commands[0]); i++) {
			if (!strncmp(commands[i].name, line, n))
				return PROBE_MORE;
		}
		return c && line[w.len[0]] == ' ' ? PROBE_MORE : PROBE_NO;
	}
	if (!c || (n < LINE_KEPT && bytes[n] != '\r' && bytes[n] != '\n'))
		return PROBE_NO;
	switch (c->shape) {
	case SHAPE_STORE:
		return block(&w, 2) && block(&w, 4) ? PROBE_YES : PROBE_NO;
	case SHAPE_META_STORE:
		return block(&w, 2) ? PROBE_YES : PROBE_NO;
	case SHAPE_LIST:
	case SHAPE_LINE:
		return w.n >= 2 || word_is(&w, 0, "version") || word_is(&w, 0, "stats") || word_is(&w, 0, "flush_all") ? PROBE_YES
														       : PROBE_NO;
	case SHAPE_META:
		return w.n >= 2 || word_is(&w, 0, "mn") ? PROBE_YES : PROBE_NO;
	default:
		return w.n >= 2 ? PROBE_YES : PROBE_NO;
	}
}

static bool memcached_is_client(const uint8_t *bytes, size_t len)
{
	return client_begins(bytes, len);
}

static const struct talk_ops memcached_ops = {
	.protocol = &memcached_protocol,
	.area = AREA_DB,
	.system = "memcached",
	.is_client = memcached_is_client,
	.feed = memcached_feed,
	.lose = memcached_lose,
};

static void *memcached_open(struct model *m, struct conn *c)
{
	struct memcached *s = talk_new(sizeof(*s), &memcached_ops, m, c);

	if (s && c->inherited)
		memcached_lose(&s->talk);
	return s;
}

const struct protocol memcached_protocol = {
	.name = "memcached",
	.doc = "memcached commands, text and meta, as client and server",
	.probe = memcached_probe,
	.open = memcached_open,
	.data = talk_data,
	.close = talk_close,
	.resync = talk_resync,
};
