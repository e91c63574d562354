/*
 * Callers of code that has neither unwind tables nor frame pointers (musl's libc, static programs without .eh_frame_hdr): words of the stack
 * that can be return addresses, because the code in front of them calls what runs.
 *
 * A direct call must lead to where we are, at once or by a jump; of a call through a pointer only the instruction is known. So what is found
 * is likely, not certain: best for the innermost frames. Owner: callsite.c; ingest's thread only.
 */
#ifndef GAPSCOPE_INGEST_CALLERS_H
#define GAPSCOPE_INGEST_CALLERS_H

#include "ingest/modules.h"
#include "wire/record.h"

/* Addresses as unwind_stack gives them (innermost first, callers inside their call); how many. The processor must be x86-64: 1 elsewhere. */
size_t callers_find(const struct space *s, const struct wire_stack *stack, const uint8_t *bytes, uint64_t *pcs, size_t max);

#endif
