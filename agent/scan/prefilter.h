/*
 * The cheap questions that are asked at each word and each separator of the text, in line: may a vendor's key begin here, may a key of
 * key=value end here? The tables are built once (vendor_prepare, keyvalue_prepare) and only read after. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_PREFILTER_H
#define GAPSCOPE_SCAN_PREFILTER_H

#include "scan/text.h"

/* Sets of hashes, a bit each: 8 KiB, so both stay in the first cache. */
#define FILTER_WORDS 1024U

/* keyvalue.c: by the last four letters of a key, or three or two where a separator stands before them. */
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

/* May a key that means something end right before `sep`? */
static inline bool keyvalue_may_end(const struct text *t, size_t sep)
{
	const uint8_t *p = t->bytes + sep;
	/* quotes and brackets between the key and its separator */
	for (unsigned int skipped = 0; sep > 0 && keyvalue_folded[p[-1]] == 0 && skipped < 3; skipped++) {
		p--;
		sep--;
	}
	if (sep < 4)
		return sep >= 2;
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

/* May a vendor's key begin with these three bytes? */
static inline bool vendor_may_begin(const uint8_t *first)
{
	return filter_has(vendor_filter, (uint32_t)first[0] | (uint32_t)first[1] << 8 | (uint32_t)first[2] << 16);
}

#endif
