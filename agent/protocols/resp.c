/*
 * Values one element at a time: a line says what it is, and of bulks how many bytes follow. See resp.h.
 */
#include "protocols/resp.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MAX (1U << 24)
#define BULK_MAX (1ULL << 32)
#define NUMBER_MAX (1LL << 56)

static void reset(struct resp *r)
{
	r->depth = 0;
	r->bulk = 0;
	r->in_value = r->in_line = r->in_bulk = false;
	r->line_len = 0;
}

void resp_lose(struct resp *r)
{
	reset(r);
	r->lost = true;
}

static void lose(struct resp *r)
{
	r->t->counters->protocol_resync++;
	if (!r->client)
		talk_doubt(r->t);
	resp_lose(r);
}

static void add_word(struct resp *r)
{
	if (r->now.words < RESP_WORDS)
		talk_text(r->now.word[r->now.words++], RESP_WORD_MAX, (const uint8_t *)r->line,
			  r->line_len < RESP_WORD_MAX ? r->line_len : RESP_WORD_MAX - 1);
}

/* An element is over; with it may be those around it. */
static void element_ends(struct resp *r)
{
	while (r->depth && --r->left[r->depth - 1] == 0)
		r->depth--;
	if (r->depth)
		return;
	r->in_value = false;
	r->value(r, &r->now);
}

static void aggregate(struct resp *r, long long n)
{
	if (r->line_type == '%' || r->line_type == '|')
		n *= 2;
	/* An attribute comes before the value that it is about. */
	if (r->line_type == '|')
		n++;
	if (!r->depth)
		r->now.count = n > 0 ? (uint64_t)n : 0;
	if (n <= 0) {
		element_ends(r);
	} else if (r->depth == RESP_DEPTH || n > COUNT_MAX) {
		lose(r);
	} else {
		r->left[r->depth++] = (uint64_t)n;
	}
}

/* Words of an inline command. */
static void inline_words(struct resp *r)
{
	const char *at = r->line, *end = r->line + r->line_len;

	while (at < end && r->now.words < RESP_WORDS) {
		while (at < end && *at == ' ')
			at++;
		const char *from = at;
		while (at < end && *at != ' ')
			at++;
		if (at > from)
			talk_text(r->now.word[r->now.words++], RESP_WORD_MAX, (const uint8_t *)from, (size_t)(at - from));
	}
	r->now.count = r->now.words;
}

/* The number that a line begins with; -2 for '?'. Lines are shorter than what could overflow, but for hostile ones: those saturate. */
static long long number(const char *line)
{
	const bool minus = *line == '-';
	long long n = 0;

	if (*line == '?')
		return -2;
	for (line += minus || *line == '+'; *line >= '0' && *line <= '9'; line++)
		n = n < NUMBER_MAX ? n * 10 + (*line - '0') : NUMBER_MAX;
	return minus ? -n : n;
}

static void line_ends(struct resp *r)
{
	if (r->line_len && r->line_len < RESP_WORD_MAX && r->line[r->line_len - 1] == '\r')
		r->line_len--;
	if (r->line_len >= RESP_WORD_MAX)
		r->line_len = RESP_WORD_MAX - 1;
	r->line[r->line_len] = '\0';
	r->in_line = false;
	const long long n = number(r->line);
	switch (r->line_type) {
	case '*':
	case '~':
	case '>':
	case '%':
	case '|':
		if (n == -2)
			lose(r); /* streamed aggregates: no server sends them */
		else
			aggregate(r, n);
		break;
	case '$':
	case '=':
	case '!':
		r->line_len = 0;
		if (n == -2 || (unsigned long long)(n < 0 ? 0 : n) > BULK_MAX) {
			lose(r);
		} else if (n < 0) {
			add_word(r);
			element_ends(r);
		} else {
			r->in_bulk = true;
			r->bulk = (uint64_t)n + 2;
		}
		break;
	case ' ':
		inline_words(r);
		element_ends(r);
		break;
	default:
		add_word(r);
		element_ends(r);
		break;
	}
}

static void value_begins(struct resp *r, char type)
{
	r->now = (struct resp_value){.type = type, .from = talk_now(r->t, r->client), .hash = TALK_HASH_START};
	r->in_value = true;
}

static void begin(struct resp *r, char type)
{
	bool bare = r->client && isalpha((unsigned char)type) && !r->in_value;

	if (!r->in_value)
		value_begins(r, bare ? ' ' : type);
	r->now.size++;
	r->line_type = bare ? ' ' : type;
	r->in_line = true;
	r->line_len = 0;
	if (bare)
		r->line[r->line_len++] = type;
}

/* As much as there is room for. */
static void keep(struct resp *r, const uint8_t *bytes, size_t len)
{
	const size_t room = RESP_WORD_MAX - r->line_len, n = len < room ? len : room;

	memcpy(r->line + r->line_len, bytes, n);
	r->line_len += (unsigned int)n;
}

static size_t in_line(struct resp *r, const uint8_t *bytes, size_t len)
{
	const uint8_t *end = memchr(bytes, '\n', len);
	size_t n = end ? (size_t)(end - bytes) : len;

	keep(r, bytes, n);
	/* A line cut in the middle keeps no '\r' at its end. */
	r->now.hash = talk_hash(r->now.hash, bytes, n);
	r->now.size += n + (end != NULL);
	if (!end)
		return n;
	line_ends(r);
	return n + 1;
}

static size_t in_bulk(struct resp *r, const uint8_t *bytes, size_t len)
{
	size_t n = len < r->bulk ? len : (size_t)r->bulk;
	size_t text = r->bulk > 2 ? (size_t)(r->bulk - 2 < n ? r->bulk - 2 : n) : 0;

	if (r->now.words < RESP_WORDS)
		keep(r, bytes, text);
	if (r->client)
		r->now.hash = talk_hash(r->now.hash, bytes, text);
	r->bulk -= n;
	r->now.size += n;
	if (r->bulk == 0) {
		r->in_bulk = false;
		add_word(r);
		element_ends(r);
	}
	return n;
}

/* A bulk whose line and bytes are all here, as nearly all are: what begin(), in_line() and in_bulk() would do of it. 0 if it is none. */
static size_t whole_bulk(struct resp *r, const uint8_t *bytes, size_t len)
{
	size_t at = 1, n = 0;

	while (at < len && at < 8 && bytes[at] >= '0' && bytes[at] <= '9')
		n = n * 10 + (size_t)(bytes[at++] - '0');
	if (at == 1 || len - at < n + 4 || bytes[at] != '\r' || bytes[at + 1] != '\n')
		return 0;
	const uint8_t *const text = bytes + at + 2;
	const size_t all = at + 4 + n;

	if (!r->in_value)
		value_begins(r, '$');
	r->now.size += all;
	r->now.hash = talk_hash(r->now.hash, bytes + 1, at);
	if (r->client)
		r->now.hash = talk_hash(r->now.hash, text, n);
	if (r->now.words < RESP_WORDS)
		talk_text(r->now.word[r->now.words++], RESP_WORD_MAX, text, n);
	element_ends(r);
	return all;
}

static bool is_type(uint8_t c)
{
	static const bool types[256] = {
		['+'] = true, ['-'] = true, [':'] = true, ['$'] = true, ['*'] = true, ['_'] = true, ['#'] = true, [','] = true,
		['('] = true, ['!'] = true, ['='] = true, ['%'] = true, ['~'] = true, ['>'] = true, ['|'] = true,
	};

	return types[c];
}

static size_t step(struct resp *r, const uint8_t *bytes, size_t len)
{
	size_t n;

	if (!r->in_line && !r->in_bulk && *bytes == '$' && (n = whole_bulk(r, bytes, len)) > 0)
		return n;
	if (r->in_bulk) {
		n = in_bulk(r, bytes, len);
	} else if (r->in_line) {
		n = in_line(r, bytes, len);
	} else if (*bytes == '\r' || *bytes == '\n') {
		return 1; /* an empty inline command is none */
	} else if (is_type(*bytes) || (r->client && isalpha(*bytes))) {
		begin(r, (char)*bytes);
		n = 1;
	} else {
		lose(r);
		n = len;
	}
	return n;
}

static bool begins(const struct resp *r, const uint8_t *bytes, size_t len)
{
	if (len < 4)
		return false;
	if (r->client)
		return bytes[0] == '*' && isdigit(bytes[1]) && memmem(bytes, len < 12 ? len : 12, "\r\n$", 3);
	return strchr("+-:$*_#,(>%~", bytes[0]) && (isalnum(bytes[1]) || bytes[1] == '-' || bytes[1] == '\r') &&
	       memmem(bytes, len < 512 ? len : 512, "\r\n", 2);
}

void resp_feed(struct resp *r, const uint8_t *bytes, size_t len, size_t gap)
{
	if (r->lost && begins(r, bytes, len))
		r->lost = false;
	while (len && !r->lost) {
		size_t n = step(r, bytes, len);
		bytes += n;
		len -= n;
	}
	if (!gap || r->lost)
		return;
	if (r->in_bulk && gap < r->bulk) {
		r->bulk -= gap;
		r->now.size += gap;
		return;
	}
	if (r->in_bulk && gap == r->bulk) {
		r->now.size += gap;
		r->bulk = 0;
		r->in_bulk = false;
		add_word(r);
		element_ends(r);
		return;
	}
	lose(r);
}
