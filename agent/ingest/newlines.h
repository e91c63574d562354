/* How many lines end in some bytes. */
#ifndef GAPSCOPE_INGEST_NEWLINES_H
#define GAPSCOPE_INGEST_NEWLINES_H

#include <stdint.h>
#include <string.h>

static inline uint32_t newlines(const uint8_t *bytes, size_t len)
{
	uint32_t n = 0;

	for (const uint8_t *at = bytes, *end = bytes + len; at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
		n++;
	return n;
}

#endif
