/*
 * What depends on the processor in ingest: its tick counter. One file per processor: cpu_x86_64.c, cpu_aarch64.c.
 * Stateless; any thread.
 */
#ifndef GAPSCOPE_INGEST_CPU_H
#define GAPSCOPE_INGEST_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/record.h"

/* Does the counter run at one rate, on all processors alike, in every sleep state? */
bool cpu_ticks_invariant(void);
/* The counter now: the one that the shim reads. */
uint64_t cpu_ticks(void);
/* Value of libunwind's register `reg` in a stack snapshot. 0 or -EINVAL for a register that a snapshot does not hold. */
int cpu_stack_reg(const struct wire_stack *s, int reg, uint64_t *ret);
/* The stack pointer of a snapshot: address of its first byte. */
uint64_t cpu_stack_pointer(const struct wire_stack *s);

#endif
