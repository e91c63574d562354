/*
 * The values of a Kubernetes Secret that was logged, in YAML or JSON: each word of base64 under its `data` is one.
 */
#include <string.h>

#include "scan/encoding.h"
#include "scan/validators.h"

#define BACK 480U /* what the scanner's matches may lie behind a place (LOOKBACK of scan.c) */
#define AHEAD 4096U
#define VALUES_MAX 32U
#define WORD_MIN 6U
#define TEXT_MAX 96U /* so many bytes of a value tell what it is */

static bool is_base64(uint8_t c)
{
	return is_alnum(c) || c == '+' || c == '/';
}

/* Does the word decode to something else than a word that only looks like base64? */
static bool holds(const uint8_t *word, size_t len)
{
	uint8_t text[TEXT_MAX];
	size_t seen = len < TEXT_MAX / 3 * 4 ? len : TEXT_MAX / 3 * 4,
	       n = len % 4 == 0 ? base64_decode(word, seen, text, sizeof(text)) : 0;
	size_t printable = 0;
	while (n > 0 && text[n - 1] == '\n')
		n--;
	for (size_t i = 0; i < n; i++)
		printable += (text[i] >= 0x20 && text[i] < 0x7f) || text[i] == '\n';
	bool is = n >= 4 && printable == n && !is_placeholder(text, n);
	explicit_bzero(text, sizeof(text));
	return is;
}

static size_t indent_of(const struct text *t, size_t i)
{
	size_t line = i;
	while (line > 0 && t->bytes[line - 1] != '\n')
		line--;
	return i - line;
}

/* Words of base64 from `at` on, until the block that is indented deeper than `indent` ends. */
static void values(const struct text *t, size_t at, size_t indent, bool json, struct matches *m)
{
	size_t stop = t->len - at < AHEAD ? t->len : at + AHEAD, told = 0;
	for (size_t i = at; i < stop && told < VALUES_MAX;) {
		uint8_t c = t->bytes[i];
		if (json && c == '}')
			return;
		if (!json && c == '\n') {
			size_t next = i + 1;
			while (text_at(t, next) == ' ' || text_at(t, next) == '\t')
				next++;
			if (text_at(t, next) != '\n' && next - i - 1 <= indent)
				return;
			i = next;
			continue;
		}
		if (!is_base64(c)) {
			i++;
			continue;
		}
		size_t end = i;
		while (end < stop && is_base64(t->bytes[end]))
			end++;
		size_t padded = end;
		while (padded < stop && padded - end < 2 && t->bytes[padded] == '=')
			padded++;
		/* a key has its colon behind it */
		uint8_t after = text_at(t, padded), before = text_at(t, i - 1);
		if (padded - i >= WORD_MIN && (is_blank(after) || is_quote(after) || after == ',' || after == '}') &&
		    (is_blank(before) || is_quote(before)) && text_at(t, padded + 1) != ':' && holds(t->bytes + i, padded - i)) {
			(void)matches_add(m, i, padded, ENTITY_API_KEY);
			told++;
		}
		i = padded > i ? padded : i + 1;
	}
}

void manifest_at(const struct text *t, size_t sep, size_t at, struct matches *m)
{
	if (text_at(t, sep) != ':' || !text_is(t, at, "secret") || is_word(text_at(t, at + 6)))
		return;
	size_t low = at > BACK ? at - BACK : 0, high = t->len - at < AHEAD ? t->len : at + AHEAD;
	/* the nearest one: before or after, as the keys are sorted or not */
	for (size_t i = low; i + 6 < high; i++) {
		bool json = t->bytes[i] == '"' && text_is(t, i, "\"data\"");
		if (!json && !(text_is(t, i, "data:") && (i == 0 || is_blank(t->bytes[i - 1]))))
			continue;
		values(t, i + 5 + (json ? 1 : 0), json ? 0 : indent_of(t, i), json, m);
		return;
	}
}
