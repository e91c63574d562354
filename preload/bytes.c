/*
 * The shim's own memcpy and its kin, which the compiler calls by these names: hidden, so that nobody else's come in between.
 *
 * A sanitizer's would judge the shim's copies by the program's rules: a piece of a stack has the gaps between variables in it, which a
 * program must not touch, and so a copy of it ended the program (AddressSanitizer: stack-buffer-underflow). Any thread of the watched
 * process; short ones are the rule, and cost no call through a table.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__)
/* or else gcc makes calls of memcpy out of memcpy's loops; clang, and clang-tidy, know no such option */
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

#define LONG 512U /* from here on the processor's own way of copying is quicker to begin with */

typedef uint64_t vector __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t eight __attribute__((aligned(1), may_alias));
typedef uint32_t four __attribute__((aligned(1), may_alias));
typedef uint16_t two __attribute__((aligned(1), may_alias));

/* Both ends, which may overlap: the middle of n bytes is in one of them. */
#define COPY_ENDS(type) \
	do { \
		const type first = *(const type *)from, \
			   last = *(const type *)(const void *)((const char *)from + n - sizeof(type)); \
\
		*(type *)to = first; \
		*(type *)(void *)((char *)to + n - sizeof(type)) = last; \
		return to; \
	} while (0)

static void copy_long(void *to, const void *from, size_t n)
{
#if defined(__x86_64__)
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
#else
	for (; n >= sizeof(vector); n -= sizeof(vector)) {
		*(vector *)to = *(const vector *)from;
		to = (char *)to + sizeof(vector);
		from = (const char *)from + sizeof(vector);
	}
	for (size_t i = 0; i < n; i++)
		((volatile char *)to)[i] = ((const char *)from)[i];
#endif
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	size_t at = 0;

	if (n >= LONG) {
		copy_long(to, from, n);
		return to;
	}
	if (n > sizeof(vector)) {
		for (; at + sizeof(vector) < n; at += sizeof(vector))
			*(vector *)(void *)((char *)to + at) = *(const vector *)(const void *)((const char *)from + at);
		*(vector *)(void *)((char *)to + n - sizeof(vector)) =
			*(const vector *)(const void *)((const char *)from + n - sizeof(vector));
		return to;
	}
	if (n >= sizeof(eight))
		COPY_ENDS(eight);
	if (n >= sizeof(four))
		COPY_ENDS(four);
	if (n >= sizeof(two))
		COPY_ENDS(two);
	if (n)
		*(char *)to = *(const char *)from;
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	const uint64_t all = 0x0101010101010101ULL * (uint8_t)byte;
	size_t at = 0;

	for (; at + sizeof(vector) <= n; at += sizeof(vector))
		*(vector *)(void *)((char *)to + at) = (vector){all, all};
	for (; at < n; at++)
		((volatile char *)to)[at] = (char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;

	for (size_t i = 0; i < n; i++) {
		if (p[i] != q[i])
			return p[i] - q[i];
	}
	return 0;
}
