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

/* Room for n bytes behind what is there, or NULL. */
static char *room(struct json_line *l, size_t n)
{
	size_t size = l->size > 0 ? l->size : FIRST_SIZE;
	char *grown;

	if (l->failed)
		return NULL;
	while (size - l->len < n)
		size *= 2;
	if (size != l->size) {
		grown = realloc(l->text, size);
		if (grown == NULL) {
			l->failed = true;
			return NULL;
		}
		l->text = grown;
		l->size = size;
	}
	return l->text + l->len;
}

void json_line_add(struct json_line *l, const char *text, size_t n)
{
	char *to = room(l, n);

	if (to == NULL)
		return;
	memcpy(to, text, n);
	l->len += n;
}

/* n bytes without control characters: of those, JSON wants quotes and backslashes escaped. */
static void quote(struct json_line *l, const char *text, size_t n)
{
	char *to = room(l, 2 * n + 2), *const start = to;

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

void json_line_text(struct json_line *l, const char *text)
{
	const size_t n = text != NULL ? strlen(text) : 0;
	char *clean;

	if (text_is_plain(text, n)) {
		quote(l, text, n);
		return;
	}
	clean = malloc(n + 1);
	if (clean == NULL) {
		l->failed = true;
		return;
	}
	text_clean(text, clean, n + 1);
	quote(l, clean, strlen(clean));
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
	char *to = room(l, 2 * n + 2);

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
