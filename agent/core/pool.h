/*
 * Blocks of one size that come and go by the thousand: what was given back is handed out again, without a walk through the allocator's
 * lists. A few are kept, the rest is freed. One owner, one thread.
 */
#ifndef GAPSCOPE_CORE_POOL_H
#define GAPSCOPE_CORE_POOL_H

#include <stddef.h>
#include <stdlib.h>

struct pool {
	size_t size;      /* of a block, at least that of a pointer */
	unsigned int max; /* blocks that are kept */
	unsigned int kept;
	void *first; /* each begins with the address of the next */
};

/* A block with anything in it, or NULL when memory is out. */
static inline void *pool_get(struct pool *p)
{
	void **block = p->first;

	if (block == NULL)
		return malloc(p->size);
	p->first = *block;
	p->kept--;
	return block;
}

static inline void pool_put(struct pool *p, void *given)
{
	void **block = given;

	if (p->kept >= p->max) {
		free(block);
		return;
	}
	*block = p->first;
	p->first = block;
	p->kept++;
}

static inline void pool_done(struct pool *p)
{
	while (p->kept > 0)
		free(pool_get(p));
}

#endif
