/*
 * The text under the scanner, and the few character tests that all of agent/scan shares. Reads past either end give 0, so that no
 * validator needs bounds of its own. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_TEXT_H
#define GAPSCOPE_SCAN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	const uint8_t *bytes;
	size_t len;
};

struct span {
	size_t start, end; /* end is exclusive */
};

/* Byte i; 0 outside of the text, which includes the i that comes of 0 - 1. */
static inline uint8_t text_at(const struct text *t, size_t i)
{
	return i < t->len ? t->bytes[i] : 0;
}

static inline bool is_digit(uint8_t c)
{
	return (uint8_t)(c - '0') < 10;
}

static inline bool is_upper(uint8_t c)
{
	return (uint8_t)(c - 'A') < 26;
}

static inline bool is_lower(uint8_t c)
{
	return (uint8_t)(c - 'a') < 26;
}

static inline bool is_alpha(uint8_t c)
{
	return (uint8_t)((c | 0x20) - 'a') < 26;
}

static inline bool is_alnum(uint8_t c)
{
	return is_digit(c) || is_alpha(c);
}

static inline bool is_word(uint8_t c)
{
	return is_alnum(c) || c == '_';
}

static inline bool is_hex(uint8_t c)
{
	return is_digit(c) || (uint8_t)((c | 0x20) - 'a') < 6;
}

static inline bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == 0;
}

static inline bool is_quote(uint8_t c)
{
	return c == '"' || c == '\'' || c == '`';
}

static inline uint8_t lower(uint8_t c)
{
	return is_upper(c) ? (uint8_t)(c | 0x20) : c;
}

/* Does the text hold `word` (lower case) at i, whatever its case? */
static inline bool text_is(const struct text *t, size_t i, const char *word)
{
	for (; *word != 0; word++, i++) {
		if (lower(text_at(t, i)) != (uint8_t)*word)
			return false;
	}
	return true;
}

/* Where a run of letters, digits, '-' and '_' (the URL-safe base64 alphabet) that holds i ends, at most `max` bytes on. */
static inline size_t text_token_end(const struct text *t, size_t i, size_t max)
{
	size_t stop = t->len - i < max ? t->len : i + max;
	while (i < stop && (is_word(t->bytes[i]) || t->bytes[i] == '-'))
		i++;
	return i;
}

#endif
