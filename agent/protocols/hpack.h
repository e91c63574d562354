/*
 * Header blocks of HTTP/2 (RFC 7541) by nghttp2's decoder, made to bear that we came late: what the block says by a number that we cannot
 * know is left out, and the rest is told.
 */
#ifndef GAPSCOPE_PROTOCOLS_HPACK_H
#define GAPSCOPE_PROTOCOLS_HPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hpack;

typedef void (*hpack_field_fn)(void *ctx, const uint8_t *name, size_t name_len, const uint8_t *value, size_t value_len);

/* A decoder for one direction; NULL when memory is out. */
struct hpack *hpack_new(void);
void hpack_free(struct hpack *h);
/* Decode a block. `cut`: its end was not captured. False if it is no header block. */
bool hpack_block(struct hpack *h, const uint8_t *bytes, size_t len, bool cut, hpack_field_fn field, void *ctx);
/* Whether blocks were missed is not known yet: until this is taken back, what a block says by its number in the table is not told. */
void hpack_doubt(struct hpack *h, bool doubt);
/* What was known of earlier blocks is void: some were not seen. */
void hpack_lose(struct hpack *h);

#endif
