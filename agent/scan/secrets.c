/*
 * Values of keys that name a secret (secrets.h).
 */
#include "scan/secrets.h"

#include <string.h>

#include "scan/encoding.h"

#define PASSWORD_MAX 256U
#define SECRET_MAX 512U
#define CHOSEN_MIN 6U
#define LONG_NUMBER 28U /* digits of a number that is neither an id nor a time */
#define SHORT_MIN 12U   /* a token of so few characters … */
#define SHORT_MAX 15U
#define SHORT_TURNS 8U  /* … changes so often between capitals, small letters and digits: names of programs do not */
#define SIGN_KINDS 5U   /* different signs that a generator uses and a text does not */
#define LETTERS_MIN 20U /* characters of a token of letters alone, … */
#define LETTERS_HARD 5U /* … of which so many in a row cannot be spoken */
#define JOINED_MIN 24U
#define JOINED_HEX 32U
#define SECRET_JUDGED 96U /* so many of its first bytes tell whether it is random */

static bool ends_value(uint8_t c)
{
	return is_blank(c) || c == '"' || c == '\'' || c == ',' || c == ';' || c == '`' || c == 0x1b;
}

/* Where a value in quotes ends: at the same quote, unless a backslash escapes it. 0 if there is none on the line. */
static size_t quoted_end(const struct text *t, size_t at, uint8_t quote)
{
	for (size_t i = at; i < t->len && i - at <= PASSWORD_MAX; i++) {
		uint8_t c = t->bytes[i];
		if (c == '\n')
			return 0;
		if (c == quote) {
			/* one backslash for each level of JSON in JSON */
			while (i > at && t->bytes[i - 1] == '\\')
				i--;
			return i;
		}
	}
	return 0;
}

static size_t bare_end(const struct text *t, size_t at, bool element)
{
	size_t i = at;
	while (i < t->len && i - at < PASSWORD_MAX && !ends_value(t->bytes[i])) {
		if (t->bytes[i] == '<' && (element || (text_at(t, i + 1) == '/' && is_alpha(text_at(t, i + 2)))))
			break;
		/* what HTML writes for brackets and quotes */
		if (t->bytes[i] == '&' && (text_is(t, i, "&lt;") || text_is(t, i, "&gt;") || text_is(t, i, "&quot;")))
			break;
		/* the next pair of a query string */
		if (t->bytes[i] == '&' && is_alpha(text_at(t, i + 1))) {
			size_t j = i + 1;
			while (is_word(text_at(t, j)) && j - i < 32)
				j++;
			if (text_at(t, j) == '=')
				break;
		}
		i++;
	}
	/* closing brackets of what surrounds the value */
	while (i > at) {
		uint8_t c = t->bytes[i - 1], open = c == ')' ? '(' : c == ']' ? '[' : c == '}' ? '{' : c == '>' ? '<' : 0;
		if (open == 0 || memchr(t->bytes + at, open, i - at) != NULL)
			break;
		i--;
	}
	return i;
}

static bool is_call(const uint8_t *v, size_t len)
{
	const uint8_t *open = memchr(v, '(', len);
	if (open == NULL || open == v || !is_word(open[-1]))
		return false;
	/* of a call whose first argument is in quotes, the part before them */
	for (size_t i = 0; open == v + len - 1 && i + 1 < len; i++) {
		if (!is_alpha(v[i]) && v[i] != '_' && v[i] != '.')
			return false;
	}
	return v[len - 1] == ')' || open == v + len - 1;
}

/* Option<String>, Result<Token, Error>: what a program says of a variable. */
static bool is_type(const uint8_t *v, size_t len)
{
	const uint8_t *open = memchr(v, '<', len);
	if (open == NULL || open == v || v[len - 1] != '>' || open + 2 >= v + len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_word(v[i]) && v[i] != '<' && v[i] != '>' && v[i] != ':' && v[i] != '&')
			return false;
	}
	return true;
}

/* "密码: 必填", "пароль: неверный": words of another script about the password; what people type as one has a sign of ASCII. */
static bool is_beyond_ascii(const uint8_t *v, size_t len)
{
	size_t i = 0;
	while (i < len && v[i] >= 0x80)
		i++;
	return i == len;
}

/* env.NAME, config.db.password, $_POST[…], $HOME/…, .$p['x']: code that says where the password is. */
static bool is_reference(const uint8_t *v, size_t len)
{
	size_t i = 0, dots = 0, others = 0, digits = 0;
	while (i < len && (v[i] == '\\' || v[i] == '.'))
		i++;
	if (i < len && v[i] == '$') {
		size_t upper = 0, small = 0, from = ++i;
		for (; i < len && is_word(v[i]) && !is_digit(v[i]); i++) {
			upper += is_upper(v[i]);
			small += is_lower(v[i]);
		}
		return i > from && i < len && (upper == 0 || small == 0) && v[i] != 0 && strchr("/[->.:", v[i]) != NULL;
	}
	for (i = 0; i < len; i++) {
		dots += v[i] == '.';
		digits += is_digit(v[i]);
		others += !is_word(v[i]) && v[i] != '.';
	}
	return dots > 0 && digits == 0 && others == 0 && is_alpha(v[0]) && is_alpha(v[len - 1]);
}

static bool is_path(const uint8_t *v, size_t len)
{
	return len > 2 && v[0] == '/' && is_alpha(v[1]) && memchr(v + 1, '/', len - 1) != NULL;
}

bool password_at(const struct text *t, size_t sep, size_t at, struct span *ret)
{
	uint8_t quote = text_at(t, at - 1);
	/* password [hunter2] */
	bool bracket = text_at(t, sep) == ' ' && quote == '[';
	bool quoted = is_quote(quote) || bracket;
	if (text_at(t, sep) == ' ' && !quoted)
		return false;
	size_t end = quoted ? quoted_end(t, at, bracket ? ']' : quote) : bare_end(t, at, text_at(t, sep) == '>');
	if (end < at + 4)
		return false;
	const uint8_t *v = t->bytes + at;
	size_t len = end - at, letters = 0, spaces = 0, words = 0;
	for (size_t i = 0; i < len; i++) {
		letters += is_alpha(v[i]) || v[i] >= 0x80;
		spaces += v[i] == ' ';
		words += is_word(v[i]) || v[i] == '-' || v[i] == '.' || v[i] == '\'' || v[i] == ',' || v[i] == ' ';
	}
	/* the end of an element that is empty, or the tag of another */
	if (text_at(t, at - 1) == '<' && (v[0] == '/' || text_at(t, sep) == '>'))
		return false;
	if (is_placeholder(v, len) || is_call(v, len) || is_path(v, len) || (!quoted && is_reference(v, len)))
		return false;
	/* compared with a variable */
	bool compared = !quoted && (text_at(t, sep + 1) == '=' || text_at(t, sep - 1) == '=' || text_at(t, sep - 1) == '!') &&
			text_at(t, sep) == '=';
	if (!quoted && (is_type(v, len) || is_beyond_ascii(v, len) || (compared && words == len)))
		return false;
	/* a label: "Password:" */
	if (quoted && v[len - 1] == ':' && letters == len - 1)
		return false;
	/* the next key of an object, or a list of names */
	if (text_at(t, sep) == ',' && text_at(t, end + 1) != ')' && text_at(t, end + 1) != ']' && text_at(t, end + 1) != ',')
		return false;
	if (spaces > 0 && words == len)
		return false; /* a sentence about the password */
	/* prose: "password: wrong for user x" */
	if (!quoted && letters == len && text_at(t, sep) == ':' && text_at(t, end) == ' ')
		return false;
	*ret = (struct span){at, end};
	return true;
}

bool chosen_password_at(const struct text *t, size_t at, struct span *ret)
{
	bool quoted = is_quote(text_at(t, at - 1));
	size_t end = quoted ? quoted_end(t, at, text_at(t, at - 1)) : bare_end(t, at, false);
	size_t letters = 0, digits = 0, signs = 0;
	for (size_t i = at; i < end; i++) {
		uint8_t c = t->bytes[i];
		letters += is_alpha(c);
		digits += is_digit(c);
		signs += !is_word(c) && c != '-' && c != '.';
		if (c == '/' || c == '(' || c == '=' || c == '<' || c == ':' || c == ' ' || c == '|')
			return false;
	}
	if (end < at + CHOSEN_MIN || letters < 2 || digits + signs == 0 || is_placeholder(t->bytes + at, end - at) ||
	    is_reference(t->bytes + at, end - at))
		return false;
	*ret = (struct span){at, end};
	return true;
}

static size_t token_end(const struct text *t, size_t at)
{
	size_t i = at;
	while (i < t->len && i - at < SECRET_MAX) {
		uint8_t c = t->bytes[i];
		if (!is_word(c) && c != '-' && c != '.' && c != '+' && c != '/' && c != '=' && c != '~' && c != '%' && c != ':' &&
		    c != '!' && c != '*')
			break;
		i++;
	}
	while (i > at && (t->bytes[i - 1] == '.' || t->bytes[i - 1] == ':'))
		i--;
	return i;
}

bool secret_at(const struct text *t, size_t at, struct span *ret)
{
	size_t end = token_end(t, at), len = end - at;
	const uint8_t *v = t->bytes + at;
	if (len < 16)
		return false;
	/* a path, a URL or a dotted name is not a token */
	size_t slashes = 0, dots = 0, digits = 0;
	for (size_t i = 0; i < len; i++) {
		slashes += v[i] == '/';
		dots += v[i] == '.';
		digits += is_digit(v[i]);
	}
	uint8_t after = text_at(t, end);
	if (v[0] == '/' || slashes > 3 || dots > 2 || (dots > 0 && digits < 2) || after == '(' || after == '{' || after == '@' ||
	    memmem(v, len, "://", 3) != NULL || !is_random(v, len < SECRET_JUDGED ? len : SECRET_JUDGED))
		return false;
	*ret = (struct span){at, end};
	return true;
}

bool quoted_secret_at(const struct text *t, size_t at, struct span *ret)
{
	if (!is_quote(text_at(t, at - 1)))
		return false;
	size_t end = quoted_end(t, at, t->bytes[at - 1]), digits = 0, upper = 0, small = 0, others = 0, kinds = 0;
	if (end < at + 16)
		return false;
	for (size_t i = at; i < end; i++) {
		uint8_t c = t->bytes[i];
		if (c <= ' ' || c >= 0x7f)
			return false;
		digits += is_digit(c);
		upper += is_upper(c);
		small += is_lower(c);
		kinds += !is_alnum(c) && memchr(t->bytes + at, c, i - at) == NULL;
		others += !is_alnum(c) && c != '-' && c != '_' && c != '.' && c != '/' && c != ':';
	}
	/* a generator's many signs make up for the capitals that it does not use */
	if (digits == 0 || upper + small == 0 || (upper * small == 0 && kinds < SIGN_KINDS) || others < 2 ||
	    is_placeholder(t->bytes + at, end - at) || is_call(t->bytes + at, end - at) || entropy(t->bytes + at, end - at) < 3.5)
		return false;
	*ret = (struct span){at, end};
	return true;
}

bool short_secret_at(const struct text *t, size_t at, struct span *ret)
{
	size_t end = token_end(t, at), len = end - at, digits = 0, upper = 0, small = 0, turns = 0, unlike_names = 0;
	const uint8_t *v = t->bytes + at;
	if (len < SHORT_MIN || len > SHORT_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		digits += is_digit(v[i]);
		upper += is_upper(v[i]);
		small += is_lower(v[i]);
		turns += i > 0 && (is_digit(v[i]) != is_digit(v[i - 1]) || is_upper(v[i]) != is_upper(v[i - 1]));
		/* a word of a name begins with a capital and goes on with small letters: Step1Of2 */
		unlike_names += is_upper(v[i]) && (i + 1 == len || !is_lower(v[i + 1]));
		unlike_names += i > 0 && is_lower(v[i]) && is_digit(v[i - 1]);
	}
	uint8_t after = text_at(t, end);
	if (digits + upper + small != len || digits < 2 || upper < 2 || small < 2 || turns < SHORT_TURNS || unlike_names < 2 ||
	    !(ends_value(after) || after == '&' || after == '<' || after == ')' || after == '}' || after == ']') ||
	    is_placeholder(v, len))
		return false;
	*ret = (struct span){at, end};
	return true;
}

bool letters_secret_at(const struct text *t, size_t at, struct span *ret)
{
	size_t i = at, upper = 0, hard = 0, longest = 0;
	while (i < t->len && i - at < SECRET_MAX && is_alpha(t->bytes[i])) {
		uint8_t c = lower(t->bytes[i]);
		/* a word of a name begins with a capital, and can be spoken */
		bool begins = is_upper(t->bytes[i]);
		bool vowel = c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
		upper += begins;
		hard = vowel || c == 'y' ? 0 : begins ? 1 : hard + 1;
		longest = hard > longest ? hard : longest;
		i++;
	}
	size_t len = i - at;
	uint8_t after = text_at(t, i);
	if (len < LETTERS_MIN || upper < 3 || upper > len - 3 || longest < LETTERS_HARD ||
	    !(ends_value(after) || after == '&' || after == '<') || entropy(t->bytes + at, len) < 3.5 ||
	    is_placeholder(t->bytes + at, len))
		return false;
	*ret = (struct span){at, i};
	return true;
}

static bool is_uuid(const uint8_t *v, size_t len)
{
	size_t i = 0;
	while (i < len && (i == 8 || i == 13 || i == 18 || i == 23 ? v[i] == '-' : is_hex(v[i])))
		i++;
	return i == len && len == 36;
}

bool joined_secret_at(const struct text *t, size_t at, struct span *ret)
{
	size_t end = text_token_end(t, at, SECRET_MAX), len = end - at, upper = 0, small = 0, digits = 0, hex = 0;
	const uint8_t *v = t->bytes + at;
	uint8_t after = text_at(t, end);
	for (size_t i = 0; i < len; i++) {
		upper += is_upper(v[i]);
		small += is_lower(v[i]);
		digits += is_digit(v[i]);
		hex += is_hex(v[i]);
	}
	bool whole = upper + small + digits == len, mixed = upper > 2 && small > 2;
	if (!(ends_value(after) || after == ')' || after == '<' || after == '&') || digits < 3 || is_placeholder(v, len) ||
	    !(is_uuid(v, len) || (whole && len >= JOINED_MIN && mixed) || (whole && len >= JOINED_HEX && hex == len)) ||
	    entropy(v, len) < 3.0)
		return false;
	*ret = (struct span){at, end};
	return true;
}

bool token_in_prose(const struct text *t, const struct span *span, bool hex)
{
	size_t digits = 0, others = 0, upper = 0, small = 0, beyond_hex = 0;
	for (size_t i = span->start; i < span->end; i++) {
		uint8_t c = t->bytes[i];
		digits += is_digit(c);
		upper += is_upper(c);
		small += is_lower(c);
		beyond_hex += is_alpha(c) && !is_hex(c);
		others += c == '.' || c == '/' || c == ':' || c == '%' || c == '!' || c == '*' || c == '~';
	}
	uint8_t after = text_at(t, span->end);
	if (span->end - span->start < 20 || digits < 3 || upper + small < 3 || others > 0 ||
	    !(is_blank(after) || after == '.' || after == ',' || after == ')' || after == ']' || is_quote(after)))
		return false;
	/* letters of one case: more of them */
	bool one_case = span->end - span->start >= JOINED_MIN && digits >= 4 && beyond_hex >= 6 &&
			upper + small + digits == span->end - span->start;
	return hex || (beyond_hex > 0 && upper > 0 && small > 0) || one_case;
}

bool long_number_at(const struct text *t, size_t at, struct span *ret)
{
	size_t i = at;
	while (i < t->len && i - at < SECRET_MAX && is_digit(t->bytes[i]))
		i++;
	if (i - at < LONG_NUMBER || is_word(text_at(t, i)) || entropy(t->bytes + at, i - at) < 2.6)
		return false;
	*ret = (struct span){at, i};
	return true;
}

/* "AC" and 32 hexadecimal digits: what Twilio calls a SID says which message or account it is. */
static bool is_string_id(const uint8_t *v, size_t len)
{
	size_t i = 2;
	while (i < len && is_hex(v[i]) && !is_upper(v[i]))
		i++;
	return len == 34 && i == len && is_upper(v[0]) && is_upper(v[1]);
}

bool session_at(const struct text *t, size_t at, struct span *ret)
{
	size_t end = token_end(t, at), len = end - at;
	if (is_string_id(t->bytes + at, len))
		return false;
	if (len < 16 || text_is(t, at, "0x") || entropy(t->bytes + at, len) < 2.8 || is_placeholder(t->bytes + at, len))
		return false;
	size_t digits = 0;
	for (size_t i = at; i < end; i++)
		digits += is_digit(t->bytes[i]);
	if (digits == 0 || digits == len)
		return false;
	*ret = (struct span){at, end};
	return true;
}

bool aws_secret_at(const struct text *t, size_t at, struct span *ret)
{
	size_t i = at;
	while (i < t->len && i - at < 41 && (is_alnum(t->bytes[i]) || t->bytes[i] == '/' || t->bytes[i] == '+'))
		i++;
	if (i - at != 40 || entropy(t->bytes + at, 40) < 3.5 || is_placeholder(t->bytes + at, 40))
		return false;
	*ret = (struct span){at, i};
	return true;
}

bool azure_storage_at(const struct text *t, size_t at, struct span *ret)
{
	size_t i = at;
	while (i < t->len && i - at < 90 && (is_alnum(t->bytes[i]) || t->bytes[i] == '/' || t->bytes[i] == '+'))
		i++;
	while (i < t->len && t->bytes[i] == '=' && i - at < 90)
		i++;
	size_t len = i - at;
	if ((len != 88 && len != 44) || t->bytes[i - 1] != '=' || entropy(t->bytes + at, len) < 3.5 ||
	    is_placeholder(t->bytes + at, len))
		return false;
	*ret = (struct span){at, i};
	return true;
}
