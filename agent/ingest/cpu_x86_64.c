/* x86-64: the time stamp counter, and snapshots with registers in DWARF order. */
#include "ingest/cpu.h"

#include <cpuid.h>
#include <errno.h>
#include <x86intrin.h>

#define LEAF_POWER 0x80000007U
#define INVARIANT_TSC (1U << 8) /* edx */
#define REG_SP 7

bool cpu_ticks_invariant(void)
{
	unsigned int a, b, c, d = 0;

	return __get_cpuid(LEAF_POWER, &a, &b, &c, &d) != 0 && (d & INVARIANT_TSC) != 0;
}

uint64_t cpu_ticks(void)
{
	return __rdtsc();
}

int cpu_stack_reg(const struct wire_stack *s, int reg, uint64_t *ret)
{
	if (reg < 0 || reg >= (int)WIRE_STACK_REGS)
		return -EINVAL;
	*ret = s->regs[reg];
	return 0;
}

uint64_t cpu_stack_pointer(const struct wire_stack *s)
{
	return s->regs[REG_SP];
}
