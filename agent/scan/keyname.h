/*
 * The name before a value: "user_password" of `"user_password": "…"`, "card verification code" of `card verification code 123`.
 * It is held lower-case, reversed and without separators, with a mark where each of its words begins, so that one comparison serves
 * snake_case, camelCase, kebab-case and prose. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_KEYNAME_H
#define GAPSCOPE_SCAN_KEYNAME_H

#include "scan/text.h"

#define KEYNAME_MAX 28U

struct keyname {
	char reversed[KEYNAME_MAX];
	uint32_t starts; /* bit i: the character reversed[i] begins a word */
	uint32_t n;
	size_t start; /* where the name begins in the text */
};

/* May this stand between two words of a name? */
static inline bool keyname_joins(uint8_t c)
{
	return c == '_' || c == '-' || c == '.' || c == ' ' || c == '/';
}

/* Bytes of a letter of UTF-8 that ends before `end`, two or three, in the scripts that keys are written in: Latin with its accents, Greek,
 * Cyrillic, Hebrew, Arabic, those of India and Thailand, kana, Han and Hangul. 0 where a sign ends there: an arrow, a curly quote. */
size_t keyname_wide_letter(const struct text *t, size_t end);

/* The same, and 1 for a letter or digit of ASCII. */
static inline size_t keyname_letter(const struct text *t, size_t end)
{
	uint8_t last = text_at(t, end - 1);
	return last < 0x80 ? is_alnum(last) : keyname_wide_letter(t, end);
}

/* The name that ends before `end`: separators, quotes and brackets between are skipped (at most 6). False if there is none. */
bool keyname_before(const struct text *t, size_t end, struct keyname *ret);
/* Does the name end in `words` (lower case, no separators), beginning at a word's start? */
bool keyname_ends(const struct keyname *k, const char *words);
/* The same, of `n` letters. */
bool keyname_ends_in(const struct keyname *k, const char *words, size_t n);
/* The same, whether a word of the name begins there or not. */
bool keyname_ends_as(const struct keyname *k, const char *words, size_t n);
/* Does the name hold `words`, beginning at a word's start? */
bool keyname_has(const struct keyname *k, const char *words);
/* The same, of `n` letters. */
bool keyname_has_of(const struct keyname *k, const char *words, size_t n);
/* Does the name hold `word`, beginning and ending where words of the name do? */
bool keyname_has_word(const struct keyname *k, const char *word);
/* Is it the name of a counter, an id, a time or a size: something whose digits mean nothing else? */
bool keyname_counts(const struct keyname *k);
/* Is it the name of a thing that has numbers, as long as they are not printed in groups: a job, a message, a user? */
bool keyname_thing(const struct keyname *k);
/* The name of a payment card's number? */
bool keyname_card(const struct keyname *k);

#endif
