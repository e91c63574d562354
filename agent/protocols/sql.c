/*
 * Reading SQL token by token: names and keywords go on, literals do not. See sql.h.
 */
#include "protocols/sql.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "protocols/talk.h"

#define SUMMARY_STATEMENTS 4U /* of a query; its text tells the others */

enum token { TOKEN_END, TOKEN_WORD, TOKEN_NAME, TOKEN_LITERAL, TOKEN_PARAMETER, TOKEN_SIGN };

struct reader {
	const uint8_t *at, *end;
	enum sql_dialect dialect;
	struct sql *q;
	const uint8_t *token; /* the one last read */
	size_t token_len;
	size_t used;       /* of text */
	enum token before; /* what was written last */
	char before_sign;
	bool space, full; /* text: space before the next token; no room left */
	bool executable;  /* within a comment that the server reads */
};

static bool is_word(uint8_t c)
{
	return isalnum(c) || c == '_' || c == '$' || c >= 0x80;
}

/* -- tokens -- */

static void comment(struct reader *r, const uint8_t *from, size_t len)
{
	static const char key[] = "traceparent='";
	const uint8_t *at = len ? memmem(from, len, key, sizeof(key) - 1) : NULL;

	if (!at || r->q->traceparent[0])
		return;
	at += sizeof(key) - 1;
	const uint8_t *end = memchr(at, '\'', (size_t)(from + len - at));
	if (end)
		talk_text(r->q->traceparent, sizeof(r->q->traceparent), at, (size_t)(end - at));
}

/* Comments that begin with an exclamation mark, and a version perhaps, are code for MySQL and MariaDB: dumps are full of them. Bytes of what
 * begins or ends such a one at `from`; 0 = nothing does. */
static size_t executable_mark(struct reader *r, const uint8_t *from, size_t left)
{
	size_t n = left >= 3 && from[2] == '!' ? 3 : left >= 4 && from[2] == 'M' && from[3] == '!' ? 4 : 0;

	if (r->dialect != SQL_MYSQL || left < 2)
		return 0;
	if (r->executable && from[0] == '*' && from[1] == '/') {
		r->executable = false;
		return 2;
	}
	if (from[0] != '/' || from[1] != '*' || n == 0)
		return 0;
	r->executable = true;
	while (n < left && isdigit(from[n]))
		n++;
	return n;
}

/* White space and comments. */
static void skip(struct reader *r)
{
	while (r->at < r->end) {
		const uint8_t *from = r->at;
		size_t left = (size_t)(r->end - r->at);
		const size_t mark = executable_mark(r, from, left);
		if (isspace(*from)) {
			r->at++;
		} else if (mark > 0) {
			r->at += mark;
		} else if ((left >= 2 && from[0] == '-' && from[1] == '-') || (*from == '#' && r->dialect == SQL_MYSQL)) {
			const uint8_t *line = memchr(from, '\n', left);
			r->at = line ? line + 1 : r->end;
			comment(r, from, (size_t)(r->at - from));
		} else if (left >= 2 && from[0] == '/' && from[1] == '*') {
			const uint8_t *end = left > 2 ? memmem(from + 2, left - 2, "*/", 2) : NULL;
			r->at = end ? end + 2 : r->end;
			comment(r, from, (size_t)(r->at - from));
		} else {
			return;
		}
		r->space = true;
	}
}

/* Up to the closing quote; doubled quotes, and with `escapes` backslashes, belong to it. False if it is cut. */
static bool quoted(struct reader *r, uint8_t quote, bool escapes)
{
	for (r->at++; r->at < r->end; r->at++) {
		if (escapes && *r->at == '\\') {
			r->at++;
		} else if (*r->at == quote) {
			r->at++;
			if (r->at == r->end || *r->at != quote)
				return true;
		}
	}
	r->at = r->end;
	return false;
}

/* $tag$ … $tag$ */
static bool dollar(struct reader *r)
{
	const uint8_t *at = r->at + 1;

	while (at < r->end && (isalnum(*at) || *at == '_' || *at >= 0x80))
		at++;
	if (at == r->end || *at != '$')
		return false;
	size_t tag = (size_t)(at + 1 - r->at);
	const uint8_t *end = memmem(at + 1, (size_t)(r->end - at - 1), r->at, tag);
	r->at = end ? end + tag : r->end;
	return true;
}

static void number(struct reader *r)
{
	while (r->at < r->end && (is_word(*r->at) || *r->at == '.' ||
				  ((*r->at == '-' || *r->at == '+') && (r->at[-1] | 32) == 'e' && r->token[0] != '0')))
		r->at++;
}

static enum token word(struct reader *r)
{
	while (r->at < r->end && is_word(*r->at))
		r->at++;
	size_t n = (size_t)(r->at - r->token);
	/* E'…', N'…', B'…', X'…', U&'…', _utf8'…' */
	if (r->at < r->end && *r->at == '\'' && (n == 1 || r->token[0] == '_')) {
		quoted(r, '\'', (r->token[0] | 32) == 'e' || r->dialect == SQL_MYSQL);
		return TOKEN_LITERAL;
	}
	if (n == 1 && (r->token[0] | 32) == 'u' && r->end - r->at >= 2 && r->at[0] == '&' && r->at[1] == '\'') {
		r->at++;
		quoted(r, '\'', false);
		return TOKEN_LITERAL;
	}
	/* Words that are cut may be the start of a prefix only; they are no literal. */
	return TOKEN_WORD;
}

static enum token next(struct reader *r)
{
	skip(r);
	r->token = r->at;
	if (r->at == r->end)
		return TOKEN_END;
	uint8_t c = *r->at;
	enum token token = TOKEN_SIGN;
	bool digit_next = r->end - r->at >= 2 && isdigit(r->at[1]);
	if (c == '\'' || (c == '"' && r->dialect == SQL_MYSQL)) {
		quoted(r, c, r->dialect == SQL_MYSQL);
		token = TOKEN_LITERAL;
	} else if (c == '"' || (c == '`' && r->dialect == SQL_MYSQL)) {
		token = quoted(r, c, false) ? TOKEN_NAME : TOKEN_LITERAL;
	} else if (c == '$' && digit_next) {
		word(r);
		token = TOKEN_PARAMETER;
	} else if (c == '$' && r->dialect == SQL_STANDARD && dollar(r)) {
		token = TOKEN_LITERAL;
	} else if (isdigit(c) || (c == '.' && digit_next && r->before != TOKEN_WORD && r->before != TOKEN_NAME)) {
		number(r);
		token = TOKEN_LITERAL;
	} else if (is_word(c)) {
		token = word(r);
	} else {
		r->at++;
		token = c == '?' ? TOKEN_PARAMETER : TOKEN_SIGN;
	}
	r->token_len = (size_t)(r->at - r->token);
	return token;
}

/* -- text -- */

static void put(struct reader *r, const char *text, size_t len)
{
	size_t room = sizeof(r->q->text) - 1 - r->used;

	if (len > room)
		r->full = true;
	if (r->full)
		return;
	for (size_t i = 0; i < len; i++)
		r->q->text[r->used++] = (uint8_t)text[i] < 32 || text[i] == 127 ? '?' : text[i];
	r->q->text[r->used] = '\0';
}

static bool ends_with(const struct reader *r, const char *text)
{
	size_t n = strlen(text);

	return r->used >= n && memcmp(r->q->text + r->used - n, text, n) == 0;
}

static void write_token(struct reader *r, enum token token)
{
	bool literal = token == TOKEN_LITERAL;

	/* Lists of values are one value, and a sign belongs to its number: the number of values says nothing, and varies. */
	if (literal && (ends_with(r, "?,") || ends_with(r, "?, "))) {
		r->space = false;
		while (!ends_with(r, "?"))
			r->used--;
		r->q->text[r->used] = '\0';
		return;
	}
	if (literal && ends_with(r, "-") && r->before == TOKEN_SIGN && r->used >= 2 && strchr("(,=<> ", r->q->text[r->used - 2])) {
		r->used--;
		r->space = false;
	}
	if (r->space && r->used)
		put(r, " ", 1);
	r->space = false;
	if (literal)
		put(r, "?", 1);
	else
		put(r, (const char *)r->token, r->token_len);
	r->before = token;
}

/* -- operation and tables -- */

static bool token_is(const struct reader *r, const char *text)
{
	return r->token_len == strlen(text) && strncasecmp((const char *)r->token, text, r->token_len) == 0;
}

static bool token_in(const struct reader *r, const char *const *list)
{
	for (; *list; list++) {
		if (token_is(r, *list))
			return true;
	}
	return false;
}

struct naming {
	unsigned int tables, statements;
	int depth, with_depth;
	bool verb, with, table_next, object, from, quoted_name, routine, body;
	char name[128];
	size_t name_len;
};

static void append(char *out, size_t size, const char *text)
{
	size_t used = strlen(out);

	/* Whole words only: half a name is another name. */
	if (used + strlen(text) + 2 <= size)
		snprintf(out + used, size - used, "%s%s", used ? " " : "", text);
}

static void upper(char *out, size_t size, const struct reader *r)
{
	size_t n = r->token_len < size - 1 ? r->token_len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = isalpha(r->token[i]) || r->token[i] == '_' ? (char)toupper(r->token[i]) : '?';
	out[n] = '\0';
}

static void verb(struct reader *r, struct naming *n)
{
	static const char *const objects[] = {"CREATE", "DROP", "ALTER", "TRUNCATE", NULL};
	static const char *const direct[] = {"UPDATE", "COPY", "CALL", "LOCK", "TABLE", NULL};
	char text[32];

	upper(text, sizeof(text), r);
	n->verb = true;
	n->object = token_in(r, objects);
	n->table_next = token_in(r, direct);
	if (!r->q->operation[0])
		memcpy(r->q->operation, text, strlen(text) + 1);
	if (n->statements < SUMMARY_STATEMENTS)
		append(r->q->summary, sizeof(r->q->summary), text);
	n->statements++;
}

static void table_ends(struct reader *r, struct naming *n)
{
	if (!n->name_len)
		return;
	n->name[n->name_len] = '\0';
	n->name_len = 0;
	n->table_next = false;
	if (!strcmp(r->q->collection, n->name) && n->statements < 2)
		return;
	if (n->statements <= SUMMARY_STATEMENTS)
		append(r->q->summary, sizeof(r->q->summary), n->name);
	if (n->tables++ == 0)
		memcpy(r->q->collection, n->name, strlen(n->name) + 1);
	else
		r->q->collection[0] = '\0';
}

static void table_part(struct reader *r, struct naming *n, enum token token)
{
	const char *text = (const char *)r->token;
	size_t len = r->token_len;

	if (token == TOKEN_NAME && len >= 2) {
		text++;
		len -= 2;
	}
	if (n->name_len + len + 1 > sizeof(n->name))
		return;
	talk_text(n->name + n->name_len, sizeof(n->name) - n->name_len, (const uint8_t *)text, len);
	n->name_len += len;
}

/* CREATE, DROP and ALTER say what they work on in the next word. */
static bool object_of(struct reader *r, struct naming *n)
{
	static const char *const fill[] = {"OR",     "REPLACE",  "TEMP",         "TEMPORARY",    "UNIQUE", "IF",    "NOT",
					   "EXISTS", "UNLOGGED", "MATERIALIZED", "CONCURRENTLY", "GLOBAL", "LOCAL", NULL};
	static const char *const kinds[] = {"TABLE",    "INDEX", "VIEW",    "SCHEMA",    "DATABASE",  "SEQUENCE",
					    "FUNCTION", "TYPE",  "TRIGGER", "PROCEDURE", "EXTENSION", NULL};
	static const char *const routines[] = {"FUNCTION", "TRIGGER", "PROCEDURE", NULL};
	if (token_in(r, fill))
		return true;
	if (!token_in(r, kinds)) {
		n->object = false;
		n->table_next = !strcmp(r->q->operation, "TRUNCATE");
		return false;
	}
	char text[32];
	upper(text, sizeof(text), r);
	if (n->statements == 1)
		append(r->q->operation, sizeof(r->q->operation), text);
	if (n->statements <= SUMMARY_STATEMENTS)
		append(r->q->summary, sizeof(r->q->summary), text);
	n->object = false;
	n->routine = token_in(r, routines);
	n->table_next = token_is(r, "TABLE") || token_is(r, "VIEW");
	return true;
}

static void name_token(struct reader *r, struct naming *n, enum token token)
{
	static const char *const before[] = {"FROM", "INTO", "JOIN", "UPDATE", "TABLE", NULL};
	static const char *const fill[] = {"ONLY", "IF", "NOT", "EXISTS", "LATERAL", "IGNORE", NULL};
	static const char *const verbs[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES", NULL};
	bool dot = token == TOKEN_SIGN && *r->token == '.';

	if (token == TOKEN_SIGN && *r->token == '(')
		n->depth++;
	if (token == TOKEN_SIGN && *r->token == ')')
		n->depth--;
	if (n->name_len && !dot && n->name[n->name_len - 1] != '.')
		table_ends(r, n);
	if (token == TOKEN_SIGN && *r->token == ';') {
		n->verb = n->with = n->table_next = n->object = n->routine = false;
		n->depth = 0;
		return;
	}
	if (n->name_len && (dot || n->name[n->name_len - 1] == '.')) {
		if (dot || token == TOKEN_WORD || token == TOKEN_NAME)
			table_part(r, n, token);
		else
			table_ends(r, n);
		return;
	}
	if (token == TOKEN_WORD && !n->verb) {
		if (token_is(r, "WITH") || token_is(r, "EXPLAIN") || token_is(r, "ANALYZE")) {
			n->with = token_is(r, "WITH");
			return;
		}
		if (!n->with || (n->depth == 0 && token_in(r, verbs)))
			verb(r, n);
		return;
	}
	/* The statements between a routine's BEGIN and END are its text: none of them is executed now. */
	if (token == TOKEN_WORD && n->routine && token_is(r, "BEGIN")) {
		n->body = true;
		return;
	}
	if (token == TOKEN_WORD && n->object && object_of(r, n))
		return;
	if (token == TOKEN_WORD && token_in(r, before)) {
		/* UPDATE of "FOR UPDATE" and of "ON DUPLICATE KEY UPDATE" names no table; nor does what COPY reads FROM. */
		n->table_next = !token_is(r, "UPDATE") && !(n->tables && !strcmp(r->q->operation, "COPY"));
		return;
	}
	if (n->table_next && (token == TOKEN_WORD || token == TOKEN_NAME)) {
		if (token == TOKEN_NAME || !token_in(r, fill))
			table_part(r, n, token);
	} else if (n->table_next) {
		n->table_next = false;
	}
}

void sql_read(const uint8_t *bytes, size_t len, enum sql_dialect dialect, struct sql *ret)
{
	struct reader r = {.at = bytes, .end = bytes + len, .dialect = dialect, .q = ret};
	struct naming n = {0};

	memset(ret, 0, sizeof(*ret));
	ret->key = talk_hash(TALK_HASH_START, bytes, len);
	for (enum token token = next(&r); token != TOKEN_END; token = next(&r)) {
		write_token(&r, token);
		if (!n.body)
			name_token(&r, &n, token);
	}
	table_ends(&r, &n);
	if (n.statements > 1)
		ret->collection[0] = '\0';
}

void sql_tell(const struct sql *q, struct request *r)
{
	memcpy(r->method, q->operation, sizeof(r->method));
	memcpy(r->target, q->collection, sizeof(r->target));
	memcpy(r->summary, q->summary, sizeof(r->summary));
	memcpy(r->text, q->text, sizeof(r->text));
	if (q->traceparent[0])
		memcpy(r->traceparent, q->traceparent, sizeof(r->traceparent));
	r->operation_key = q->key;
}
