/*
 * Small helpers on encoded values: base64, entropy, and the look of placeholders. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_ENCODING_H
#define GAPSCOPE_SCAN_ENCODING_H

#include "scan/text.h"

/* Decode base64 (either alphabet, padding optional) into out; returns the bytes written, 0 if it is not base64 or does not fit. */
size_t base64_decode(const uint8_t *in, size_t len, uint8_t *out, size_t size);
/* Shannon entropy of the bytes, in bits a byte. */
double entropy(const uint8_t *value, size_t len);
/* Is this no value at all but a mask, a template, a documentation example or a word such as "null"? */
bool is_placeholder(const uint8_t *value, size_t len);
/* Does it look random enough for a token: entropy for its length, letters with digits, not a hash-like name or a path? */
bool is_random(const uint8_t *value, size_t len);
/* The value of a query that begins at `at`, without its %XX and '+'; 0 where it has none of the former, and with `pluses` none of both.
 * *ret_end: where it ends. */
size_t percent_decode(const struct text *t, size_t at, bool pluses, uint8_t *out, size_t size, size_t *ret_end);

#endif
