/* The reordering window: see order.h. */
#include "ingest/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 1024U

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
};

struct pending *pending_new(const struct event *e, const struct wire_stack *stack, const uint8_t *stack_bytes)
{
	const size_t stack_len = stack != NULL && stack_bytes != NULL ? stack->bytes_len : 0;
	struct pending *p = malloc(sizeof(*p) + e->data_len + stack_len);
	uint8_t *bytes;

	if (p == NULL)
		return NULL;
	bytes = (uint8_t *)(p + 1);
	memset(p, 0, sizeof(*p));
	p->e = *e;
	p->e.data = e->data_len > 0 ? bytes : NULL;
	p->source = ORDER_SOURCE_AGENT;
	p->process = UINT32_MAX;
	p->bytes_len = e->data_len + stack_len;
	if (e->data_len > 0)
		memcpy(bytes, e->data, e->data_len);
	if (stack != NULL)
		p->stack = *stack;
	if (stack_len > 0) {
		p->stack_bytes = bytes + e->data_len;
		memcpy(bytes + e->data_len, stack_bytes, stack_len);
	}
	return p;
}

void pending_free(struct pending *p)
{
	if (p == NULL)
		return;
	explicit_bzero(p + 1, p->bytes_len);
	free(p);
}

struct order *order_new(void)
{
	return calloc(1, sizeof(struct order));
}

void order_free(struct order *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->n; i++)
		pending_free(o->heap[i].p);
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
