/* The reordering window: see order.h. */
#include "ingest/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/pool.h"

#define FIRST_ROOM 64U /* queues */
#define FIRST_SOURCES 64U
#define BLOCKS_KEPT 4096U
#define LONG_SENDS 64U        /* that are noted at a time */
#define LONG_SEND_NS 20000ULL /* nothing is sent, answered and read in less */

/* Captured bytes that a block has room for: most calls have none, or the head of a message. */
static const size_t block_bytes[] = {64, 320};

#define BLOCK_KINDS (sizeof(block_bytes) / sizeof(block_bytes[0]))

/* The key lies in the heap itself: comparing then stays within a few cache lines. */
struct entry {
	uint64_t t1;
	uint64_t arrival;
	uint32_t source;
	struct pending *p; /* the first of its queue */
};

struct order {
	struct entry *heap;
	size_t heap_n, heap_room;
	size_t n;     /* events in all queues */
	size_t bytes; /* of them */
	/* By source: the last event of its queue, NULL = it has none. Of the agent itself in front. */
	struct pending **last;
	size_t last_room;
	uint64_t arrivals;
	uint64_t last_ns; /* t1 of the event handed out last */
	struct pending *sends[LONG_SENDS];
	size_t sends_n;
	struct pending *spent; /* handed out as copies: freed when an event comes in */
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

static struct pending *pending_get(struct order *o, const struct event *e, size_t bytes_len)
{
	struct pool *const pool = pool_for(o, bytes_len);
	struct pending *p = pool != NULL ? pool_get(pool) : malloc(sizeof(*p) + bytes_len);

	if (p == NULL)
		return NULL;
	p->e = *e;
	p->e.data = NULL;
	p->source = ORDER_SOURCE_AGENT;
	p->process = UINT32_MAX;
	p->site = 0;
	p->bytes_len = (uint32_t)bytes_len;
	p->stack = NULL;
	p->stack_bytes = NULL;
	p->pool = pool;
	p->long_send = p->told = false;
	return p;
}

struct pending *pending_room(struct order *o, const struct event *e, uint8_t **ret_room)
{
	struct pending *p = pending_get(o, e, e->data_len);

	*ret_room = p != NULL && e->data_len > 0 ? (uint8_t *)(p + 1) : NULL;
	if (p != NULL)
		p->e.data = *ret_room;
	return p;
}

struct pending *pending_new(struct order *o, const struct event *e, const struct wire_stack *stack, const uint8_t *stack_bytes)
{
	const bool with_stack = stack != NULL && stack_bytes != NULL && stack->bytes_len > 0;
	const size_t stack_len = with_stack ? (size_t)stack->bytes_len + stack->script_len : 0;
	const size_t bytes_len = e->data_len + (with_stack ? sizeof(*stack) + stack_len : 0);
	struct pending *p = pending_get(o, e, bytes_len);
	uint8_t *to;

	if (p == NULL)
		return NULL;
	to = (uint8_t *)(p + 1);
	if (with_stack) {
		memcpy(to, stack, sizeof(*stack));
		p->stack = (const struct wire_stack *)(const void *)to;
		to += sizeof(*stack);
		memcpy(to, stack_bytes, stack_len);
		p->stack_bytes = to;
		to += stack_len;
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

static void free_all(struct pending *p)
{
	for (struct pending *next; p != NULL; p = next) {
		next = p->next;
		pending_free(p);
	}
}

void order_free(struct order *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->heap_n; i++)
		free_all(o->heap[i].p);
	free_all(o->spent);
	for (size_t i = 0; i < BLOCK_KINDS; i++)
		pool_done(&o->blocks[i]);
	free(o->heap);
	free(o->last);
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

static bool more_sources(struct order *o, size_t i)
{
	const size_t room = i < FIRST_SOURCES ? FIRST_SOURCES : i * 2;
	struct pending **last = reallocarray(o->last, room, sizeof(struct pending *));

	if (last == NULL)
		return false;
	memset(last + o->last_room, 0, (room - o->last_room) * sizeof(struct pending *));
	o->last = last;
	o->last_room = room;
	return true;
}

/* Where the last event of a source is noted; NULL when memory is out. */
static inline struct pending **last_of(struct order *o, uint32_t source)
{
	const size_t i = source == ORDER_SOURCE_AGENT ? 0 : (size_t)source + 1;

	return i < o->last_room || more_sources(o, i) ? &o->last[i] : NULL;
}

static void sift_up(struct order *o, size_t i, struct entry new)
{
	while (i > 0 && before(&new, &o->heap[(i - 1) / 2])) {
		o->heap[i] = o->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	o->heap[i] = new;
}

/* Put `moved` where the first entry was. */
static void sift_down(struct order *o, struct entry moved)
{
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= o->heap_n)
			break;
		if (child + 1 < o->heap_n && before(&o->heap[child + 1], &o->heap[child]))
			child++;
		if (!before(&o->heap[child], &moved))
			break;
		o->heap[i] = o->heap[child];
		i = child;
	}
	o->heap[i] = moved;
}

/* -- sends that are answered before they end -- */

static void note_send(struct order *o, struct pending *p)
{
	const struct event *e = &p->e;

	if ((e->id != WIRE_WRITE && e->id != WIRE_SENDMMSG) || e->ret <= 0 || (e->flags & WIRE_F_SINK) != 0 ||
	    e->t1 - e->t0 < LONG_SEND_NS || o->sends_n == LONG_SENDS)
		return;
	p->long_send = true;
	o->sends[o->sends_n++] = p;
}

static void forget_send(struct order *o, const struct pending *p)
{
	for (size_t i = 0; i < o->sends_n; i++) {
		if (o->sends[i] != p)
			continue;
		o->sends[i] = o->sends[--o->sends_n];
		return;
	}
}

/* The send that another thread had begun on the same descriptor before this was read, as one that ends now; NULL if there is none. */
static struct pending *answered_send(struct order *o, const struct event *read)
{
	struct pending *first = NULL, *copy;

	if ((read->id != WIRE_READ && read->id != WIRE_RECVMMSG) || read->ret < 0)
		return NULL;
	for (size_t i = 0; i < o->sends_n; i++) {
		struct pending *const p = o->sends[i];

		if (p->e.fd == read->fd && p->e.pid == read->pid && p->e.tid != read->tid && p->e.t0 < read->t1 &&
		    (first == NULL || p->e.t0 < first->e.t0))
			first = p;
	}
	if (first == NULL)
		return NULL;
	copy = pending_new(o, &first->e, first->stack, first->stack_bytes);
	if (copy == NULL)
		return NULL;
	copy->source = first->source;
	copy->process = first->process;
	copy->site = first->site;
	copy->e.t1 = read->t1;
	first->told = true;
	forget_send(o, first);
	return copy;
}

/* Room for one more queue. */
static bool grow(struct order *o)
{
	const size_t room = o->heap_room > 0 ? o->heap_room * 2 : FIRST_ROOM;
	struct entry *heap;

	if (o->heap_n < o->heap_room)
		return true;
	heap = reallocarray(o->heap, room, sizeof(*heap));
	if (heap == NULL)
		return false;
	o->heap = heap;
	o->heap_room = room;
	return true;
}

int order_push(struct order *o, struct pending *p)
{
	struct pending **last = last_of(o, p->source);
	const int late = p->e.t1 < o->last_ns ? 1 : 0;

	if (last == NULL)
		return -ENOMEM;

	const bool behind = *last != NULL && (*last)->e.t1 <= (late ? o->last_ns : p->e.t1);

	if (!behind && !grow(o))
		return -ENOMEM;
	if (o->spent != NULL) {
		free_all(o->spent);
		o->spent = NULL;
	}
	if (late)
		p->e.t1 = o->last_ns;
	p->next = NULL;
	p->arrival = o->arrivals++;
	o->n++;
	o->bytes += sizeof(*p) + p->bytes_len;
	note_send(o, p);
	if (behind) {
		(*last)->next = p;
		*last = p;
		return late;
	}
	/* A queue of its own: its source's first, or one that steps back in time. */
	if (*last == NULL)
		*last = p;
	sift_up(o, o->heap_n++, (struct entry){.t1 = p->e.t1, .arrival = p->arrival, .source = p->source, .p = p});
	return late;
}

static struct pending *take_first(struct order *o)
{
	struct pending *const top = o->heap[0].p, *const next = top->next;

	if (next != NULL) {
		sift_down(o, (struct entry){.t1 = next->e.t1, .arrival = next->arrival, .source = next->source, .p = next});
		__builtin_prefetch(next->next);
	} else {
		struct pending **last = last_of(o, top->source);

		if (last != NULL && *last == top)
			*last = NULL;
		if (--o->heap_n > 0)
			sift_down(o, o->heap[o->heap_n]);
	}
	o->n--;
	o->bytes -= sizeof(*top) + top->bytes_len;
	if (top->long_send && !top->told)
		forget_send(o, top);
	return top;
}

struct pending *order_pop(struct order *o, uint64_t before_ns)
{
	while (o->heap_n > 0 && o->heap[0].t1 < before_ns) {
		struct pending *p = o->sends_n > 0 ? answered_send(o, &o->heap[0].p->e) : NULL;

		o->last_ns = o->heap[0].t1;
		if (p != NULL)
			return p;
		p = take_first(o);
		if (!p->told)
			return p;
		p->next = o->spent;
		o->spent = p;
	}
	return NULL;
}

size_t order_count(const struct order *o)
{
	return o->n;
}

bool order_full(const struct order *o)
{
	return o->n > LIMIT_REORDER_EVENTS || o->bytes > LIMIT_REORDER_BYTES;
}

uint64_t order_last_ns(const struct order *o)
{
	return o->last_ns;
}
