/*
 * The cheap questions that are asked at each word and each separator of the text, in line: may a vendor's key begin here, may a key of
 * key=value end here? The tables are built once (vendor_prepare, keyvalue_prepare) and only read after. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_PREFILTER_H
#define GAPSCOPE_SCAN_PREFILTER_H

#include "scan/lookup.h"
#include "scan/text.h"

#define KEYVALUE_FILTER 8192U

/* keyvalue.c: by the last four letters of a key, or three or two where a separator stands before them. */
extern bool keyvalue_filter[KEYVALUE_FILTER];
/* Lower case of letters, digits as they are, 0 for the rest. */
extern uint8_t keyvalue_folded[256];
/* vendor.c: rows by the first three bytes; a bit per pair of bytes that is a whole prefix. */
extern struct lookup vendor_by_prefix;
extern uint64_t vendor_two_bytes[1024];

static inline uint32_t keyvalue_slot(uint32_t last)
{
	return last * UINT32_C(2654435761) >> 19;
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
		if (keyvalue_filter[keyvalue_slot(last | d << 24)])
			return true;
		/* a word of three letters may begin inside of another in camelCase */
		if (!is_upper(p[-3]))
			return false;
	}
	return keyvalue_filter[keyvalue_slot(last)];
}

/* May a vendor's key begin with these three bytes? */
static inline bool vendor_may_begin(const uint8_t *first)
{
	return vendor_by_prefix.head[lookup_slot(first[0], first[1], first[2])] != 0 ||
	       (vendor_two_bytes[(first[0] << 8 | first[1]) / 64] >> (first[1] % 64) & 1) != 0;
}

#endif
