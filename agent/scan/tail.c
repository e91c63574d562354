/*
 * The end of a text that goes on elsewhere: a value may begin here and end in bytes that are not known yet (scan_open_end).
 */
#include <string.h>

#include "scan/prefilter.h"
#include "scan/scan.h"
#include "scan/validators.h"

#define TAIL_MAX 512U
#define WORD_MIN 10U
#define DIGITS_MIN 8U /* fewer digits than this are no part of a card that matters */

/* What may follow: random, so that whatever it completes looks like a secret. */
static const char filler[] = "Zq7Kx9Vb2Lm8Rt4Wn6Hs3Pd5";

struct reach {
	size_t end, first; /* matches that begin before `end` and end behind it begin at `first` or later */
};

static void crosses(void *ctx, const struct scan_match *m)
{
	struct reach *r = ctx;
	if (m->start < r->end && m->end > r->end && m->start < r->first)
		r->first = m->start;
}

/* Digits, with single spaces and dashes among them, at the end: where they begin. */
static size_t digits_begin(const struct text *t, size_t *ret_digits)
{
	size_t i = t->len, digits = 0;
	while (i > 0 && t->len - i < 24 && (is_digit(t->bytes[i - 1]) || t->bytes[i - 1] == ' ' || t->bytes[i - 1] == '-')) {
		digits += is_digit(t->bytes[i - 1]);
		i--;
	}
	while (i < t->len && !is_digit(t->bytes[i]))
		i++;
	*ret_digits = digits;
	return i;
}

static bool is_length(const struct text *t, size_t at)
{
	/* Content-Length: 12345678 is what a protocol needs to find the next message */
	return at >= 8 && text_is(t, at - 8, "length: ");
}

/* A long word of letters and digits: the beginning of an address or a token, rather than of a word that a protocol knows. */
static bool looks_made(const struct text *t, size_t word)
{
	size_t digits = 0, letters = 0;
	for (size_t i = word; i < t->len; i++) {
		digits += is_digit(t->bytes[i]);
		letters += is_alpha(t->bytes[i]);
	}
	return t->len - word >= WORD_MIN && digits > 0 && letters > 0 && text_at(t, word - 1) != '/';
}

size_t scan_open_end(struct scanner *s, const uint8_t *text, size_t len)
{
	uint8_t last[TAIL_MAX + sizeof(filler)];
	size_t n = len < TAIL_MAX ? len : TAIL_MAX, skipped = len - n;
	if (len == 0 || is_blank(text[len - 1]))
		return len;
	memcpy(last, text + skipped, n);
	memcpy(last + n, filler, sizeof(filler) - 1);
	struct reach r = {.end = n, .first = n};
	(void)scan_all(s, last, n + sizeof(filler) - 1, crosses, &r);

	const struct text t = {.bytes = last, .len = n};
	size_t digits, from = digits_begin(&t, &digits);
	if (digits >= DIGITS_MIN && from < r.first && !is_alnum(text_at(&t, from - 1)) && !is_length(&t, from))
		r.first = from;
	/* a word that begins as a vendor's key or a token does */
	size_t word = n;
	while (word > 0 && (is_word(last[word - 1]) || last[word - 1] == '-' || last[word - 1] == '.'))
		word--;
	if (word < r.first &&
	    (looks_made(&t, word) || (n - word >= 3 && memcmp(last + word, "eyJ", 3) == 0) || vendor_begins(&t, word)))
		r.first = word;
	explicit_bzero(last, sizeof(last));
	return skipped + r.first;
}
