/*
 * Frames of HTTP/2 (RFC 9113 4.1): their types and flags, and whether bytes look like the head of one. Pure functions.
 */
#ifndef GAPSCOPE_PROTOCOLS_HTTP2_FRAME_H
#define GAPSCOPE_PROTOCOLS_HTTP2_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP2_FRAME_HEAD 9U

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION, TYPES };
enum { END_STREAM = 1, END_HEADERS = 4, PADDED = 8, HAS_PRIORITY = 32 };

/* A frame that makes sense by itself: known, of a fitting length, of a stream or of none as its type has it. b: HTTP2_FRAME_HEAD bytes. */
bool http2_frame_sensible(const uint8_t *b);
/* Frames one behind the other, to the end of these bytes. */
bool http2_frames_sensible(const uint8_t *b, size_t len);
/* Where the payload of a frame lies without padding and priority, of which `len` of `size` bytes are there; false if they do not fit. */
bool http2_frame_payload(const uint8_t *b, size_t len, uint64_t size, size_t *ret_at, size_t *ret_len);

#endif
