/*
 * The cheap questions that are asked at each word and each separator of the text, in line: may a vendor's key begin here, may a key of
 * key=value end here? The tables are built once (vendor_prepare, keyvalue_prepare) and only read after. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_PREFILTER_H
#define GAPSCOPE_SCAN_PREFILTER_H

#include <string.h>

#include "scan/text.h"

/* A set of four bytes: three of them choose an entry, whose bits say which fourth ones go with them, by their lowest five bits. One look
 * at 32 KiB, of which the words of a log reach few lines of the cache; of a quarter of that, twice as many words of no meaning passed. */
#define FILTER_ENTRIES 8192U
/* So many blanks may stand between a key and its separator, where values stand in a column. */
#define KEY_COLUMN 32U

/* keys.c: the last three bytes of a key, lower-case, and the one before them, as it may be written: "word", "_key", "t_ip". */
extern uint32_t keyvalue_filter[FILTER_ENTRIES];
/* vendor.c: the first three bytes of a key, and the one behind them; of a JSON Web Token, and of base64 that may hold one (plain.h). */
extern uint32_t vendor_filter[FILTER_ENTRIES];
/* vendor.c: of these, the ones of base64. */
extern uint32_t base64_filter[FILTER_ENTRIES];

static inline uint32_t filter_entry(uint32_t three)
{
	return three * UINT32_C(0x85EBCA6B) >> 19;
}

_Static_assert(FILTER_ENTRIES == 1U << (32 - 19), "filter_entry() gives a number below");

static inline bool filter_has(const uint32_t *filter, uint32_t three, uint32_t fourth)
{
	return (filter[filter_entry(three)] >> (fourth & 31) & 1) != 0;
}

static inline void filter_add(uint32_t *filter, uint32_t three, uint32_t fourth)
{
	filter[filter_entry(three)] |= UINT32_C(1) << (fourth & 31);
}

/* These three, whatever the fourth one is. */
static inline void filter_add_three(uint32_t *filter, uint32_t three)
{
	filter[filter_entry(three)] = UINT32_MAX;
}

/* Four bytes, the first one lowest. */
static inline uint32_t four_at(const uint8_t *p)
{
	uint32_t four;
	memcpy(&four, p, sizeof(four));
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap32(four) : four;
}

/* The same with letters lower-case; other signs change, but none becomes a letter or a digit that was none. */
static inline uint32_t four_folded(const uint8_t *p)
{
	return four_at(p) | UINT32_C(0x20202020);
}

/* Do the four bytes before p end a key that means something? Without a branch: what comes of it is not to be foretold. */
static inline bool keyvalue_ends_four(const uint8_t *p)
{
	uint32_t four = four_folded(p - 4);
	return filter_has(keyvalue_filter, four >> 8, four);
}

/* Do the letters before p, of which `n` may be read, end a key that means something? */
static inline bool keyvalue_ends(const uint8_t *p, size_t n)
{
	if (n < 4) {
		const uint8_t padded[4] = {0, n > 2 ? p[-3] : 0, n > 2 ? p[-2] : 0, n > 2 ? p[-1] : 0};
		return keyvalue_ends_four(padded + 4);
	}
	return keyvalue_ends_four(p);
}

/* keys.c: may a key that means something end right before `sep`? Quotes and brackets may stand between, the blanks of a column of values,
 * or a number that ends the key (password2, token_1). */
bool keyvalue_may_end(const struct text *t, size_t sep);

/* May a vendor's key begin with these four bytes? */
static inline bool vendor_may_begin(const uint8_t *first)
{
	uint32_t four = four_at(first);
	return filter_has(vendor_filter, four & UINT32_C(0xffffff), four >> 24);
}

/* May base64 of a text that is worth a look begin with them? */
static inline bool base64_may_begin(const uint8_t *first)
{
	return filter_has(base64_filter, (uint32_t)first[0] | (uint32_t)first[1] << 8 | (uint32_t)first[2] << 16, 0);
}

#endif
