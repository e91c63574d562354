/*
 * Unwinding: a stack snapshot → return addresses, by libunwind over the copied bytes and the program files. The watched process is not
 * asked and may be gone. The snapshot is not trusted: what it does not hold cannot be read, and the number of frames is bounded.
 *
 * Stateless but for the cache in struct space; ingest's thread only.
 */
#ifndef GAPSCOPE_INGEST_UNWIND_H
#define GAPSCOPE_INGEST_UNWIND_H

#include "ingest/modules.h"

/* Addresses of the frames, innermost first, into pcs: each inside the instruction that was under way, so that a look-up finds the call's
 * own line. Returns how many, 0 if it failed. */
size_t unwind_stack(struct space *s, const struct wire_stack *stack, const uint8_t *bytes, uint64_t *pcs, size_t max);
/* Is there an entry for the code at `pc` in its program's unwind table? */
bool unwind_knows(const struct space *s, uint64_t pc);

#endif
