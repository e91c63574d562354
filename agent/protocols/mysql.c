/*
 * MySQL's and MariaDB's protocol: text queries and executions of prepared statements. One command is under way at a time; other commands
 * (pings, changes of the database) are no requests, but their answers are followed.
 *
 * One struct mysql a connection. Where a result ends depends on what client and server agreed on at the start.
 */
#include "protocols/mysql.h"

#include <string.h>

#include "protocols/frames.h"
#include "protocols/mysql_packed.h"
#include "protocols/mysql_wire.h"
#include "protocols/statements.h"

#define CLIENT_CONNECT_WITH_DB 0x8U
#define CLIENT_COMPRESS 0x20U
#define CLIENT_SSL 0x800U
#define CLIENT_DEPRECATE_EOF (1U << 24)
#define CLIENT_ZSTD (1U << 26)
#define CLIENT_QUERY_ATTRIBUTES (1U << 27)
#define LAST_PREPARED 0xffffffffU /* MariaDB: the statement that was prepared last, or is being */

enum {
	COM_QUIT = 1,
	COM_INIT_DB = 2,
	COM_QUERY = 3,
	COM_PREPARE = 0x16,
	COM_EXECUTE = 0x17,
	COM_LONG_DATA = 0x18,
	COM_CLOSE = 0x19,
	COM_BULK = 0xfa /* MariaDB: a statement with many rows of values */
};
/* What the server's next packet is. */
enum { AT_GREETING, AT_LOGIN, AT_ANSWER, AT_COLUMNS, AT_ROWS, AT_DEFINITIONS, AT_IDLE };

struct mysql {
	struct talk talk; /* first */
	struct frames client, server;
	int at;
	bool deprecate_eof, caps_known, mariadb;
	bool server_attributes, attributes; /* a query may have values in front: offered, agreed on */
	bool direct;                        /* an execution was sent together with the prepare under way */
	uint64_t columns;
	uint8_t command;
	struct sql sql; /* of the last prepare */
	struct talk_mark from;
	uint64_t size;
	struct statements prepared;
	bool compress;               /* agreed on */
	struct mysql_packed *packed; /* under way */
};

static struct mysql *mysql_of(struct frames *f)
{
	return (struct mysql *)f->t;
}

static uint64_t packet_size(struct frames *f, const uint8_t *head)
{
	(void)f;
	return (uint64_t)talk_le24(head) + 4;
}

static void plain_feed(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	struct mysql *s = (struct mysql *)t;

	frames_feed(client ? &s->client : &s->server, bytes, len, gap);
}

static void plain_lost(struct talk *t, bool client)
{
	struct mysql *s = (struct mysql *)t;

	frames_lose(client ? &s->client : &s->server);
}

static const struct mysql_packed_ops packed_ops = {.bytes = plain_feed, .lost = plain_lost};

/* -- the client -- */

static struct talk_call *announce(struct mysql *s, const struct sql *sql, const struct talk_mark *from, uint64_t size)
{
	struct talk_call *q = talk_call_new(&s->talk, from, size);

	if (!q)
		return NULL;
	if (s->mariadb)
		q->r.system = "mariadb";
	if (sql)
		sql_tell(sql, &q->r);
	talk_announce(&s->talk, q);
	return q;
}

/* HandshakeResponse41: capabilities, largest packet, character set, 23 bytes, user, authentication, database. */
static void login(struct mysql *s, const uint8_t *b, size_t len)
{
	uint32_t caps = len >= 8 ? talk_le32(b + 4) : 0;

	if (len < 36)
		return; /* a request for TLS: what follows is encrypted */
	s->caps_known = true;
	s->deprecate_eof = caps & CLIENT_DEPRECATE_EOF;
	s->attributes = s->server_attributes && (caps & CLIENT_QUERY_ATTRIBUTES);
	s->compress = caps & CLIENT_COMPRESS;
	if (!s->compress && (caps & CLIENT_ZSTD)) {
		talk_opaque(&s->talk);
		return;
	}
	size_t at = 36 + strnlen((const char *)b + 36, len - 36) + 1;
	if (at >= len || !(caps & CLIENT_CONNECT_WITH_DB))
		return;
	at += 1U + b[at];
	if (at < len && b[at])
		talk_text(s->talk.space, sizeof(s->talk.space), b + at, strnlen((const char *)b + at, len - at));
}

static void execute(struct mysql *s, const uint8_t *b, size_t len, uint64_t size)
{
	const uint32_t id = len >= 9 ? talk_le32(b + 5) : 0;
	const struct statement *x = statements_get(&s->prepared, id);
	const struct sql *sql = x ? &x->sql : id == LAST_PREPARED ? &s->sql : NULL;
	struct talk_call *q = announce(s, sql, &s->client.from, size);

	if (q)
		q->r.operation_key = talk_hash(sql ? sql->key : TALK_HASH_START, b + 5, len - 5);
}

/* The text of a query. Values that were put in front of it, with names and types, are not followed: then it has none. */
static void query(struct mysql *s, const uint8_t *b, size_t len, uint64_t size)
{
	size_t at = 5;
	struct sql sql;

	if (s->attributes && len >= 7) {
		if (b[5] != 0) {
			announce(s, NULL, &s->client.from, size);
			return;
		}
		at += 2; /* none, in one set */
	}
	sql_read(b + at, len - at, SQL_MYSQL, &sql);
	announce(s, &sql, &s->client.from, size);
}

static bool is_execution(uint8_t command)
{
	return command == COM_EXECUTE || command == COM_BULK;
}

static void command(struct mysql *s, const uint8_t *b, size_t len, uint64_t size)
{
	if (is_execution(b[4]) && len >= 9 && talk_le32(b + 5) == LAST_PREPARED && s->at == AT_ANSWER &&
	    s->command == COM_PREPARE) {
		execute(s, b, len, size);
		s->direct = true;
		return;
	}
	s->direct = false;
	/* One at a time: a new command shows that the last one's answer is over, where that was out of sight. */
	while (s->talk.first)
		talk_end_unseen(&s->talk, s->talk.first);
	s->command = b[4];
	s->at = AT_ANSWER;
	switch (s->command) {
	case COM_QUERY:
		query(s, b, len, size);
		break;
	case COM_EXECUTE:
	case COM_BULK:
		execute(s, b, len, size);
		break;
	case COM_PREPARE:
		sql_read(b + 5, len - 5, SQL_MYSQL, &s->sql);
		s->from = s->client.from;
		s->size = size;
		break;
	case COM_INIT_DB:
		talk_text(s->talk.space, sizeof(s->talk.space), b + 5, len - 5);
		break;
	case COM_CLOSE:
		if (len >= 9)
			statements_drop(&s->prepared, talk_le32(b + 5));
		s->at = AT_IDLE;
		break;
	case COM_LONG_DATA:
	case COM_QUIT:
		s->at = AT_IDLE;
		break;
	default:
		break;
	}
}

static void client_frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct mysql *s = mysql_of(f);

	if (len >= 5 && b[3] == 0 && (s->caps_known || s->at >= AT_ANSWER))
		command(s, b, len, size);
	else if (s->at <= AT_LOGIN && !s->caps_known)
		login(s, b, len);
}

/* -- the server -- */

static void error(struct mysql *s, const uint8_t *b, size_t len)
{
	struct talk_call *q = s->talk.first;
	unsigned int code = len >= 7 ? (unsigned int)(b[6] << 8 | b[5]) : 0;

	if (!q && s->command == COM_PREPARE) {
		q = announce(s, &s->sql, &s->from, s->size);
		if (q)
			talk_answer(&s->talk, q, len);
	}
	if (!q)
		return;
	/* The error's number is what tells MySQL's errors apart; many share an SQLSTATE. */
	talk_fail_number(q, (int)code, mysql_is_transient(code));
}

static void answer_ends(struct mysql *s)
{
	s->at = AT_IDLE;
	if (s->talk.first)
		talk_end(&s->talk, s->talk.first, REQUEST_DONE);
}

static bool is_eof(const struct mysql *s, const uint8_t *b, uint64_t size)
{
	return b[4] == 0xfe && (size < 13 || (s->deprecate_eof && size < 0xffffff));
}

static void prepared(struct mysql *s, const uint8_t *b, size_t len)
{
	struct statement *x = len >= 9 ? statements_put(&s->prepared, talk_le32(b + 5)) : NULL;

	if (x)
		x->sql = s->sql;
	s->at = AT_IDLE; /* definitions of parameters and columns may follow, and answer nothing */
	if (!s->direct || len < 13)
		return;
	/* Behind them comes the answer to the execution. */
	const unsigned int columns = (unsigned int)(b[10] << 8 | b[9]), values = (unsigned int)(b[12] << 8 | b[11]);
	const unsigned int ends = s->deprecate_eof ? 0U : (columns > 0 ? 1U : 0U) + (values > 0 ? 1U : 0U);

	s->columns = columns + values + ends;
	s->command = COM_EXECUTE;
	s->at = s->columns ? AT_DEFINITIONS : AT_ANSWER;
}

static void first_answer(struct mysql *s, const uint8_t *b, size_t len, uint64_t size)
{
	size_t at = 4;

	if (b[4] == 0xff) {
		error(s, b, len);
		answer_ends(s);
	} else if (s->command == COM_PREPARE) {
		prepared(s, b, len);
	} else if (b[4] == 0x00 || (b[4] == 0xfe && size < 0xffffff)) {
		if (!mysql_more_after_ok(b, len))
			answer_ends(s);
	} else if ((s->command == COM_QUERY || is_execution(s->command)) && b[4] != 0xfb) {
		s->at = mysql_number(b, len, &at, &s->columns) && s->columns ? AT_COLUMNS : AT_IDLE;
		/* MariaDB does not repeat the columns of a statement that it described before, and says so. */
		if (s->at == AT_COLUMNS && at < len && b[at] == 0)
			s->at = AT_ROWS;
	} else if (b[4] != 0xfb) {
		answer_ends(s);
	}
}

static void row(struct mysql *s, const uint8_t *b, size_t len, uint64_t size)
{
	if (b[4] == 0xff) {
		error(s, b, len);
		answer_ends(s);
	} else if (is_eof(s, b, size)) {
		bool more = s->deprecate_eof ? mysql_more_after_ok(b, len) : len >= 9 && b[7] & MYSQL_MORE_RESULTS;
		s->at = AT_ANSWER;
		if (!more)
			answer_ends(s);
	}
}

/* The version, behind the protocol's number: "5.5.5-10.11.6-MariaDB"; thread, 9 bytes, the lower half of what it can do, 3, the upper half. */
static void greeting(struct mysql *s, const uint8_t *b, size_t len)
{
	const size_t version = strnlen((const char *)b + 5, len - 5), at = 5 + version + 1 + 4 + 9 + 2 + 3;

	s->mariadb = memmem(b + 5, version, "MariaDB", 7) != NULL;
	s->server_attributes = len >= at + 2 && ((uint32_t)b[at + 1] << 24 & CLIENT_QUERY_ATTRIBUTES);
}

static void packed_from_here(struct mysql *s)
{
	s->at = AT_IDLE;
	s->packed = mysql_packed_new(&s->talk, &packed_ops);
	if (!s->packed)
		talk_opaque(&s->talk);
}

static void server_frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	struct mysql *s = mysql_of(f);

	if (len < 5)
		return;
	if (s->talk.first)
		talk_answer(&s->talk, s->talk.first, size);
	switch (s->at) {
	case AT_GREETING:
		greeting(s, b, len);
		s->at = AT_LOGIN;
		break;
	case AT_LOGIN: /* OK, an error, or a step of the authentication */
		if (b[4] == 0x00)
			s->at = AT_IDLE;
		if (b[4] == 0x00 && s->compress)
			packed_from_here(s);
		break;
	case AT_ANSWER:
		first_answer(s, b, len, size);
		break;
	case AT_COLUMNS:
		if (is_eof(s, b, size) && s->columns == 0)
			s->at = AT_ROWS;
		else if (s->columns && --s->columns == 0 && s->deprecate_eof)
			s->at = AT_ROWS;
		break;
	case AT_ROWS:
		row(s, b, len, size);
		break;
	case AT_DEFINITIONS:
		if (--s->columns == 0)
			s->at = AT_ANSWER;
		break;
	default:
		break;
	}
}

static void server_lost(struct frames *f)
{
	talk_wide(f->t);
}

/* -- finding the place -- */

static bool client_begins(struct frames *f, const uint8_t *b, size_t len)
{
	struct mysql *s = mysql_of(f);

	if (len < 5 || b[3] != 0 || b[4] == 0 || (b[4] > 0x1f && b[4] != COM_BULK) || talk_le24(b) + 4 < len ||
	    talk_le24(b) > 1U << 20)
		return false;
	s->at = AT_IDLE;
	return true;
}

static bool server_begins(struct frames *f, const uint8_t *b, size_t len)
{
	/* The first packet of an answer. */
	return mysql_of(f)->at == AT_ANSWER && len >= 5 && b[3] == 1;
}

static const struct frames_ops client_ops = {.size = packet_size, .frame = client_frame, .begins = client_begins};
static const struct frames_ops server_ops = {
	.size = packet_size, .frame = server_frame, .begins = server_begins, .lost = server_lost};

/* -- the protocol's entry -- */

static void mysql_feed(struct talk *t, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	struct mysql *s = (struct mysql *)t;

	/* Where the login, or its end, was not seen. */
	if (client && !s->packed && (!s->caps_known || s->compress) && mysql_packed_is(bytes, len))
		packed_from_here(s);
	if (s->packed)
		mysql_packed_feed(s->packed, client, bytes, len, gap);
	else
		plain_feed(t, client, bytes, len, gap);
}

static void mysql_lose(struct talk *t)
{
	struct mysql *s = (struct mysql *)t;

	frames_lose(&s->client);
	frames_lose(&s->server);
	if (s->packed)
		mysql_packed_lose(s->packed);
	s->at = AT_IDLE;
}

static void mysql_done(struct talk *t)
{
	struct mysql *s = (struct mysql *)t;

	statements_done(&s->prepared);
	mysql_packed_free(s->packed);
}

static enum probe_answer mysql_probe(const uint8_t *bytes, size_t len, bool from_client)
{
	if (from_client)
		return len >= 4 && (bytes[3] == 1 || bytes[3] == 2) && talk_le24(bytes) >= 32 && talk_le24(bytes) < 1024 && len < 36
			       ? PROBE_MORE
		       : mysql_is_login(bytes, len) ? PROBE_YES
						    : PROBE_NO;
	if (len < 8)
		return len > 3 && (bytes[3] || (len > 4 && bytes[4] != 10)) ? PROBE_NO : PROBE_MORE;
	return mysql_is_greeting(bytes, len) ? PROBE_YES : PROBE_NO;
}

/* A whole query or prepare: one packet, number 0, that holds readable text of at least a word. */
static enum probe_answer mysql_probe_midway(const uint8_t *b, size_t len, bool from_client)
{
	if (from_client && mysql_packed_is(b, len))
		return mysql_probe_midway(b + MYSQL_PACKED_HEAD, len - MYSQL_PACKED_HEAD, true);
	if (!from_client || len < 9 || b[3] != 0 || (b[4] != COM_QUERY && b[4] != COM_PREPARE) || talk_le24(b) + 4 < len)
		return PROBE_NO;
	struct sql sql;
	sql_read(b + 5, len - 5, SQL_MYSQL, &sql);
	return sql.operation[0] && strlen(sql.operation) > 2 && !strchr(sql.operation, '?') ? PROBE_YES : PROBE_NO;
}

static bool mysql_is_client(const uint8_t *bytes, size_t len)
{
	return !mysql_is_greeting(bytes, len);
}

static const struct talk_ops mysql_ops = {
	.protocol = &mysql_protocol,
	.area = AREA_DB,
	.system = "mysql",
	.is_client = mysql_is_client,
	.feed = mysql_feed,
	.lose = mysql_lose,
	.done = mysql_done,
};

static void *mysql_open(struct model *m, struct conn *c)
{
	struct mysql *s = talk_new(sizeof(*s), &mysql_ops, m, c);

	if (!s)
		return NULL;
	s->client = (struct frames){.ops = &client_ops, .t = &s->talk, .client = true, .head = 4};
	s->server = (struct frames){.ops = &server_ops, .t = &s->talk, .head = 4};
	if (c->inherited)
		mysql_lose(&s->talk);
	return s;
}

const struct protocol mysql_protocol = {
	.name = "mysql",
	.doc = "MySQL and MariaDB queries, text and prepared, as client and server",
	.probe = mysql_probe,
	.probe_midway = mysql_probe_midway,
	.open = mysql_open,
	.data = talk_data,
	.close = talk_close,
	.resync = talk_resync,
};
