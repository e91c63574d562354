/*
 * Watching allocations: sampled by bytes, so that a call that is not sampled costs a subtraction and a branch.
 *
 * Off, no call of malloc comes here: the hooks are reached by GOT slots only (ALLOC in hooks.def), and got.c points slots to them when
 * the session's header has an alloc_mean. alloc.c finds the allocator and writes `alloc_real` before any slot changes; alloc_table.c
 * remembers sampled blocks; hooks_alloc*.c and hooks_map.c are the hooks. On any thread, in signal handlers too: nothing here allocates,
 * locks or waits.
 */
#ifndef GAPSCOPE_PRELOAD_ALLOC_H
#define GAPSCOPE_PRELOAD_ALLOC_H

#include "preload/call.h"

enum alloc_id {
#define HOOK(name, family)
#define ALIAS(alias, name, family)
#define ALLOC(name, family) ALLOC_##name,
#include "preload/hooks.def"
#undef HOOK
#undef ALIAS
	ALLOC_COUNT
};

#define ALLOC_REAL(name) ((__typeof__(&alloc_hook_##name))alloc_real[ALLOC_##name])
/* Where an entry comes to lie is not left to chance: processors with Intel's erratum SKX102 decode a jump anew each time if it meets the end of 32
 * bytes, which makes a pair of malloc and free 2 ns slower. */
#define ALLOC_ENTRY __attribute__((visibility("hidden"), aligned(64)))
#define ALLOC_FN(type, name, ...) \
	ALLOC_ENTRY type alloc_hook_##name(__VA_ARGS__) __asm__("alloc_" #name); \
	type alloc_hook_##name(__VA_ARGS__)

#define ALLOC_BUCKETS 8192U
#define ALLOC_PLACES 32768U   /* of the filter: with thousands of sampled blocks alive most frees need no second look */
#define ALLOC_PLACE_SHIFT 49U /* leaves the bits that number a place */

/* Of each thread. */
struct alloc_tls {
	uint64_t left;            /* bytes until the next sample; below zero (as int64_t): it is due */
	uint64_t gap;             /* what left began with */
	uint32_t mean, next_mean; /* of the distance that ran out, and of the one that runs */
	uint64_t seed;            /* of the distances; 0: none was drawn yet */
	uint64_t carry;           /* bytes of samples that could not be told */
	uint64_t begun;           /* when the sample that is being told began, in ticks */
	int64_t credit;           /* ticks that samples may still take */
	uint64_t credit_at;       /* as of then */
	uint32_t rarer;           /* so many times the mean is doubled to stay within them */
	uint32_t pad;
	_Atomic uintptr_t in; /* frame of the bookkeeping that is going on, 0 = none: what comes meanwhile is not sampled */
};

#pragma GCC visibility push(hidden)
extern void *alloc_real[ALLOC_COUNT];
extern __thread struct alloc_tls alloc_tls __attribute__((tls_model("initial-exec")));
extern _Atomic uint8_t alloc_filter[ALLOC_PLACES];

/* alloc.c */
bool alloc_wanted(void); /* does the session watch allocations? */
bool alloc_find(void);   /* find the allocator. Takes the loader's locks: never inside dl_iterate_phdr */
/* Does every object mean alloc_real[i] by this name, one that has a function of that name itself, too? */
bool alloc_is_certain(enum alloc_id i);
void alloc_announce(void);                         /* tell the agent what was found */
bool alloc_is_allocator(uintptr_t a, uintptr_t b); /* is the allocator's object there? */
void alloc_forked(void);                           /* what was counted is the parent's */
/* The countdown of this thread ran out with a call for `bytes`: is the call to be sampled? */
bool alloc_due(uint64_t bytes);
void alloc_say(struct call *c, void *block, uint64_t bytes, uint32_t kind);
/* A sampled block is free since `at`, in ticks; 0: now. `c` is empty: call_enter has its caller's frame. */
void alloc_say_free(struct call *c, const void *block, uint64_t at);
void alloc_rest(void); /* the thread ends */

/* alloc_table.c */
bool alloc_table_add(const void *block);  /* false: no room */
bool alloc_table_take(const void *block); /* was it there? It is no more */
void alloc_table_clear(void);
bool alloc_untold_add(const void *block); /* a free that could not be told; false: no room */
bool alloc_untold_any(void);
void alloc_untold_forget(const void *block);
const void *alloc_untold_take(void); /* NULL: there is none */
#pragma GCC visibility pop

static inline uint32_t alloc_place(const void *block)
{
	return (uint32_t)(((uintptr_t)block >> 4) * 0x9e3779b97f4a7c15ULL >> ALLOC_PLACE_SHIFT);
}

static inline uint32_t alloc_bucket(const void *block)
{
	return alloc_place(block) / (ALLOC_PLACES / ALLOC_BUCKETS);
}

/* Can this block be a sampled one? */
static inline bool alloc_maybe(const void *block)
{
	return unlikely(atomic_load_explicit(&alloc_filter[alloc_place(block)], memory_order_relaxed) != 0);
}

/* So many bytes are asked for: is it worth a closer look (alloc_due)? */
static inline bool alloc_count(uint64_t bytes)
{
	alloc_tls.left -= bytes;
	return unlikely((int64_t)alloc_tls.left < 0);
}

/* A function that returns a block of `bytes`. The entry counts down and jumps on to the allocator, or to the slower way, whose frame stands in
 * for its own. */
#define ALLOC_GIVES(name, parameters, arguments, bytes) \
	ALLOC_ENTRY void *alloc_hook_##name parameters __asm__("alloc_" #name); \
	__attribute__((noinline)) static void *sampled_##name parameters \
	{ \
		struct call c; \
		void *given; \
\
		if (!alloc_due(bytes) || !call_enter(&c, WIRE_ALLOC, -1)) \
			return ALLOC_REAL(name) arguments; \
		given = ALLOC_REAL(name) arguments; \
		alloc_say(&c, given, bytes, WIRE_ALLOC_HEAP); \
		return given; \
	} \
	void *alloc_hook_##name parameters \
	{ \
		if (alloc_count(bytes)) \
			return sampled_##name arguments; \
		return ALLOC_REAL(name) arguments; \
	}

/* A function that takes its parameter `block` back. */
#define ALLOC_TAKES(name, parameters, arguments) \
	ALLOC_ENTRY void alloc_hook_##name parameters __asm__("alloc_" #name); \
	__attribute__((noinline)) static void sampled_##name parameters \
	{ \
		struct call c; \
\
		if (alloc_table_take(block)) \
			alloc_say_free(&c, block, 0); \
		ALLOC_REAL(name) arguments; \
	} \
	void alloc_hook_##name parameters \
	{ \
		if (alloc_maybe(block)) { \
			sampled_##name arguments; \
			return; \
		} \
		ALLOC_REAL(name) arguments; \
	}

#endif
