/*
 * malloc and its kin. Any thread of the watched process, signal handlers included.
 *
 * An entry counts down and jumps on to the allocator; what is sampled goes a slower way, whose frame stands in for the entry's. The real
 * call is made outside of any bookkeeping. A sampled block is known before anybody else has its address, and forgotten before the allocator
 * can give it to somebody else.
 */
#include "preload/alloc.h"

ALLOC_GIVES(malloc, (size_t size), (size), size)
ALLOC_GIVES(aligned_alloc, (size_t alignment, size_t size), (alignment, size), size)
ALLOC_GIVES(memalign, (size_t alignment, size_t size), (alignment, size), size)
ALLOC_GIVES(valloc, (size_t size), (size), size)
ALLOC_GIVES(pvalloc, (size_t size), (size), size)

/* A product that does not fit fails in the allocator: it is counted as nothing. */
static inline size_t product(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? 0 : bytes;
}

ALLOC_GIVES(calloc, (size_t n, size_t size), (n, size), product(n, size))

ALLOC_ENTRY int alloc_hook_posix_memalign(void **ret, size_t alignment, size_t size) __asm__("alloc_posix_memalign");
__attribute__((noinline)) static int sampled_posix_memalign(void **ret, size_t alignment, size_t size)
{
	struct call c;
	int r;

	if (!alloc_due(size) || !call_enter(&c, WIRE_ALLOC, -1))
		return ALLOC_REAL(posix_memalign)(ret, alignment, size);
	r = ALLOC_REAL(posix_memalign)(ret, alignment, size);
	alloc_say(&c, r == 0 ? *ret : NULL, size, WIRE_ALLOC_HEAP);
	return r;
}

int alloc_hook_posix_memalign(void **ret, size_t alignment, size_t size)
{
	if (alloc_count(size))
		return sampled_posix_memalign(ret, alignment, size);
	return ALLOC_REAL(posix_memalign)(ret, alignment, size);
}

ALLOC_TAKES(free, (void *block), (block))

/* A block that is made larger or smaller is a new one. The old address may be somebody else's as soon as the allocator returns: the time
 * before is when it became free. */
#define ALLOC_AGAIN(name, parameters, arguments, block, bytes) \
	ALLOC_ENTRY void *alloc_hook_##name parameters __asm__("alloc_" #name); \
	__attribute__((noinline)) static void *sampled_##name parameters \
	{ \
		struct call c, gone; \
		const bool due = (int64_t)alloc_tls.left < 0 && alloc_due(bytes) && call_enter(&c, WIRE_ALLOC, -1); \
		const bool known = alloc_table_take(block); \
		const uint64_t at = shim_ticks(); \
		void *const again = ALLOC_REAL(name) arguments; \
\
		if (known && !again && (bytes) && !alloc_table_add(block)) \
			session_count(WIRE_LOSS_HEAP_FULL); \
		if (known && (again || !(bytes))) \
			alloc_say_free(&gone, block, at); \
		if (due) \
			alloc_say(&c, again, bytes, WIRE_ALLOC_HEAP); \
		return again; \
	} \
	void *alloc_hook_##name parameters \
	{ \
		const bool due = alloc_count(bytes); \
\
		if (due || alloc_maybe(block)) \
			return sampled_##name arguments; \
		return ALLOC_REAL(name) arguments; \
	}

ALLOC_AGAIN(realloc, (void *block, size_t size), (block, size), block, size)
ALLOC_AGAIN(reallocarray, (void *block, size_t n, size_t size), (block, n, size), block, product(n, size))
