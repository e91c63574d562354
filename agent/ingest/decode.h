/*
 * The decoder: bytes of a ring → a record that is known to be well formed. The bytes come from a process that may be broken or hostile,
 * so every length is checked against what is there. Stateless; any thread.
 */
#ifndef GAPSCOPE_INGEST_DECODE_H
#define GAPSCOPE_INGEST_DECODE_H

#include <stddef.h>

#include "wire/record.h"

struct decoded {
	struct wire_record record;
	const uint8_t *data;        /* record.data_len bytes inside the given ones, NULL if none */
	struct wire_stack stack;    /* if the record has WIRE_F_STACK */
	const uint8_t *stack_bytes; /* stack.bytes_len bytes, then stack.script_len ones; NULL if none */
};

/* Bytes of the largest record there can be. */
size_t decode_max_bytes(void);
/* Length of the record whose first unit this is, if it can be one and `len` bytes can hold it: ≥ 64, else -EBADMSG. */
int decode_length(const struct wire_record *r, size_t len);
/* What follows the first unit: with ret->record that decode_length found to be of `length`, the rest of ret from the bytes behind it. Returns
 * length, or -EBADMSG. */
int decode_rest(const uint8_t *rest, int length, struct decoded *ret);
/* Decode the whole record at `bytes`. Its length in bytes, or -EBADMSG with *ret undefined. */
int decode_record(const uint8_t *bytes, size_t len, struct decoded *ret);

#endif
