/*
 * What depends on the processor, aarch64: time stamps, the thread pointer, system calls of our own, the registers of a stack
 * snapshot. Included by cpu.h only. See cpu_x86_64.h for why system calls are made here.
 */
#ifndef GAPSCOPE_PRELOAD_CPU_AARCH64_H
#define GAPSCOPE_PRELOAD_CPU_AARCH64_H

#define CPU_HAS_TICKS 1

static inline uint64_t cpu_ticks(void)
{
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
}

/* Fetch a cache line to be written soon. */
static inline void cpu_prefetch_write(const void *p)
{
	__asm__ volatile("prfm pstl1keep, [%0]" : : "r"(p));
}

static inline uintptr_t cpu_thread_pointer(void)
{
	uintptr_t tp;

	__asm__("mrs %0, tpidr_el0" : "=r"(tp));
	return tp;
}

static inline long cpu_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
	return x0;
}

/* x19 to x30, sp and pc, in this order, as struct wire_stack says. */
__attribute__((always_inline)) static inline void cpu_registers(uint64_t regs[WIRE_STACK_REGS])
{
	memset(regs, 0, WIRE_STACK_REGS * sizeof(regs[0]));
	__asm__ volatile("stp x19, x20, [%0, 0]\n\t"
			 "stp x21, x22, [%0, 16]\n\t"
			 "stp x23, x24, [%0, 32]\n\t"
			 "stp x25, x26, [%0, 48]\n\t"
			 "stp x27, x28, [%0, 64]\n\t"
			 "stp x29, x30, [%0, 80]\n\t"
			 "mov x9, sp\n\t"
			 "adr x10, .\n\t"
			 "stp x9, x10, [%0, 96]\n\t"
			 :
			 : "r"(regs)
			 : "x9", "x10", "memory");
}

static inline uintptr_t cpu_registers_sp(const uint64_t regs[WIRE_STACK_REGS])
{
	return regs[12];
}

/* dlopen: jump on to the address that dlopen_direct gives, with the caller's arguments and return address as they were; or to
 * dlopen_seen. */
#define CPU_DLOPEN_ENTRY \
	__asm__(".text\n" \
		".globl dlopen\n" \
		".type dlopen, %function\n" \
		"dlopen:\n" \
		".cfi_startproc\n" \
		"stp x29, x30, [sp, -32]!\n" \
		".cfi_def_cfa_offset 32\n" \
		".cfi_offset 29, -32\n" \
		".cfi_offset 30, -24\n" \
		"stp x0, x1, [sp, 16]\n" \
		"bl dlopen_direct\n" \
		"mov x16, x0\n" \
		"ldp x0, x1, [sp, 16]\n" \
		"ldp x29, x30, [sp], 32\n" \
		".cfi_def_cfa_offset 0\n" \
		".cfi_restore 29\n" \
		".cfi_restore 30\n" \
		"cbz x16, 1f\n" \
		"br x16\n" \
		"1: b dlopen_seen\n" \
		".cfi_endproc\n" \
		".size dlopen, .-dlopen\n");

/* Relocations of a slot that holds a function's address: in the PLT's GOT, in the GOT, in data. */
#define CPU_RELOC_JUMP_SLOT 1026U
#define CPU_RELOC_GLOB_DAT 1025U
#define CPU_RELOC_ADDRESS 257U

#endif
