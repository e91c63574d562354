/*
 * The cheap questions that are asked at each word and each separator of the text, in line: may a vendor's key begin here, may a key of
 * key=value end here? The tables are built once (vendor_prepare, keyvalue_prepare) and only read after. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_PREFILTER_H
#define GAPSCOPE_SCAN_PREFILTER_H

#include "scan/text.h"

/* Sets of hashes, a bit each: 8 KiB, so both stay in the first cache. */
#define FILTER_WORDS 1024U
/* So many blanks may stand between a key and its separator, where values stand in a column. */
#define KEY_COLUMN 32U

/* keys.c: by the last four letters of a key, or three or two where a separator stands before them. */
extern uint64_t keyvalue_filter[FILTER_WORDS];
/* Lower case of letters, digits as they are, 0 for the rest. */
extern uint8_t keyvalue_folded[256];
/* vendor.c: by the first three bytes of a key. */
extern uint64_t vendor_filter[FILTER_WORDS];

static inline uint32_t filter_hash(uint32_t letters)
{
	return letters * UINT32_C(2654435761) >> 16;
}

static inline bool filter_has(const uint64_t *filter, uint32_t letters)
{
	uint32_t hash = filter_hash(letters);
	return (filter[hash / 64] >> (hash % 64) & 1) != 0;
}

static inline void filter_add(uint64_t *filter, uint32_t letters)
{
	uint32_t hash = filter_hash(letters);
	filter[hash / 64] |= UINT64_C(1) << (hash % 64);
}

/* Do the letters before p, of which `n` may be read, end a key that means something? */
static inline bool keyvalue_ends(const uint8_t *p, size_t n)
{
	if (n < 4)
		return n >= 2;
	uint32_t a = keyvalue_folded[p[-1]], b = keyvalue_folded[p[-2]], c = keyvalue_folded[p[-3]], d = keyvalue_folded[p[-4]];
	if (a == 0 || b == 0)
		return false;
	uint32_t last = a | b << 8 | c << 16;
	if (c != 0 && d != 0) {
		if (filter_has(keyvalue_filter, last | d << 24))
			return true;
		/* a word of three letters may begin inside of another in camelCase */
		if (!is_upper(p[-3]))
			return false;
	}
	return filter_has(keyvalue_filter, last);
}

/* keys.c: the same where blanks set a column of values, or a number ends the key (password2, token_1). */
bool keyvalue_may_end_before(const struct text *t, size_t sep);

/* May a key that means something end right before `sep`? */
static inline bool keyvalue_may_end(const struct text *t, size_t sep)
{
	const uint8_t *p = t->bytes + sep;
	size_t n = sep;
	/* quotes and brackets between the key and its separator */
	for (unsigned int skipped = 0; n > 0 && keyvalue_folded[p[-1]] == 0 && skipped < 3; skipped++) {
		p--;
		n--;
	}
	if (keyvalue_ends(p, n))
		return true;
	if (n < 5)
		return false;
	bool numbered = is_digit(p[-1]) && (is_alpha(p[-2]) || is_alpha(p[-3]));
	return (numbered || p[-1] == ' ') && keyvalue_may_end_before(t, n);
}

/* May a vendor's key begin with these three bytes? */
static inline bool vendor_may_begin(const uint8_t *first)
{
	return filter_has(vendor_filter, (uint32_t)first[0] | (uint32_t)first[1] << 8 | (uint32_t)first[2] << 16);
}

#endif
