/* What a Go program's runtime has in its memory, as far as gapscope reads it, in the memory of the test itself. */
#ifndef GAPSCOPE_TESTS_UNIT_COMMANDS_GO_RUNTIME_H
#define GAPSCOPE_TESTS_UNIT_COMMANDS_GO_RUNTIME_H

#include <stdlib.h>
#include <string.h>

#include "test.h"

#define GO_P_WORDS 1400U
#define GO_WAITERS_AT 309U /* the slice; its 128 places are behind it */
#define GO_BARRIER_AT 590U
#define GO_LOCK_AT (GO_BARRIER_AT + 2 + 512 + 1)

static inline uint64_t go_at(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static inline void go_slice(uint64_t *s, const void *at, uint64_t len, uint64_t cap)
{
	s[0] = go_at(at);
	s[1] = len;
	s[2] = cap;
}

/* runtime.p */
static inline void go_p(uint64_t p[GO_P_WORDS], uint32_t id)
{
	const uint32_t head[2] = {id, 1};

	memset(p, 0, GO_P_WORDS * sizeof(*p));
	memcpy(p, head, sizeof(head));
	go_slice(p + GO_WAITERS_AT, p + GO_WAITERS_AT + 3, 5, 128);
	p[GO_BARRIER_AT] = go_at(p + GO_BARRIER_AT + 2);
	p[GO_BARRIER_AT + 1] = go_at(p + GO_BARRIER_AT + 2 + 512);
}

/* runtime.g that waits with a stack of so many words, whose innermost frame is at the 8th; `frame`: the word that says so. */
static inline void go_g(uint64_t g[14], const uint64_t *stack, size_t words, size_t frame)
{
	memset(g, 0, 14 * sizeof(*g));
	g[0] = go_at(stack);
	g[1] = go_at(stack + words);
	g[7] = go_at(stack + 4);
	g[9] = go_at(g);
	g[frame] = go_at(stack + 8);
}

/* `next`: where the caller's frame is, 0 = there is none. */
static inline void go_frame(uint64_t *stack, size_t at, size_t next, uint64_t caller)
{
	stack[at] = next != 0 ? go_at(stack + next) : 0;
	stack[at + 1] = caller;
}

/* Its timers: pointers to them, or from Go 1.23 on pairs of these and a moment. */
static inline void go_heap(uint64_t p[GO_P_WORDS], const uint64_t *all, uint64_t n)
{
	go_slice(p + GO_LOCK_AT + 1, all, n, n + 1);
	p[GO_LOCK_AT + 4] = n;
}

#endif
