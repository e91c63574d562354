/* The reordering window: see order.h. */
#include "ingest/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/pool.h"

#define FIRST_ROOM 1024U
#define BLOCKS_KEPT 4096U

/* Captured bytes that a block has room for: most calls have none, or the head of a message. */
static const size_t block_bytes[] = {64, 320};

#define BLOCK_KINDS (sizeof(block_bytes) / sizeof(block_bytes[0]))

/* The key lies in the heap itself: comparing then stays within a few cache lines. */
struct entry {
	uint64_t t1;
	uint64_t arrival;
	uint32_t source;
	struct pending *p;
};

struct order {
	struct entry *heap;
	size_t n, room;
	uint64_t arrivals;
	uint64_t last_ns; /* t1 of the event handed out last */
	struct pool blocks[BLOCK_KINDS];
};

static struct pool *pool_for(struct order *o, size_t bytes)
{
	for (size_t i = 0; o != NULL && i < BLOCK_KINDS; i++) {
		if (bytes <= block_bytes[i])
			return &o->blocks[i];
	}
	return NULL;
}

struct pending *pending_new(struct order *o, const struct event *e, const struct wire_stack *stack, const uint8_t *stack_bytes)
{
	const bool with_stack = stack != NULL && stack_bytes != NULL && stack->bytes_len > 0;
	const size_t bytes_len = e->data_len + (with_stack ? sizeof(*stack) + stack->bytes_len : 0);
	struct pool *const pool = pool_for(o, bytes_len);
	struct pending *p = pool != NULL ? pool_get(pool) : malloc(sizeof(*p) + bytes_len);
	uint8_t *to;

	if (p == NULL)
		return NULL;
	*p = (struct pending){
		.e = *e, .source = ORDER_SOURCE_AGENT, .process = UINT32_MAX, .bytes_len = (uint32_t)bytes_len, .pool = pool};
	p->e.data = NULL;
	to = (uint8_t *)(p + 1);
	if (with_stack) {
		memcpy(to, stack, sizeof(*stack));
		p->stack = (const struct wire_stack *)(const void *)to;
		to += sizeof(*stack);
		memcpy(to, stack_bytes, stack->bytes_len);
		p->stack_bytes = to;
		to += stack->bytes_len;
	}
	if (e->data_len > 0) {
		memcpy(to, e->data, e->data_len);
		p->e.data = to;
	}
	return p;
}

void pending_free(struct pending *p)
{
	if (p == NULL)
		return;
	if (p->bytes_len > 0)
		explicit_bzero(p + 1, p->bytes_len);
	if (p->pool != NULL)
		pool_put(p->pool, p);
	else
		free(p);
}

struct order *order_new(void)
{
	struct order *o = calloc(1, sizeof(*o));

	for (size_t i = 0; o != NULL && i < BLOCK_KINDS; i++)
		o->blocks[i] = (struct pool){.size = sizeof(struct pending) + block_bytes[i], .max = BLOCKS_KEPT};
	return o;
}

void order_free(struct order *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->n; i++)
		pending_free(o->heap[i].p);
	for (size_t i = 0; i < BLOCK_KINDS; i++)
		pool_done(&o->blocks[i]);
	free(o->heap);
	free(o);
}

static bool before(const struct entry *a, const struct entry *b)
{
	if (a->t1 != b->t1)
		return a->t1 < b->t1;
	if (a->source != b->source)
		return a->source < b->source;
	return a->arrival < b->arrival;
}

int order_push(struct order *o, struct pending *p)
{
	size_t i = o->n;
	int late = 0;

	if (o->n == o->room) {
		const size_t room = o->room > 0 ? o->room * 2 : FIRST_ROOM;
		struct entry *heap = reallocarray(o->heap, room, sizeof(*heap));

		if (heap == NULL)
			return -ENOMEM;
		o->heap = heap;
		o->room = room;
	}
	if (p->e.t1 < o->last_ns) {
		p->e.t1 = o->last_ns;
		late = 1;
	}

	const struct entry new = {.t1 = p->e.t1, .arrival = o->arrivals++, .source = p->source, .p = p};

	o->n++;
	while (i > 0 && before(&new, &o->heap[(i - 1) / 2])) {
		o->heap[i] = o->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	o->heap[i] = new;
	return late;
}

struct pending *order_pop(struct order *o, uint64_t before_ns)
{
	size_t i = 0;

	if (o->n == 0 || o->heap[0].t1 >= before_ns)
		return NULL;

	struct pending *top = o->heap[0].p;
	const struct entry moved = o->heap[--o->n];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= o->n)
			break;
		if (child + 1 < o->n && before(&o->heap[child + 1], &o->heap[child]))
			child++;
		if (!before(&o->heap[child], &moved))
			break;
		o->heap[i] = o->heap[child];
		i = child;
	}
	if (o->n > 0)
		o->heap[i] = moved;
	o->last_ns = top->e.t1;
	return top;
}

size_t order_count(const struct order *o)
{
	return o->n;
}

uint64_t order_last_ns(const struct order *o)
{
	return o->last_ns;
}
