/*
 * The beginning of what was compressed, as far as it was captured and as there is room: a name and a few numbers are all that is wanted of
 * it. Pure functions; they write no byte past `room`, whatever they are given.
 */
#ifndef GAPSCOPE_PROTOCOLS_UNPACK_H
#define GAPSCOPE_PROTOCOLS_UNPACK_H

#include <stddef.h>
#include <stdint.h>

/* Both return how many bytes were written; 0 if it is nothing of that kind. */
size_t unpack_snappy(const uint8_t *bytes, size_t len, uint8_t *out, size_t room); /* a block without a frame */
size_t unpack_zlib(const uint8_t *bytes, size_t len, uint8_t *out, size_t room);

#endif
