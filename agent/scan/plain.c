/*
 * Text in another writing (plain.h). No memory but the caller's; a line's part costs one pass, whatever it holds.
 */
#include "scan/plain.h"

#include <string.h>

#include "scan/encoding.h"
#include "scan/keyname.h"
#include "scan/prefilter.h"

#define TEXT_MIN 12U /* so many bytes of a decoded text are looked at first */
#define BASE64_MAX 16384U
#define NAME_MAX 6U    /* of HTML's names of signs */
#define COLOUR_MAX 24U /* longest sequence of a terminal */
#define KEY_HOPS 4U    /* "%22%3A%22" */
#define BACKSLASHES 8U /* of JSON in JSON in JSON */

/* One character that is written in another way: its value, or -1 for none at all; and how many bytes it takes, 0 if it is none. A value
 * from BYTE on is a byte of UTF-8 that stands for itself. */
struct written {
	int value;
	size_t width;
};

#define BYTE 0x1000000

static const struct {
	const char *name;
	uint8_t value;
} names[] = {{"&quot;", '"'}, {"&apos;", '\''}, {"&lt;", '<'},  {"&gt;", '>'},   {"&amp;", '&'},
	     {"&#34;", '"'},  {"&#39;", '\''},  {"&#64;", '@'}, {"&#x40;", '@'}, {"&#61;", '='}};

/* Texts that carry credentials begin so. */
static const char *const starts[] = {
	"{\"a",    "{ \"",     "{\n ",    "[{\"",   "Bearer ",  "bearer ", "Basic ",   "Authorization", "authoriz", "pass",
	"Pass",    "PASS",     "user",    "User",   "USER",     "login",   "token",    "TOKEN",         "api_key",  "apikey",
	"API_",    "secret",   "SECRET",  "key=",   "DB_",      "AWS_",    "postgres", "mysql://",      "mongodb",  "redis://",
	"amqp://", "https://", "http://", "-----B", "machine ", "Server=", "email",    "access",        "<?xml ",   "export "};

static int hex_value(uint8_t c)
{
	return is_digit(c) ? c - '0' : is_hex(c) ? lower(c) - 'a' + 10 : -1;
}

/* `n` hexadecimal digits at i, or -1. */
static int hex_at(const struct text *t, size_t i, size_t n)
{
	int value = 0;
	for (size_t k = 0; k < n; k++) {
		int digit = hex_value(text_at(t, i + k));
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* Full-width forms are what they are forms of. */
static int narrow(int c)
{
	return c >= 0xff01 && c <= 0xff5e ? c - 0xff01 + 0x21 : c;
}

/* A letter that keys are written in, "contrase\u00f1a": the scripts of keyname_wide_letter(). */
static bool is_wide_letter(int c)
{
	return (c >= 0xc0 && c < 0x2000) || (c >= 0x3041 && c < 0xd7a4);
}

static struct written backslash(const struct text *t, size_t i)
{
	size_t k = i;
	while (text_at(t, k) == '\\' && k - i < BACKSLASHES)
		k++;
	int value = -1;
	if (text_at(t, k) == 'u' && (value = hex_at(t, k + 1, 4)) >= 0)
		return (struct written){narrow(value), k + 5 - i};
	if (text_at(t, k) == 'x' && (value = hex_at(t, k + 1, 2)) >= 0)
		return (struct written){value < 0x80 ? value : BYTE + value, k + 3 - i};
	return (struct written){0};
}

/* ESC [ 31 m */
static struct written colour(const struct text *t, size_t i)
{
	size_t k = i + 2;
	while (k - i < COLOUR_MAX && (is_digit(text_at(t, k)) || text_at(t, k) == ';' || text_at(t, k) == '?'))
		k++;
	return is_alpha(text_at(t, k)) ? (struct written){-1, k + 1 - i} : (struct written){0};
}

static struct written entity_name(const struct text *t, size_t i)
{
	/* "&user=" of a query is none; nothing here is longer than &quot; */
	size_t n = t->len - i < NAME_MAX ? t->len - i : NAME_MAX;
	if (memchr(t->bytes + i, ';', n) == NULL)
		return (struct written){0};
	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
		if (text_is(t, i, names[k].name))
			return (struct written){names[k].value, strlen(names[k].name)};
	}
	return (struct written){0};
}

static struct written written_at(const struct text *t, size_t i)
{
	int value;
	switch (text_at(t, i)) {
	case '\\':
		return backslash(t, i);
	case '%':
		value = hex_at(t, i + 1, 2);
		if (value < 0)
			return (struct written){0};
		return (struct written){value < 0x80 ? value : BYTE + value, 3};
	case '&':
		return entity_name(t, i);
	case 0x1b:
		return text_at(t, i + 1) == '[' ? colour(t, i) : (struct written){0};
	case 0xef: {
		uint8_t second = text_at(t, i + 1), third = text_at(t, i + 2);
		int wide = 0xf000 | (second & 0x3f) << 6 | (third & 0x3f);
		if ((second == 0xbc || second == 0xbd) && (third & 0xc0) == 0x80 && narrow(wide) < 0x80)
			return (struct written){narrow(wide), 3};
		return (struct written){0};
	}
	case 0:
		/* the other half of a letter of UTF-16 */
		if (i < t->len && (text_at(t, i - 1) != 0 || text_at(t, i + 1) != 0))
			return (struct written){-1, 1};
		return (struct written){0};
	default:
		return (struct written){0};
	}
}

/* Does a key that means something end before i, or before what is written so right before i: "password%22%3A"? */
static bool behind_key(const struct text *t, size_t i)
{
	for (unsigned int hops = 0; hops < KEY_HOPS && i >= 3 && t->bytes[i - 3] == '%' && hex_at(t, i - 2, 2) >= 0; hops++)
		i -= 3;
	return keyvalue_may_end(t, i);
}

/* May a key end here that is written in bytes of UTF-8, "%D0%BB%D1%8C="? */
static bool behind_wide_key(const struct text *t, size_t i)
{
	return i >= 3 && t->bytes[i - 3] == '%' && hex_at(t, i - 2, 2) >= 0x80;
}

static bool four_digits(const struct text *t, size_t i)
{
	return is_digit(text_at(t, i)) && is_digit(text_at(t, i + 1)) && is_digit(text_at(t, i + 2)) && is_digit(text_at(t, i + 3));
}

/* The blank behind "Bearer" and within a number, the sign of an address, what divides a key that means something from its value, and what opens a number. Most
 * of what is written so is a part of a URL, and no value of its own. */
static bool percent_matters(const struct text *t, size_t i, int value)
{
	switch (value) {
	case ' ':
		return (i >= 5 && (text_is(t, i - 5, "earer") || text_is(t, i - 4, "asic"))) || behind_key(t, i) ||
		       (four_digits(t, i - 4) && four_digits(t, i + 3));
	case '@':
		return true;
	case '+':
		return is_digit(text_at(t, i + 3));
	case '=':
	case ':':
	case '"':
	case '\'':
	case '&':
		return behind_key(t, i) || behind_wide_key(t, i) || four_digits(t, i + 3);
	default:
		return false;
	}
}

bool plain_may_begin(const struct text *t, size_t i)
{
	struct written w;
	switch (text_at(t, i)) {
	case '%':
		w = written_at(t, i);
		/* the last byte of a key that is written so */
		if (w.value >= BYTE)
			return text_at(t, i + 3) == '=' || text_at(t, i + 3) == ':';
		return w.width > 0 && percent_matters(t, i, w.value);
	case 0xef:
		w = written_at(t, i);
		return w.width > 0 &&
		       (is_digit((uint8_t)w.value) || w.value == '@' ||
			((w.value == ':' || w.value == '=') && (keyname_wide_letter(t, i) > 0 || keyvalue_may_end(t, i))));
	case '\\':
	case '&':
	case 0x1b:
		return written_at(t, i).width > 0;
	default:
		return is_alnum(text_at(t, i)) && text_at(t, i + 1) == 0 && text_at(t, i + 3) == 0 && text_at(t, i + 5) == 0 &&
		       i + 5 < t->len;
	}
}

/* The bytes of UTF-8 of one character, which all stood where it did; no more of them than it took there. */
static size_t put(struct plain *p, size_t n, size_t start, const struct written *w)
{
	uint8_t bytes[3] = {(uint8_t)w->value};
	size_t many = w->value < 0 ? 0 : 1;
	if (w->value >= 0x80 && w->value < BYTE && !is_wide_letter(w->value)) {
		bytes[0] = '?';
	} else if (w->value >= 0x800 && w->value < BYTE) {
		bytes[0] = (uint8_t)(0xe0 | w->value >> 12);
		bytes[1] = (uint8_t)(0x80 | (w->value >> 6 & 0x3f));
		bytes[2] = (uint8_t)(0x80 | (w->value & 0x3f));
		many = 3;
	} else if (w->value >= 0x80 && w->value < BYTE) {
		bytes[0] = (uint8_t)(0xc0 | w->value >> 6);
		bytes[1] = (uint8_t)(0x80 | (w->value & 0x3f));
		many = 2;
	}
	for (size_t i = 0; i < many; i++, n++) {
		p->bytes[n] = bytes[i];
		p->start[n] = (uint16_t)start;
		p->width[n] = (uint8_t)w->width;
	}
	return n;
}

void plain_line(const struct text *t, size_t i, struct plain *ret)
{
	size_t low = i > PLAIN_BACK ? i - PLAIN_BACK : 0, high = t->len - i > PLAIN_AHEAD ? i + PLAIN_AHEAD : t->len, from = i;
	while (from > low && t->bytes[from - 1] != '\n')
		from--;
	const uint8_t *feed = memchr(t->bytes + i, '\n', high - i);
	size_t end = feed != NULL ? (size_t)(feed - t->bytes) : high, n = 0;
	for (size_t k = from; k < end;) {
		struct written w = written_at(t, k);
		if (w.width == 0)
			w = (struct written){BYTE + t->bytes[k], 1};
		n = put(ret, n, k - from, &w);
		k += w.width;
	}
	ret->from = from;
	ret->end = end;
	ret->cut = feed == NULL && end < t->len;
	ret->n = n;
}

void plain_wipe(struct plain *p)
{
	explicit_bzero(p->bytes, p->n);
}

uint32_t plain_base64_start(size_t i)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	if (i >= sizeof(starts) / sizeof(*starts))
		return 0;
	uint32_t a = (uint8_t)starts[i][0], b = (uint8_t)starts[i][1], c = (uint8_t)starts[i][2];
	uint32_t all = a << 16 | b << 8 | c;
	return (uint32_t)(uint8_t)digits[all >> 18] | (uint32_t)(uint8_t)digits[all >> 12 & 63] << 8 |
	       (uint32_t)(uint8_t)digits[all >> 6 & 63] << 16;
}

static bool is_text(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((bytes[i] < 0x20 && bytes[i] != '\n' && bytes[i] != '\r' && bytes[i] != '\t') || bytes[i] >= 0x7f)
			return false;
	}
	return true;
}

static bool is_base64(uint8_t c)
{
	return is_word(c) || c == '+' || c == '/' || c == '-';
}

size_t plain_base64(const struct text *t, size_t at, uint8_t *out, size_t size, size_t *ret_end)
{
	size_t end = at, first = TEXT_MIN / 3 * 4, longest = size / 3 * 4;
	if (t->len - at < first || base64_decode(t->bytes + at, first, out, size) != TEXT_MIN || !is_text(out, TEXT_MIN))
		return 0;
	while (end < t->len && end - at < longest && is_base64(t->bytes[end]))
		end++;
	size_t len = end - at, n = base64_decode(t->bytes + at, len % 4 == 1 ? len - 1 : len, out, size);
	if (n < TEXT_MIN || !is_text(out, n))
		n = 0;
	while (end < t->len && end - at < BASE64_MAX && is_base64(t->bytes[end]))
		end++;
	while (end < t->len && t->bytes[end] == '=')
		end++;
	*ret_end = end;
	return n;
}
