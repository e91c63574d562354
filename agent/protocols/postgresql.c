/*
 * PostgreSQL's protocol 3.0: simple queries, and executions of prepared ones. A query is a request from its message to ReadyForQuery; an
 * execution from Execute to its CommandComplete. What comes before (Parse, Bind, Describe) belongs to no request, but for a Parse that fails
 * where nothing is to be executed: a statement that the server does not take is one that the client made.
 *
 * One struct pg a connection. Answers are matched by order, and by the groups that Query and Sync end: each gets one ReadyForQuery.
 */
#include "protocols/postgresql.h"

#include <stdlib.h>
#include <string.h>

#include "protocols/frames.h"
#include "protocols/statements.h"

#define CODE_CANCEL 80877102U
#define CODE_TLS 80877103U
#define CODE_GSS 80877104U
#define VERSION_3 3U
#define MESSAGE_MAX (1U << 30)

enum { CALL_QUERY, CALL_EXECUTE };

struct pg {
	struct talk talk; /* first */
	struct frames client, server;
	bool started;        /* past the first messages, which have no type */
	bool answer_is_byte; /* the server says yes or no to encryption in one byte */
	uint64_t sent, done; /* groups */
	struct statements prepared, portals;
	/* the last Parse, and its group */
	struct sql parsed;
	struct talk_mark parsed_from;
	uint64_t parsed_size, parsed_group;
	/* the statement last executed, and how often in a row */
	struct sql executed;
	unsigned int executed_n;
};

static struct pg *pg_of(struct frames *f)
{
	return (struct pg *)f->t;
}

/* Length of the NUL-terminated text at b, or all there is. */
static size_t text_len(const uint8_t *b, size_t len)
{
	return strnlen((const char *)b, len);
}

static uint64_t name_id(const uint8_t *b, size_t len)
{
	return talk_hash(TALK_HASH_START, b, text_len(b, len));
}

/* -- the client -- */

static uint64_t client_size(struct frames *f, const uint8_t *head)
{
	uint64_t n = talk_be32(pg_of(f)->started ? head + 1 : head);

	if (!pg_of(f)->started)
		return n >= 8 && n <= 10000 ? n : 0;
	return n >= 4 && n < MESSAGE_MAX && strchr("BCcdDEfFHPpQSX", head[0]) && head[0] ? n + 1 : 0;
}

static void startup(struct pg *s, const uint8_t *b, size_t len)
{
	size_t at = 8;

	while (at < len && b[at]) {
		size_t key = text_len(b + at, len - at);
		if (at + key + 1 >= len)
			return;
		const uint8_t *value = b + at + key + 1;
		size_t n = text_len(value, len - at - key - 1);
		/* The default database has the user's name. */
		if ((key == 4 && !memcmp(b + at, "user", 4) && !s->talk.space[0]) || (key == 8 && !memcmp(b + at, "database", 8)))
			talk_text(s->talk.space, sizeof(s->talk.space), value, n);
		at += key + n + 2;
	}
}

static void first_message(struct pg *s, const uint8_t *b, size_t len)
{
	uint32_t code = len >= 8 ? talk_be32(b + 4) : 0;

	if (code == CODE_TLS || code == CODE_GSS) {
		s->answer_is_byte = true;
		return;
	}
	if (code >> 16 != VERSION_3) {
		talk_opaque(&s->talk);
		return;
	}
	startup(s, b, len);
	s->started = true;
	s->client.head = 5;
}

static struct talk_call *announce(struct pg *s, const struct sql *sql, uint8_t kind, const struct talk_mark *from, uint64_t size)
{
	struct talk_call *q = talk_call_new(&s->talk, from, size);

	if (!q)
		return NULL;
	if (sql)
		sql_tell(sql, &q->r);
	q->kind = kind;
	q->key = s->sent + 1;
	talk_announce(&s->talk, q);
	return q;
}

/* With the answers out of sight, the next request of a client that waits shows that they are over. */
static void answers_lost(struct pg *s)
{
	if (!s->server.lost)
		return;
	while (s->talk.first && s->talk.first->key <= s->sent)
		talk_end_unseen(&s->talk, s->talk.first);
	s->done = s->sent;
}

static void parse(struct pg *s, const uint8_t *b, size_t len, uint64_t size)
{
	size_t name = text_len(b, len);

	if (name >= len)
		return;
	sql_read(b + name + 1, text_len(b + name + 1, len - name - 1), SQL_STANDARD, &s->parsed);
	s->parsed_from = s->client.from;
	s->parsed_size = size;
	s->parsed_group = s->sent + 1;
	struct statement *x = statements_put(&s->prepared, name_id(b, len));
	if (x)
		x->sql = s->parsed;
}

static void bind_portal(struct pg *s, const uint8_t *b, size_t len)
{
	size_t portal = text_len(b, len);

	if (portal >= len)
		return;
	const struct statement *from = statements_get(&s->prepared, name_id(b + portal + 1, len - portal - 1));
	struct statement *to = statements_put(&s->portals, name_id(b, len));
	if (!to || !from) {
		statements_drop(&s->portals, name_id(b, len));
		return;
	}
	to->sql = from->sql;
	/* The values make it another operation. */
	to->sql.key = talk_hash(from->sql.key, b + portal + 1, len - portal - 1);
}

static void note_executed(struct pg *s, const struct sql *sql)
{
	const bool same = sql && strcmp(sql->text, s->executed.text) == 0;

	s->executed_n = same ? s->executed_n + 1 : sql ? 1 : 0;
	if (sql && !same)
		s->executed = *sql;
}

static void client_frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct pg *s = pg_of(f);
	const struct statement *x;
	struct sql sql;

	if (!s->started) {
		first_message(s, b, len);
		return;
	}
	if (!len || strchr("QPBESF", b[0]))
		answers_lost(s);
	switch (len ? b[0] : 0) {
	case 'Q':
		sql_read(b + 5, text_len(b + 5, len - 5), SQL_STANDARD, &sql);
		announce(s, &sql, CALL_QUERY, &s->client.from, size);
		s->sent++;
		break;
	case 'P':
		parse(s, b + 5, len - 5, size);
		break;
	case 'B':
		bind_portal(s, b + 5, len - 5);
		break;
	case 'E':
		x = statements_get(&s->portals, name_id(b + 5, len - 5));
		note_executed(s, x ? &x->sql : NULL);
		announce(s, x ? &x->sql : NULL, CALL_EXECUTE, &s->client.from, size);
		break;
	case 'C':
		if (len > 6 && b[5] == 'S')
			statements_drop(&s->prepared, name_id(b + 6, len - 6));
		break;
	case 'S':
	case 'F':
		s->sent++;
		break;
	default:
		break;
	}
}

/* -- the server -- */

static uint64_t server_size(struct frames *f, const uint8_t *head)
{
	uint64_t n = talk_be32(head + 1);

	(void)f;
	return n >= 4 && n < MESSAGE_MAX && strchr("RKSZTDCENIsn123AtGHWdcVv", head[0]) && head[0] ? n + 1 : 0;
}

/* Class 08 connection, 40 rollback, 53 resources, 57P administration, 55P03 lock not available. */
static bool is_transient(const uint8_t *code)
{
	return !memcmp(code, "08", 2) || !memcmp(code, "40", 2) || !memcmp(code, "53", 2) || !memcmp(code, "57P", 3) ||
	       !memcmp(code, "55P03", 5);
}

static void error(struct talk_call *q, const uint8_t *b, size_t len)
{
	for (size_t at = 5; at < len && b[at];) {
		size_t n = text_len(b + at + 1, len - at - 1);
		if (b[at] == 'C' && n == 5) {
			talk_fail(q, (const char *)b + at + 1, n, is_transient(b + at + 1));
			return;
		}
		at += n + 2;
	}
	talk_fail(q, "error", 5, false);
}

/* A statement that was only to be prepared. */
static void parse_failed(struct pg *s, const uint8_t *b, size_t len, uint64_t size)
{
	struct talk_call *q = announce(s, &s->parsed, CALL_QUERY, &s->parsed_from, s->parsed_size);

	s->parsed_group = 0;
	if (!q)
		return;
	talk_answer(&s->talk, q, size);
	error(q, b, len);
	talk_end(&s->talk, q, REQUEST_DONE);
}

/* What an unseen execution ran, from its answer's command ("INSERT 0 1"). Many rows for one statement is what so many messages in one call are
 * for (psycopg's and asyncpg's executemany()), until a command is another one. False: not known. */
static bool executed_unseen(struct pg *s, const uint8_t *b, size_t len, struct sql *ret)
{
	const bool told = b[0] == 'C';
	const size_t n = told && len > 5 ? text_len(b + 5, len - 5) : 0;
	const uint8_t *const end = n > 0 ? memchr(b + 5, ' ', n) : NULL;

	if (told)
		sql_read(b + 5, end ? (size_t)(end - b - 5) : n, SQL_STANDARD, ret);
	if (told && strcmp(ret->operation, s->executed.operation) != 0)
		s->executed_n = 0;
	if (s->executed_n > 1)
		*ret = s->executed;
	return told || s->executed_n > 1;
}

/* An execution that the client sent further behind in a call than is captured: its answer tells of it. */
static void answered_unseen(struct pg *s, const uint8_t *b, size_t len, uint64_t size)
{
	struct sql sql;
	struct talk_call *const q = announce(s, executed_unseen(s, b, len, &sql) ? &sql : NULL, CALL_EXECUTE, &s->talk.cut_from, 0);
	if (!q)
		return;
	talk_answer(&s->talk, q, size);
	if (b[0] == 'E')
		error(q, b, len);
	talk_end(&s->talk, q, REQUEST_DONE);
}

/* A group is over: what of it got no answer was skipped after an error. */
static void ready(struct pg *s)
{
	if (s->done == s->sent)
		return;
	s->done++;
	while (s->talk.first && s->talk.first->key <= s->done) {
		struct talk_call *q = s->talk.first;
		talk_end(&s->talk, q, q->r.answered ? REQUEST_DONE : REQUEST_ABANDONED);
	}
}

static void server_frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct pg *s = pg_of(f);
	struct talk_call *q = s->talk.first;

	if (!len)
		return;
	if (b[0] != 'Z' && (!q || q->key > s->done + 1)) {
		if (!q && s->talk.cut && (b[0] == 'C' || b[0] == 'E'))
			answered_unseen(s, b, len, size);
		else if (b[0] == 'E' && s->parsed_group == s->done + 1)
			parse_failed(s, b, len, size);
		return;
	}
	if (q && (b[0] != 'Z' || q->kind == CALL_QUERY))
		talk_answer(&s->talk, q, size);
	switch (b[0]) {
	case 'Z':
		s->talk.cut = s->talk.cut && s->sent > s->done + 1;
		ready(s);
		break;
	case 'E':
		error(q, b, len);
		if (q->kind == CALL_EXECUTE)
			talk_end(&s->talk, q, REQUEST_DONE);
		break;
	case 'C':
	case 'I':
	case 's':
		if (q->kind == CALL_EXECUTE)
			talk_end(&s->talk, q, REQUEST_DONE);
		break;
	case 'G': /* a Sync that was sent with COPY is passed over; the one behind its data counts */
	case 'W':
		if (q->kind == CALL_EXECUTE && s->sent >= q->key)
			s->sent = q->key - 1;
		break;
	case '1': /* answers to what belongs to no request */
	case '2':
	case '3':
	case 't':
		q->r.answered = q->r.response_bytes > size;
		break;
	default:
		break;
	}
}

/* Large results outgrow what is captured of one call, and so do many rows for one statement: capture more of this connection's. */
static void server_lost(struct frames *f)
{
	talk_wide(f->t);
}

static void client_lost(struct frames *f)
{
	if (pg_of(f)->started)
		talk_cut(f->t);
}

/* A chain of messages, as far as it goes. */
static bool chain(struct frames *f, const uint8_t *b, size_t len, uint64_t (*size)(struct frames *f, const uint8_t *head))
{
	size_t at = 0;
	unsigned int n = 0;

	while (at + 5 <= len) {
		uint64_t step = size(f, b + at);
		if (!step)
			return false;
		n++;
		if (step > len - at)
			return n > 1 || step < 65536;
		at += (size_t)step;
	}
	return n > 0;
}

static bool client_begins(struct frames *f, const uint8_t *b, size_t len)
{
	pg_of(f)->started = true;
	f->head = 5;
	return len >= 5 && strchr("QPBEDSFX", b[0]) && chain(f, b, len, client_size);
}

static bool server_begins(struct frames *f, const uint8_t *b, size_t len)
{
	return len >= 5 && chain(f, b, len, server_size);
}

static const struct frames_ops client_ops = {
	.size = client_size, .frame = client_frame, .begins = client_begins, .lost = client_lost};
static const struct frames_ops server_ops = {
	.size = server_size, .frame = server_frame, .begins = server_begins, .lost = server_lost};

/* -- the protocol's entry -- */

static void pg_feed(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	struct pg *s = (struct pg *)t;

	if (!client && s->answer_is_byte && len) {
		s->answer_is_byte = false;
		/* What is encrypted from here on is told as plaintext, or not at all. */
		if (bytes[0] == 'S' || bytes[0] == 'G')
			talk_opaque(t);
		bytes++;
		len--;
	}
	frames_feed(client ? &s->client : &s->server, bytes, len, gap);
}

static void pg_lose(struct talk *t)
{
	struct pg *s = (struct pg *)t;

	frames_lose(&s->client);
	frames_lose(&s->server);
	s->done = s->sent;
}

static void pg_done(struct talk *t)
{
	struct pg *s = (struct pg *)t;

	statements_done(&s->prepared);
	statements_done(&s->portals);
}

static bool is_startup(const uint8_t *b, size_t len)
{
	uint32_t code = len >= 8 ? talk_be32(b + 4) : 0, n = len >= 4 ? talk_be32(b) : 0;

	return len >= 8 && n >= 8 && n <= 10000 &&
	       (code >> 16 == VERSION_3 || ((code == CODE_TLS || code == CODE_GSS) && n == 8) || (code == CODE_CANCEL && n == 16));
}

static bool pg_is_client(const uint8_t *bytes, size_t len)
{
	return is_startup(bytes, len) || (len && strchr("QPBEDF", bytes[0]) != NULL);
}

static enum probe_answer pg_probe(const uint8_t *bytes, size_t len, bool from_client)
{
	if (!from_client || len == 0 || bytes[0] != 0)
		return PROBE_NO;
	if (len < 8)
		return len < 2 || bytes[1] == 0 ? PROBE_MORE : PROBE_NO;
	return is_startup(bytes, len) ? PROBE_YES : PROBE_NO;
}

/* A connection that began before: a whole query or a prepared one's Parse or Bind, and nothing behind it that is none. */
static enum probe_answer pg_probe_midway(const uint8_t *bytes, size_t len, bool from_client)
{
	struct pg s = {.started = true};
	struct frames f = {.t = &s.talk};

	if (!from_client || len < 7 || !strchr("QPB", bytes[0]) || talk_be32(bytes + 1) > 1U << 20)
		return PROBE_NO;
	return chain(&f, bytes, len, client_size) && (bytes[0] != 'Q' || memchr(bytes + 5, ' ', len - 5)) ? PROBE_YES : PROBE_NO;
}

static const struct talk_ops pg_ops = {
	.protocol = &postgresql_protocol,
	.area = AREA_DB,
	.system = "postgresql",
	.is_client = pg_is_client,
	.feed = pg_feed,
	.lose = pg_lose,
	.done = pg_done,
};

static void *pg_open(struct model *m, struct conn *c)
{
	struct pg *s = talk_new(sizeof(*s), &pg_ops, m, c);

	if (!s)
		return NULL;
	s->client.ops = &client_ops;
	s->client.head = 8;
	s->client.client = true;
	s->server.ops = &server_ops;
	s->server.head = 5;
	s->client.t = s->server.t = &s->talk;
	if (c->inherited)
		pg_lose(&s->talk);
	return s;
}

const struct protocol postgresql_protocol = {
	.name = "postgresql",
	.doc = "PostgreSQL queries, simple and prepared, as client and server",
	.probe = pg_probe,
	.probe_midway = pg_probe_midway,
	.open = pg_open,
	.data = talk_data,
	.close = talk_close,
	.resync = talk_resync,
};
