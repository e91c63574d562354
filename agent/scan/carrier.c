/*
 * Where a value stands that a key names, in the writings of languages and frameworks (carrier.h).
 */
#include "scan/carrier.h"

#define TAG_MAX 256U  /* bytes of an element's text, and of the tag before it */
#define PAIR_MAX 512U /* bytes of the second of two */
#define NAMESPACE_MAX 32U
#define CLASS_MAX 80U /* of a class's name in PHP */

/* {"S": "…"} of DynamoDB, {"$eq": "…"} of MongoDB. */
static size_t typed_object(const struct text *t, size_t i)
{
	size_t k = i + 1, name;
	while (k - i < 6 && (text_at(t, k) == '\\' || text_at(t, k) == ' '))
		k++;
	if (!is_quote(text_at(t, k++)))
		return 0;
	for (name = k; k - name < 7 && (is_alpha(text_at(t, k)) || (k == name && text_at(t, k) == '$')); k++)
		;
	bool is_type = (k == name + 1 && (t->bytes[name] == 'S' || t->bytes[name] == 'N')) ||
		       (k == name + 3 && text_is(t, name, "$eq")) || (k == name + 6 && text_is(t, name, "string"));
	while (text_at(t, k) == '\\')
		k++;
	if (!is_type || !is_quote(text_at(t, k)) || text_at(t, k + 1) != ':')
		return 0;
	k += 2;
	return k + (text_at(t, k) == ' ') - i;
}

/* (string) (len=8) "…", as go-spew writes it. */
static size_t spewed(const struct text *t, size_t i)
{
	size_t k = i + 14;
	while (k - i < 20 && is_digit(text_at(t, k)))
		k++;
	return text_is(t, k, ") \"") ? k + 2 - i : 0;
}

/* Bytes of what a language or a framework writes around a value, at `i`: Some("…") of Rust, Optional("…") of Swift, b'…' of Python, N'…' of SQL,
 * string(7) "…" of PHP, []string{"…"} of Go, Spring's words about a field that it does not take; and what a field was before it was set,
 * [null, "…"]. */
static size_t wrapper(const struct text *t, size_t i)
{
	static const struct {
		const char *word;
		size_t len;
	} words[] = {{"some(", 5}, {"optional(", 9}, {"rejected value [", 16}, {"]string{", 8}};
	for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++) {
		if (text_is(t, i, words[k].word))
			return words[k].len;
	}
	if (text_at(t, i - 1) == '[' && (text_is(t, i, "null,") || text_is(t, i, "none,") || text_is(t, i, "nil,")))
		return text_is(t, i, "nil,") ? 4 : 5;
	if (text_at(t, i) == '{')
		return typed_object(t, i);
	if (text_at(t, i) == '(')
		return text_is(t, i, "(string) (len=") ? spewed(t, i) : 0;
	if (text_is(t, i, "string(\"") || text_is(t, i, "string('"))
		return 7;
	if (text_is(t, i, "string(")) {
		size_t n = 7;
		while (n < 16 && is_digit(text_at(t, i + n)))
			n++;
		return n > 7 && text_is(t, i + n, ") \"") ? n + 2 : 0;
	}
	uint8_t c = lower(text_at(t, i)), next = text_at(t, i + 1);
	return (c == 'b' || c == 'n' || c == 'u') && (next == '\'' || next == '"') ? 1 : 0;
}

/* The line between two columns: "ssn | 123-45-6789". */
static bool is_column(const struct text *t, size_t sep, size_t i)
{
	return text_at(t, i) == '|' && text_at(t, sep) == ' ' && text_at(t, i - 1) == ' ' && text_at(t, i + 1) == ' ';
}

/* ["password":protected]=> and ["password":"App\\User":private]=>: behind the visibility of a property in PHP, whose colon this is; or 0. */
static size_t past_visibility(const struct text *t, size_t colon)
{
	size_t i = colon + 1;
	while (i - colon < CLASS_MAX &&
	       (is_word(text_at(t, i)) || text_at(t, i) == '\\' || text_at(t, i) == ':' || is_quote(text_at(t, i))))
		i++;
	if (text_at(t, i) != ']' || !(text_is(t, i - 8, ":private") || text_is(t, i - 10, ":protected")))
		return 0;
	for (i++; i - colon < CLASS_MAX && (is_blank(text_at(t, i)) || text_at(t, i) == '=' || text_at(t, i) == '>'); i++)
		;
	return i;
}

size_t value_start(const struct text *t, size_t sep)
{
	size_t i = sep + 1, max = 8;
	size_t shown = text_at(t, sep) == ':' ? past_visibility(t, sep) : 0;
	if (shown > 0) {
		max += shown - i;
		i = shown;
	}
	uint8_t quote = 0;
	/* an element's text may stand on a line of its own */
	if (text_at(t, sep) == '>' && is_blank(text_at(t, i))) {
		while (i - sep < 32 && is_blank(text_at(t, i)) && i < t->len)
			i++;
		max = i - sep + 1;
	}
	if (text_is(t, i, "<![cdata[")) {
		i += 9;
		max += 9;
	}
	/* Key (ssn)=(123-45-6789) already exists. */
	i += text_at(t, i) == '(' && text_at(t, sep - 1) == ')';
	while (i - sep < max) {
		uint8_t c = text_at(t, i);
		if (is_quote(c)) {
			if (c == quote)
				return SIZE_MAX;
			quote = c;
		} else if (c != ' ' && c != '[' && c != '\\' && c != '=' && c != '>' && c != ':' && c != '\t' && c != '<' &&
			   c != ',' && !is_column(t, sep, i)) {
			break;
		} else if (c == ',' && i > sep + 1) {
			break;
		}
		i++;
	}
	size_t wrapped = wrapper(t, i);
	if (wrapped == 0)
		return i;
	for (i += wrapped; text_at(t, i) == '\\' || text_at(t, i) == ' '; i++)
		;
	return is_quote(text_at(t, i)) ? i + 1 : i;
}

bool element_closes(const struct text *t, size_t name, size_t *ret_open)
{
	size_t i = name;
	/* its name may have a prefix, and JSON a backslash: <\/ns2:password> */
	while (name - i < NAMESPACE_MAX && (is_word(text_at(t, i - 1)) || text_at(t, i - 1) == ':' || text_at(t, i - 1) == '-'))
		i--;
	if (text_at(t, i - 1) != '/')
		return false;
	i -= text_at(t, i - 2) == '\\' ? 3 : 2;
	if (text_at(t, i) != '<')
		return false;
	*ret_open = SIZE_MAX;
	size_t close = i, low = i > TAG_MAX ? i - TAG_MAX : 0;
	while (close > low && t->bytes[close - 1] != '>' && t->bytes[close - 1] != '<' && t->bytes[close - 1] != '\n')
		close--;
	if (text_at(t, close - 1) != '>')
		return true;
	bool attributes = false;
	low = close > TAG_MAX ? close - TAG_MAX : 0;
	for (size_t k = close - 1; k > low && t->bytes[k - 1] != '<' && t->bytes[k - 1] != '\n'; k--)
		attributes = attributes || t->bytes[k - 1] == '=';
	if (attributes)
		*ret_open = close - 1;
	return true;
}

bool pair_at(const struct text *t, size_t open, size_t comma)
{
	uint8_t bracket = text_at(t, open), before = text_at(t, open - 1);
	if (bracket != '(' && bracket != '[')
		return false;
	/* a list of lists: what is in brackets alone may be a list of names */
	bool further = before == ' ' && text_at(t, open - 2) == ',' && text_at(t, open - 3) == ']';
	if (bracket == '[' && before != '[' && !further && !(before == ',' && text_at(t, open - 2) == ']'))
		return false;
	size_t i = comma + 1;
	while (text_at(t, i) == ' ')
		i++;
	i += text_at(t, i) == 'b' ? 1 : 0;
	uint8_t quote = text_at(t, i++);
	if (!is_quote(quote))
		return false;
	for (size_t from = i; i < t->len && i - from < PAIR_MAX && t->bytes[i] != '\n'; i++) {
		if (t->bytes[i] == quote)
			return text_at(t, i + 1) == (bracket == '(' ? ')' : ']');
	}
	return false;
}
