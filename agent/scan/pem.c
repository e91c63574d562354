/*
 * Private keys in PEM (RFC 7468): one match from BEGIN to END, however its lines are divided (line feeds, or the two characters "\n"
 * of a JSON text). A block that is cut off is a key all the same.
 */
#include <string.h>

#include "scan/validators.h"

#define LABEL_MAX 64U
#define BODY_MAX 16384U
#define BODY_MIN 32U
#define BODY_RUN 16U /* base64 without a break */

static bool is_body(uint8_t c)
{
	return is_alnum(c) || c == '+' || c == '/' || c == '=' || c == '\\' || c == '\n' || c == '\r' || c == ' ' || c == '\t' ||
	       c == ':' || c == ',' || c == '-' || c == '.' || c == '(' || c == ')' || c == '"' || c == '|' || c == '%';
}

/* A block whose lines have something before them, as logs put it there: to its END, if base64 is what most of it is. */
static size_t divided_end(const struct text *t, size_t body)
{
	size_t room = t->len - body < BODY_MAX ? t->len - body : BODY_MAX, run = 0, in_runs = 0;
	/* the next one's BEGIN first: a text of nothing but these costs a short look at each */
	const uint8_t *next = memmem(t->bytes + body, room, "-----BEGIN ", 11);
	if (next != NULL)
		room = (size_t)(next - t->bytes) - body;
	const uint8_t *end = memmem(t->bytes + body, room, "-----END ", 9);
	if (end == NULL)
		return 0;
	size_t stop = (size_t)(end - t->bytes);
	for (size_t i = body; i <= stop; i++) {
		uint8_t c = t->bytes[i];
		if (is_alnum(c) || c == '+' || c == '/' || c == '=') {
			run++;
			continue;
		}
		in_runs += run >= BODY_RUN ? run : 0;
		run = 0;
	}
	return in_runs >= BODY_MIN && in_runs * 3 >= stop - body ? stop : 0;
}

bool pem_at(const struct text *t, size_t at, struct span *ret)
{
	if (!text_is(t, at, "-----begin "))
		return false;
	size_t label = at + 11, i = label;
	while (i < t->len && i - label < LABEL_MAX && (is_upper(t->bytes[i]) || is_digit(t->bytes[i]) || t->bytes[i] == ' '))
		i++;
	if (i == label || text_at(t, i) != '-' || !text_is(t, i, "-----"))
		return false;
	if (memmem(t->bytes + label, i - label, "PRIVATE KEY", 11) == NULL)
		return false;
	size_t body = i + 5, stop = t->len - body < BODY_MAX ? t->len : body + BODY_MAX, letters = 0;
	for (i = body; i < stop && is_body(t->bytes[i]); i++) {
		if (t->bytes[i] == '-' && text_is(t, i, "-----"))
			break;
		letters += is_alnum(t->bytes[i]);
	}
	if (i < stop && t->bytes[i] != '-') {
		size_t end = divided_end(t, body);
		if (end != 0) {
			i = end;
			letters = BODY_MIN;
		}
	}
	if (letters < BODY_MIN)
		return false;
	if (text_is(t, i, "-----end ")) {
		size_t close = i + 9;
		while (close < t->len && close - i < LABEL_MAX && text_at(t, close) != '-' && text_at(t, close) != '\n')
			close++;
		if (text_is(t, close, "-----"))
			i = close + 5;
	}
	while (i > body && is_blank(t->bytes[i - 1]))
		i--;
	*ret = (struct span){at, i};
	return true;
}
