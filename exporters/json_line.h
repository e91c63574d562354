/*
 * JSON as text, put together in place and without a tree: for what is written of each request (RFC 8259). Texts are cleaned as
 * text_json does it. Grows as needed; when memory is out, `failed` is set and nothing is added. Any thread.
 */
#ifndef GAPSCOPE_EXPORTERS_JSON_LINE_H
#define GAPSCOPE_EXPORTERS_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct json_line {
	char *text; /* not terminated; to be freed */
	size_t len, size;
	bool failed;
	uint64_t second; /* that `date` says, of the Unix epoch */
	char date[20];   /* "" at first */
};

/* For the functions below: make room for n bytes more. False where memory is out. */
bool json_line_grow(struct json_line *l, size_t n);

/* Room for n bytes behind what is there, or NULL. */
static inline char *json_line_room(struct json_line *l, size_t n)
{
	return l->size - l->len >= n || json_line_grow(l, n) ? l->text + l->len : NULL;
}

/* As they are: what is JSON already. */
static inline void json_line_add(struct json_line *l, const char *text, size_t n)
{
	char *to = json_line_room(l, n);

	if (to == NULL)
		return;
	memcpy(to, text, n);
	l->len += n;
}
#define json_line_literal(l, text) json_line_add(l, text, sizeof(text) - 1)

void json_line_text(struct json_line *l, const char *text); /* NULL: "" */
void json_line_int(struct json_line *l, int64_t value);
void json_line_real(struct json_line *l, double value); /* null if it is no number */
void json_line_bool(struct json_line *l, bool value);
void json_line_hex(struct json_line *l, const uint8_t *bytes, size_t n);
void json_line_time(struct json_line *l, uint64_t unix_ns); /* as time_text */
void json_line_seconds(struct json_line *l, uint64_t ns);   /* a number, exactly */

#endif
