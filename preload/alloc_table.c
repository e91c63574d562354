/*
 * The sampled blocks that are alive, so that free() knows them: buckets of addresses, and a filter of counts that is small enough
 * to stay in the processor's cache. Lock-free: an address is stored and taken by one compare-and-swap each; the count is raised before and
 * lowered after, so whoever finds it 0 can be sure. Full: the caller counts it. Memory of the process: a forked child has a copy.
 */
#include <sys/mman.h>

#include "preload/alloc.h"

#define WAYS 8U
#define UNTOLD 256U

_Alignas(4096) _Atomic uint8_t alloc_filter[ALLOC_PLACES];
static _Alignas(4096) struct {
	_Atomic uintptr_t block[WAYS];
} buckets[ALLOC_BUCKETS];

/* Frees that found the ring full: told with the next record that finds room. */
static _Atomic uintptr_t untold[UNTOLD];
static _Atomic uint32_t untold_count;

bool alloc_table_add(const void *block)
{
	const uint32_t b = alloc_bucket(block), place = alloc_place(block);

	atomic_fetch_add_explicit(&alloc_filter[place], 1, memory_order_acq_rel);
	for (uint32_t i = 0; i < WAYS; i++) {
		uintptr_t none = 0;

		if (atomic_compare_exchange_strong_explicit(&buckets[b].block[i], &none, (uintptr_t)block, memory_order_acq_rel,
							    memory_order_relaxed))
			return true;
	}
	atomic_fetch_sub_explicit(&alloc_filter[place], 1, memory_order_acq_rel);
	return false;
}

bool alloc_table_take(const void *block)
{
	const uint32_t b = alloc_bucket(block);

	for (uint32_t i = 0; block && i < WAYS; i++) {
		uintptr_t is = (uintptr_t)block;

		if (atomic_load_explicit(&buckets[b].block[i], memory_order_relaxed) == is &&
		    atomic_compare_exchange_strong_explicit(&buckets[b].block[i], &is, 0, memory_order_acq_rel,
							    memory_order_relaxed)) {
			atomic_fetch_sub_explicit(&alloc_filter[alloc_place(block)], 1, memory_order_acq_rel);
			return true;
		}
	}
	return false;
}

/* While no slot leads to the hooks. Fresh pages of the kernel's are empty. */
void alloc_table_clear(void)
{
	(void)cpu_syscall(SYS_madvise, (long)alloc_filter, sizeof(alloc_filter), MADV_DONTNEED, 0, 0, 0);
	(void)cpu_syscall(SYS_madvise, (long)buckets, sizeof(buckets), MADV_DONTNEED, 0, 0, 0);
	while (alloc_untold_take())
		;
}

bool alloc_untold_add(const void *block)
{
	for (uint32_t i = 0; i < UNTOLD; i++) {
		uintptr_t none = 0;

		if (atomic_load_explicit(&untold[i], memory_order_relaxed) == 0 &&
		    atomic_compare_exchange_strong_explicit(&untold[i], &none, (uintptr_t)block, memory_order_acq_rel,
							    memory_order_relaxed)) {
			atomic_fetch_add_explicit(&untold_count, 1, memory_order_acq_rel);
			return true;
		}
	}
	return false;
}

bool alloc_untold_any(void)
{
	return atomic_load_explicit(&untold_count, memory_order_relaxed) != 0;
}

static const void *take_at(uint32_t i)
{
	const uintptr_t block = atomic_exchange_explicit(&untold[i], 0, memory_order_acq_rel);

	if (block)
		atomic_fetch_sub_explicit(&untold_count, 1, memory_order_acq_rel);
	return (const void *)block;
}

void alloc_untold_forget(const void *block)
{
	for (uint32_t i = 0; alloc_untold_any() && i < UNTOLD; i++) {
		if (atomic_load_explicit(&untold[i], memory_order_relaxed) == (uintptr_t)block)
			(void)take_at(i);
	}
}

const void *alloc_untold_take(void)
{
	for (uint32_t i = 0; alloc_untold_any() && i < UNTOLD; i++) {
		const void *const block = take_at(i);

		if (block)
			return block;
	}
	return NULL;
}
