/*
 * What http1_head.c and http1_field.c share: a piece of a head. No state, no allocation.
 */
#ifndef GAPSCOPE_PROTOCOLS_HTTP1_FIELD_H
#define GAPSCOPE_PROTOCOLS_HTTP1_FIELD_H

#include "protocols/http1_head.h"

struct span {
	const uint8_t *at;
	size_t len;
};

/* Copy as printable ASCII, cut to size. */
static inline void span_copy(char *out, size_t size, struct span s)
{
	size_t n = s.len < size - 1 ? s.len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = s.at[i] > 32 && s.at[i] < 127 ? (char)s.at[i] : '?';
	out[n] = '\0';
}

#endif
