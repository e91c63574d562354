/*
 * What depends on the processor, x86-64: time stamps, the thread pointer, system calls of our own, the registers of a stack
 * snapshot. Included by cpu.h only. System calls are made here and not through libc: they touch neither errno nor cancellation,
 * and they can never come back into our own hooks.
 */
#ifndef GAPSCOPE_PRELOAD_CPU_X86_64_H
#define GAPSCOPE_PRELOAD_CPU_X86_64_H

#define CPU_HAS_TICKS 1

static inline uint64_t cpu_ticks(void)
{
	uint64_t low, high; /* rdtsc empties the upper halves */

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return high << 32 | low;
}

/* Fetch a cache line to be written soon. Processors that do not know it take it for a nop. */
static inline void cpu_prefetch_write(const void *p)
{
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)p));
}

/* The thread control block's address: with glibc it lies just above the stack of every thread but the first. */
static inline uintptr_t cpu_thread_pointer(void)
{
	uintptr_t tp;

	__asm__("movq %%fs:0, %0" : "=r"(tp));
	return tp;
}

static inline long cpu_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* The registers here, in the order of struct wire_stack. Those that a call may clobber are left 0: no unwinder needs them. */
__attribute__((always_inline)) static inline void cpu_registers(uint64_t regs[WIRE_STACK_REGS])
{
	memset(regs, 0, WIRE_STACK_REGS * sizeof(regs[0]));
	__asm__ volatile("movq %%rbx, 24(%0)\n\t"
			 "movq %%rbp, 48(%0)\n\t"
			 "movq %%rsp, 56(%0)\n\t"
			 "movq %%r12, 96(%0)\n\t"
			 "movq %%r13, 104(%0)\n\t"
			 "movq %%r14, 112(%0)\n\t"
			 "movq %%r15, 120(%0)\n\t"
			 "leaq 0(%%rip), %%rax\n\t"
			 "movq %%rax, 128(%0)\n\t"
			 :
			 : "r"(regs)
			 : "rax", "memory");
}

static inline uintptr_t cpu_registers_sp(const uint64_t regs[WIRE_STACK_REGS])
{
	return regs[7];
}

/* dlopen: jump on to the address that dlopen_direct gives, with the caller's arguments and return address as they were; or to
 * dlopen_seen. */
#define CPU_DLOPEN_ENTRY \
	__asm__(".text\n" \
		".globl dlopen\n" \
		".type dlopen, @function\n" \
		"dlopen:\n" \
		".cfi_startproc\n" \
		"endbr64\n" \
		"pushq %rdi\n" \
		".cfi_adjust_cfa_offset 8\n" \
		"pushq %rsi\n" \
		".cfi_adjust_cfa_offset 8\n" \
		"subq $8, %rsp\n" \
		".cfi_adjust_cfa_offset 8\n" \
		"call dlopen_direct\n" \
		"addq $8, %rsp\n" \
		".cfi_adjust_cfa_offset -8\n" \
		"popq %rsi\n" \
		".cfi_adjust_cfa_offset -8\n" \
		"popq %rdi\n" \
		".cfi_adjust_cfa_offset -8\n" \
		"testq %rax, %rax\n" \
		"jz dlopen_seen\n" \
		"jmp *%rax\n" \
		".cfi_endproc\n" \
		".size dlopen, .-dlopen\n");

/* Relocations of a slot that holds a function's address: in the PLT's GOT, in the GOT, in data. */
#define CPU_RELOC_JUMP_SLOT 7U
#define CPU_RELOC_GLOB_DAT 6U
#define CPU_RELOC_ADDRESS 1U

#endif
