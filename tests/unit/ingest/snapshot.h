/*
 * A stack snapshot and the modules of the test program itself, as the shim would send them. Header only; x86-64.
 */
#ifndef GAPSCOPE_TESTS_SNAPSHOT_H
#define GAPSCOPE_TESTS_SNAPSHOT_H

#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "ingest/order.h"
#include "wire/shared.h"

/* The caller's registers and the bytes above its stack pointer. Inlined, so that the frame is the caller's own. */
#define SNAPSHOT(stack, bytes) \
	do { \
		static const int order[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8, \
					    REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP}; \
		ucontext_t context; \
		getcontext(&context); \
		for (size_t reg_ = 0; reg_ < WIRE_STACK_REGS; reg_++) \
			(stack)->regs[reg_] = (uint64_t)context.uc_mcontext.gregs[order[reg_]]; \
		(stack)->bytes_len = WIRE_STACK_BYTES; \
		/* by the kernel, since sanitizers watch what a program itself reads of its stack */ \
		const struct iovec to_ = {(bytes), WIRE_STACK_BYTES}, from_ = {(void *)(stack)->regs[7], WIRE_STACK_BYTES}; \
		assert_true(process_vm_readv(getpid(), &to_, 1, &from_, 1, 0) > 0); \
	} while (0)

struct snapshot_modules {
	void (*fn)(void *ctx, const struct event *e);
	void *ctx;
	uint32_t pid;
};

static inline int snapshot_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct snapshot_modules *to = arg;
	uint8_t data[1 + 1024] = {0};
	struct event e = {.id = WIRE_MODULE, .pid = to->pid, .a0 = info->dlpi_addr, .fd = -1};
	ssize_t n;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && info->dlpi_addr + p->p_vaddr + p->p_memsz > e.a1)
			e.a1 = info->dlpi_addr + p->p_vaddr + p->p_memsz;
	}
	if (info->dlpi_name[0] == '\0') {
		n = readlink("/proc/self/exe", (char *)data + 1, 1023);
	} else {
		n = (ssize_t)strlen(info->dlpi_name);
		memcpy(data + 1, info->dlpi_name, (size_t)n);
	}
	e.data = data;
	e.data_len = 1 + (uint32_t)(n > 0 ? n : 0);
	to->fn(to->ctx, &e);
	return 0;
}

/* A MODULE event for each object of this program, said of process `pid`. */
static inline void snapshot_modules(uint32_t pid, void (*fn)(void *ctx, const struct event *e), void *ctx)
{
	struct snapshot_modules to = {.fn = fn, .ctx = ctx, .pid = pid};

	dl_iterate_phdr(snapshot_module, &to);
}

#endif
