/* What of the probes depends on the processor: where a system call's arguments are, and the registers that unwinding needs. */
#ifndef GAPSCOPE_BPF_CPU_X86_64_H
#define GAPSCOPE_BPF_CPU_X86_64_H

#define NR_RESTART_SYSCALL 219

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
} __attribute__((preserve_access_index));

static __always_inline void cpu_args(const struct pt_regs *r, uint64_t *args)
{
	args[0] = r->di;
	args[1] = r->si;
	args[2] = r->dx;
	args[3] = r->r10;
	args[4] = r->r8;
	args[5] = r->r9;
}

/* The fourth argument of a function of C, which a system call has elsewhere; what a function returns. */
static __always_inline uint64_t cpu_c_arg3(const struct pt_regs *r)
{
	return r->cx;
}

static __always_inline uint64_t cpu_c_result(const struct pt_regs *r)
{
	return r->ax;
}

/* Go's own convention (its internal ABI, since 1.17): the first arguments, and the goroutine. */
static __always_inline void cpu_go_args(const struct pt_regs *r, uint64_t *args)
{
	args[0] = r->ax;
	args[1] = r->bx;
	args[2] = r->cx;
}

static __always_inline uint64_t cpu_go_task(const struct pt_regs *r)
{
	return r->r14;
}

/* In DWARF's order, as struct wire_stack has them. */
static __always_inline void cpu_unwind_regs(const struct pt_regs *r, uint64_t *to)
{
	to[0] = r->ax;
	to[1] = r->dx;
	to[2] = r->cx;
	to[3] = r->bx;
	to[4] = r->si;
	to[5] = r->di;
	to[6] = r->bp;
	to[7] = r->sp;
	to[8] = r->r8;
	to[9] = r->r9;
	to[10] = r->r10;
	to[11] = r->r11;
	to[12] = r->r12;
	to[13] = r->r13;
	to[14] = r->r14;
	to[15] = r->r15;
	to[16] = r->ip;
}

static __always_inline uint64_t cpu_ip(const struct pt_regs *r)
{
	return r->ip;
}

/* Of a function. */
static __always_inline uint64_t cpu_result(const struct pt_regs *r)
{
	return r->ax;
}

static __always_inline uint64_t cpu_sp(const struct pt_regs *r)
{
	return r->sp;
}

#endif
