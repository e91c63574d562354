/* See json_line.h. */
#include "exporters/json_line.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/findings.h"
#include "report/text.h"

#define FIRST_SIZE 4096U
#define SECOND_NS 1000000000ULL

bool json_line_grow(struct json_line *l, size_t n)
{
	size_t size = l->size > 0 ? l->size : FIRST_SIZE;
	char *grown;

	while (!l->failed && size - l->len < n)
		size *= 2;
	grown = l->failed ? NULL : realloc(l->text, size);
	if (grown == NULL) {
		l->failed = true;
		return false;
	}
	l->text = grown;
	l->size = size;
	return true;
}

/* A byte of v that is `c` sets its top bit, and perhaps those above it: enough to know whether there is one. */
static inline uint64_t holds(uint64_t v, char c)
{
	const uint64_t ones = 0x0101010101010101U, x = v ^ ones * (unsigned char)c;

	return (x - ones) & ~x;
}

/* Nothing that is to be escaped or cleaned? Eight bytes at a time, as text_is_plain. */
static bool is_itself(const char *s, size_t n)
{
	const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
	uint64_t odd = 0;

	while (n > 0) {
		const size_t part = n < sizeof(odd) ? n : sizeof(odd);
		uint64_t v = ones * 'a';

		memcpy(&v, s, part);
		odd |= v | (v - ones * ' ') | (v + ones) | holds(v, '"') | holds(v, '\\');
		s += part;
		n -= part;
	}
	return (odd & tops) == 0;
}

/* n bytes without control characters: of those, JSON wants quotes and backslashes escaped. */
static void escape(struct json_line *l, const char *text, size_t n)
{
	char *to = json_line_room(l, 2 * n + 2), *const start = to;

	if (to == NULL)
		return;
	*to++ = '"';
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '"' || text[i] == '\\')
			*to++ = '\\';
		*to++ = text[i];
	}
	*to++ = '"';
	l->len += (size_t)(to - start);
}

static void quote(struct json_line *l, const char *text, size_t n)
{
	char *to = json_line_room(l, n + 2);

	if (to == NULL)
		return;
	to[0] = '"';
	memcpy(to + 1, text, n);
	to[n + 1] = '"';
	l->len += n + 2;
}

void json_line_text(struct json_line *l, const char *text)
{
	const size_t n = text != NULL ? strlen(text) : 0;
	char *clean;

	if (n == 0 || is_itself(text, n)) {
		quote(l, text != NULL ? text : "", n);
		return;
	}
	clean = malloc(n + 1);
	if (clean == NULL) {
		l->failed = true;
		return;
	}
	text_clean(text, clean, n + 1);
	escape(l, clean, strlen(clean));
	free(clean);
}

void json_line_int(struct json_line *l, int64_t value)
{
	char text[24];

	json_line_add(l, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, value));
}

void json_line_real(struct json_line *l, double value)
{
	char text[40];

	if (!isfinite(value)) {
		json_line_literal(l, "null");
		return;
	}
	json_line_add(l, text, (size_t)snprintf(text, sizeof(text), "%.12g", value));
	if (strpbrk(text, ".e") == NULL) /* else it would read back as an integer */
		json_line_literal(l, ".0");
}

void json_line_bool(struct json_line *l, bool value)
{
	if (value)
		json_line_literal(l, "true");
	else
		json_line_literal(l, "false");
}

void json_line_hex(struct json_line *l, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *to = json_line_room(l, 2 * n + 2);

	if (to == NULL)
		return;
	*to++ = '"';
	for (size_t i = 0; i < n; i++) {
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 15];
	}
	*to = '"';
	l->len += 2 * n + 2;
}

/* The last `n` digits of a number. */
static void put_digits(char *to, uint64_t value, size_t n)
{
	for (; n > 0; n--, value /= 10)
		to[n - 1] = (char)('0' + value % 10);
}

void json_line_time(struct json_line *l, uint64_t unix_ns)
{
	char text[32], rest[] = ".000Z\"";

	if (l->date[0] == '\0' || unix_ns / SECOND_NS != l->second) {
		time_text(unix_ns, text, sizeof(text));
		memcpy(l->date, text, sizeof(l->date) - 1);
		l->second = unix_ns / SECOND_NS;
	}
	put_digits(rest + 1, unix_ns / 1000000U % 1000U, 3);
	json_line_literal(l, "\"");
	json_line_add(l, l->date, strlen(l->date));
	json_line_add(l, rest, sizeof(rest) - 1);
}

void json_line_seconds(struct json_line *l, uint64_t ns)
{
	char rest[] = ".000000000";
	size_t n = sizeof(rest) - 1;

	put_digits(rest + 1, ns % SECOND_NS, 9);
	while (n > 2 && rest[n - 1] == '0')
		n--;
	if (ns < SECOND_NS)
		json_line_literal(l, "0");
	else
		json_line_int(l, (int64_t)(ns / SECOND_NS));
	json_line_add(l, rest, n);
}
