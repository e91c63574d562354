/*
 * Has the calling thread run on since a moment ago? The kernel says so without being called: in the area of restartable sequences (rseq(2)), which
 * glibc registers for each thread since 2.35.
 *
 * A thread names a sequence in its area. When the kernel returns to the thread after it gave the processor to another, or with a signal for
 * it, it sees that the thread is not inside of the sequence, and takes the name out. Nobody is ever inside of the one below: it is data. So a system
 * call after which the name is still there has not waited for anything, and a clock need not be read to know how long.
 *
 * Kernels from 6.19 on look after interrupts only, not after system calls: whoever relies on it must try (agent/ingest/kept.h). A name that
 * is left behind, because the call was left by cancellation, harms nothing while this object stays loaded: it is true until it is taken out.
 *
 * May be included by preload/, agent/ingest and their tests. On any thread; each looks at its own area only.
 */
#ifndef GAPSCOPE_WIRE_RSEQ_H
#define GAPSCOPE_WIRE_RSEQ_H

#include <assert.h>
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's struct rseq, as far as it is used. */
struct wire_rseq {
	uint32_t cpu_id_start;
	int32_t cpu_id;    /* < 0: this thread's is not registered */
	uint64_t sequence; /* address of a struct wire_rseq_cs, or 0 */
};

/* The kernel's struct rseq_cs. */
struct wire_rseq_cs {
	_Alignas(32) uint32_t version;
	uint32_t flags;
	uint64_t start_ip;
	uint64_t post_commit_offset;
	uint64_t abort_ip;
};
static_assert(offsetof(struct wire_rseq, sequence) == 8, "as in the kernel");
static_assert(sizeof(struct wire_rseq_cs) == 32, "as in the kernel");

/* What glibc registers with, and the kernel wants to find in front of where a sequence is aborted to. */
#if defined(__x86_64__)
#define WIRE_RSEQ_SIGNATURE 0x53053053U
#elif defined(__aarch64__)
#define WIRE_RSEQ_SIGNATURE 0xd428bc00U
#else
#error "which signature does glibc register restartable sequences with on this processor?"
#endif

/* A sequence of four bytes, the signature, and where it would be aborted to. */
static const uint32_t wire_rseq_place[3] = {0, WIRE_RSEQ_SIGNATURE, 0};
static const struct wire_rseq_cs wire_rseq_nowhere = {.start_ip = (uintptr_t)&wire_rseq_place[0],
						      .post_commit_offset = sizeof(wire_rseq_place[0]),
						      .abort_ip = (uintptr_t)&wire_rseq_place[2]};

/* Where each thread's area lies from its thread pointer; 0: glibc has registered none. Asks the loader: not for the fast path. */
static inline int32_t wire_rseq_offset(void)
{
	const unsigned int *const size = dlsym(RTLD_DEFAULT, "__rseq_size");
	const ptrdiff_t *const offset = dlsym(RTLD_DEFAULT, "__rseq_offset");

	if (!size || !offset || *size < sizeof(struct wire_rseq) || *offset != (int32_t)*offset)
		return 0;
	return (int32_t)*offset;
}

/* From now on. A sequence that somebody else has left there stays: then nothing is known. */
__attribute__((always_inline)) static inline void wire_rseq_watch(struct wire_rseq *r)
{
	if (__builtin_expect(r->sequence == 0 && r->cpu_id >= 0, 1))
		r->sequence = (uintptr_t)&wire_rseq_nowhere;
	atomic_signal_fence(memory_order_seq_cst);
}

/* Has it run on since wire_rseq_watch? False: unknown, or it has not. */
__attribute__((always_inline)) static inline bool wire_rseq_kept(struct wire_rseq *r)
{
	atomic_signal_fence(memory_order_seq_cst);
	if (__builtin_expect(r->sequence != (uintptr_t)&wire_rseq_nowhere, 0))
		return false;
	r->sequence = 0;
	return true;
}

#endif
