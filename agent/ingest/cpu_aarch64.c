/* aarch64: the virtual counter, which always runs at one rate, and snapshots that hold x19-x30, sp and pc in this order. */
#include "ingest/cpu.h"

#include <errno.h>

#define FIRST_SAVED 19
#define LAST_SAVED 30
#define REG_SP 31
#define REG_PC 32

bool cpu_ticks_invariant(void)
{
	return true;
}

uint64_t cpu_ticks(void)
{
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
}

int cpu_stack_reg(const struct wire_stack *s, int reg, uint64_t *ret)
{
	if (reg >= FIRST_SAVED && reg <= LAST_SAVED) {
		*ret = s->regs[reg - FIRST_SAVED];
	} else if (reg == REG_SP) {
		*ret = s->regs[LAST_SAVED - FIRST_SAVED + 1];
	} else if (reg == REG_PC) {
		*ret = s->regs[LAST_SAVED - FIRST_SAVED + 2];
	} else {
		return -EINVAL;
	}
	return 0;
}

uint64_t cpu_stack_pointer(const struct wire_stack *s)
{
	return s->regs[LAST_SAVED - FIRST_SAVED + 1];
}
