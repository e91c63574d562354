/*
 * Looking into BSON documents (bsonspec.org), whole or cut: the elements of the outermost level. Pure functions, no allocation.
 */
#ifndef GAPSCOPE_PROTOCOLS_BSON_H
#define GAPSCOPE_PROTOCOLS_BSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bson {
	const uint8_t *at, *end;
};

struct bson_element {
	uint8_t type;
	const char *key; /* NUL-terminated */
	const uint8_t *value;
	size_t len;
};

/* The document that begins at `bytes`; false if it is none. */
bool bson_begin(struct bson *b, const uint8_t *bytes, size_t len);
/* The next element; false at the end, or where the document is cut. */
bool bson_next(struct bson *b, struct bson_element *ret);
bool bson_is(const struct bson_element *e, const char *key);
/* Text of a string element: *ret_len bytes, NULL if it is none. */
const char *bson_text(const struct bson_element *e, size_t *ret_len);
/* A number of any type as integer; false if it is none. */
bool bson_number(const struct bson_element *e, int64_t *ret);

#endif
