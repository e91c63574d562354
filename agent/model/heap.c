/*
 * Memory that is alive: sampled allocations by address, what each stands for, and which request it was made for. Allocations that the
 * program maps itself (mmap) are all told, and can be cut. The session's thread only.
 *
 * A block of n bytes is sampled with a probability of 1 - exp(-n / mean), so it stands for n / (1 - exp(-n / mean)) bytes: sums of these
 * are right on average, for any mix of sizes.
 */
#include <math.h>
#include <stdlib.h>

#include "model/private.h"

struct block {
	struct allocation pub; /* its address is the key */
	UT_hash_handle hh;
};

/* Which request is this for? It is told, too. */
static const struct request *count_for_request(struct model *m, const struct event *e, const struct allocation *a)
{
	struct request *r = requests_latest(m, e->pid, e->tid);

	if (!r)
		return NULL;
	r->alloc_bytes += a->bytes;
	r->alloc_samples++;
	if (a->size > r->alloc_largest) {
		r->alloc_largest = a->size;
		r->alloc_largest_stack = a->stack;
	}
	return r;
}

static void give_back(struct model *m, struct block **table, struct block *b, const struct event *e)
{
	HASH_DEL(*table, b);
	m->n_blocks--;
	TELL(m, heap_free, &b->pub, b->pub.bytes, e);
	free(b);
}

static struct block *find(struct block *table, uint64_t address)
{
	struct block *b;

	HASH_FIND(hh, table, &address, sizeof(address), b);
	return b;
}

static void keep(struct model *m, struct proc *p, const struct allocation *a, const struct event *e)
{
	struct block **table = a->mapped ? &p->maps : &p->blocks;
	struct block *b = find(*table, a->address);

	/* Its end was not told. */
	if (b)
		give_back(m, table, b, e);
	if (a->no_free)
		return;
	if (m->n_blocks >= LIMIT_HEAP_BLOCKS || (a->mapped && HASH_COUNT(p->maps) >= LIMIT_HEAP_MAPS) ||
	    !(b = calloc(1, sizeof(*b)))) {
		m->counters->limit[LIMIT_REACHED_HEAP]++;
		return;
	}
	b->pub = *a;
	HASH_ADD(hh, *table, pub.address, sizeof(b->pub.address), b);
	m->n_blocks++;
}

void heap_on_alloc(struct model *m, struct proc *p, const struct event *e)
{
	struct wire_alloc how = {0};

	if (e->data_len < sizeof(how))
		return;
	memcpy(&how, e->data, sizeof(how));
	const double size = (double)e->a1, missed = how.mean ? -expm1(-size / (double)how.mean) : 1;
	struct allocation a = {
		.address = e->a0,
		.size = e->a1,
		.bytes = missed > 0 ? size / missed : 0,
		.objects = missed > 0 ? 1 / missed : 0,
		.process = &p->pub,
		.stack = e->stack,
		.mapped = how.kind == WIRE_ALLOC_MAP,
		.no_free = how.no_free != 0,
		.t_ns = e->t1,
	};
	a.request = count_for_request(m, e, &a);
	a.served = a.request ? a.request->id : 0;
	TELL(m, heap_alloc, &a);
	a.request = NULL;
	if (e->ret > 0)
		TELL(m, heap_asked, &p->pub, (uint64_t)e->ret);
	keep(m, p, &a, e);
}

void heap_on_free(struct model *m, struct proc *p, const struct event *e)
{
	struct block *b = find(p->blocks, e->a0);

	if (b)
		give_back(m, &p->blocks, b, e);
}

void heap_on_rest(struct model *m, struct proc *p, const struct event *e)
{
	if (e->ret > 0)
		TELL(m, heap_asked, &p->pub, (uint64_t)e->ret);
}

/* Cut [from, to) out of a map. What is left behind a hole keeps the first part's address. */
static void cut(struct model *m, struct proc *p, struct block *b, uint64_t from, uint64_t to, const struct event *e)
{
	const uint64_t start = b->pub.address, end = start + b->pub.size;
	const uint64_t low = from > start ? from : start, high = to < end ? to : end;

	if (low >= high)
		return;
	if (low == start && high == end) {
		give_back(m, &p->maps, b, e);
		return;
	}
	TELL(m, heap_free, &b->pub, (double)(high - low), e);
	HASH_DEL(p->maps, b);
	b->pub.size -= high - low;
	b->pub.bytes = (double)b->pub.size;
	if (low == start)
		b->pub.address = high;
	HASH_ADD(hh, p->maps, pub.address, sizeof(b->pub.address), b);
}

void heap_on_unmap(struct model *m, struct proc *p, const struct event *e)
{
	const uint64_t end = e->a0 + e->a1;
	struct block *b = find(p->maps, e->a0), *next;

	if (b && b->pub.size == e->a1) {
		give_back(m, &p->maps, b, e);
		return;
	}
	HASH_ITER (hh, p->maps, b, next)
		cut(m, p, b, e->a0, end, e);
}

void heap_drop(struct model *m, struct proc *p)
{
	while (p->blocks)
		give_back(m, &p->blocks, p->blocks, NULL);
	while (p->maps)
		give_back(m, &p->maps, p->maps, NULL);
}
