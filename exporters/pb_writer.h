/*
 * A writer of protobuf's wire format (protobuf.dev/programming-guides/encoding) in one pass and without a tree: from the end to the front, so
 * that the length of what a message holds is known when its head is written. Fields are therefore put in from the last to the first.
 * A value on its caller's stack, any thread.
 */
#ifndef GAPSCOPE_EXPORTERS_PB_WRITER_H
#define GAPSCOPE_EXPORTERS_PB_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "exporters/otlp_encode.h"

enum pb_type { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

struct pb_writer {
	uint8_t *start, *at, *end; /* the room, and where what was written begins */
	bool owned;                /* the room is from malloc */
	bool failed;               /* memory was out: nothing is written any more */
};

/* Begin in `room` (the caller's, often on the stack); what does not fit goes on in memory that is allocated. */
static inline void pb_begin(struct pb_writer *w, uint8_t *room, size_t size)
{
	*w = (struct pb_writer){.start = room, .at = room + size, .end = room + size};
}

/* What was written, in memory of its own. 0 or -ENOMEM; the writer is done with either way. */
int pb_end(struct pb_writer *w, struct bytes *ret);
/* For the functions below: make room for n bytes more. False where memory is out. */
bool pb_grow(struct pb_writer *w, size_t n);

/* The n bytes in front of what was written; NULL where memory is out. */
static inline uint8_t *pb_room(struct pb_writer *w, size_t n)
{
	if ((size_t)(w->at - w->start) < n && !pb_grow(w, n))
		return NULL;
	w->at -= n;
	return w->at;
}

static inline void pb_varint(struct pb_writer *w, uint64_t v)
{
	const size_t n = 1 + (63U - (unsigned int)__builtin_clzll(v | 1)) / 7;
	uint8_t *to = pb_room(w, n);
	if (to == NULL)
		return;
	for (size_t i = 0; i + 1 < n; i++, v >>= 7)
		to[i] = (uint8_t)(v | 0x80);
	to[n - 1] = (uint8_t)v;
}

static inline void pb_key(struct pb_writer *w, uint32_t field, enum pb_type type)
{
	pb_varint(w, (uint64_t)field << 3 | type);
}

static inline void pb_put_varint(struct pb_writer *w, uint32_t field, uint64_t v)
{
	pb_varint(w, v);
	pb_key(w, field, PB_VARINT);
}

/* The machine's order of bytes is protobuf's: little-endian is what gapscope is built for. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fixed numbers are little-endian on the wire");

static inline void pb_raw(struct pb_writer *w, const void *data, size_t n)
{
	uint8_t *to = pb_room(w, n);
	if (to != NULL && n > 0)
		memcpy(to, data, n);
}

static inline void pb_put_fixed32(struct pb_writer *w, uint32_t field, uint32_t v)
{
	pb_raw(w, &v, sizeof v);
	pb_key(w, field, PB_FIXED32);
}

static inline void pb_put_fixed64(struct pb_writer *w, uint32_t field, uint64_t v)
{
	pb_raw(w, &v, sizeof v);
	pb_key(w, field, PB_FIXED64);
}

static inline void pb_put_double(struct pb_writer *w, uint32_t field, double v)
{
	pb_raw(w, &v, sizeof v);
	pb_key(w, field, PB_FIXED64);
}

static inline void pb_put_bytes(struct pb_writer *w, uint32_t field, const void *data, size_t n)
{
	pb_raw(w, data, n);
	pb_varint(w, n);
	pb_key(w, field, PB_BYTES);
}

/* A message: ask for the mark, put its fields, then close it. */
static inline size_t pb_mark(const struct pb_writer *w)
{
	return (size_t)(w->end - w->at);
}

static inline void pb_put_message(struct pb_writer *w, uint32_t field, size_t mark)
{
	pb_varint(w, pb_mark(w) - mark);
	pb_key(w, field, PB_BYTES);
}

/* A text, made fit as text_clean does. NULL = "". */
void pb_put_text(struct pb_writer *w, uint32_t field, const char *text);

#endif
