/*
 * Little-endian numbers and texts in a byte buffer, with the bounds checked once per call: a cursor that has failed stays failed.
 * Stateless; any thread.
 */
#ifndef GAPSCOPE_INGEST_BYTES_H
#define GAPSCOPE_INGEST_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Reading. */
struct bytes_in {
	const uint8_t *at;
	size_t left;
	bool failed; /* asked for more than there is */
};

static inline const uint8_t *bytes_take(struct bytes_in *in, size_t n)
{
	const uint8_t *at = in->at;

	if (in->failed || n > in->left) {
		in->failed = true;
		return NULL;
	}
	in->at += n;
	in->left -= n;
	return at;
}

/* A number of n ≤ 8 bytes; 0 after a failure. */
static inline uint64_t bytes_get(struct bytes_in *in, size_t n)
{
	const uint8_t *at = bytes_take(in, n);
	uint64_t v = 0;

	for (size_t i = 0; at != NULL && i < n; i++)
		v |= (uint64_t)at[i] << (8 * i);
	return v;
}

/* Writing: the caller has made room. Return where the next byte goes. */
static inline uint8_t *bytes_put(uint8_t *at, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(v >> (8 * i));
	return at + n;
}

static inline uint8_t *bytes_put_raw(uint8_t *at, const void *from, size_t n)
{
	if (n > 0)
		memcpy(at, from, n);
	return at + n;
}

#endif
