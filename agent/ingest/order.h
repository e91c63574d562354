/*
 * The reordering window: events of many rings, held back until nothing older can come, handed out by time.
 *
 * By (t1, source, arrival): records of one source never overtake each other. What a source says in order of time is a queue, and a binary
 * heap has the heads of the queues: with few sources that say much, most events cost no step in it. Owner: ingest; its thread only.
 *
 * What was sent may be answered before the sender has come back: on a busy machine its thread waits for a processor within the call, while
 * another reads the answer. Such a send is handed out in front of that read, with its time, or the answer would belong to nothing.
 */
#ifndef GAPSCOPE_INGEST_ORDER_H
#define GAPSCOPE_INGEST_ORDER_H

#include <stdbool.h>

#include "core/event.h"

/* An event on its way; e.data, stack and stack_bytes point behind it, into the same allocation. */
struct pending {
	struct event e;
	uint32_t source;  /* thread slot; sources of the agent's own events sort last */
	uint32_t process; /* process slot, UINT32_MAX if none */
	uint32_t site;
	uint32_t bytes_len;             /* of all that lies behind it */
	const struct wire_stack *stack; /* a snapshot came with it, otherwise NULL */
	const uint8_t *stack_bytes;     /* stack->bytes_len of them, then stack->script_len of a struct wire_script */
	struct pool *pool;              /* it came from, or NULL */
	bool long_send;                 /* it may be answered before it ends: noted in the window */
	bool told;                      /* it was, and a copy of it was handed out */
	/* The window's own. */
	struct pending *next; /* of its source, NULL if none */
	uint64_t arrival;
};

#define ORDER_SOURCE_AGENT UINT32_MAX

struct order;
/* A pending event with copies of e's data and of the snapshot's bytes (stack may be NULL). NULL when memory is out. It must be freed before
 * `o` is; `o` may be NULL. */
struct pending *pending_new(struct order *o, const struct event *e, const struct wire_stack *stack, const uint8_t *stack_bytes);
/* The same without a snapshot, and with room for e's data only: the caller writes it to *ret_room (NULL: there is none). */
struct pending *pending_room(struct order *o, const struct event *e, uint8_t **ret_room);
/* Frees it; captured bytes are wiped first. */
void pending_free(struct pending *p);

struct order *order_new(void);
void order_free(struct order *o);
/* Take p over. An event older than one that was already handed out gets that one's time: time never steps back. Returns 1 for such a late
 * event, 0 otherwise, or -ENOMEM (p is then still the caller's). */
int order_push(struct order *o, struct pending *p);
/* The oldest event if its t1 is before `before_ns`; the caller frees it. NULL if there is none. */
struct pending *order_pop(struct order *o, uint64_t before_ns);
/* t1 of the event handed out last, 0 if none was. */
uint64_t order_last_ns(const struct order *o);
size_t order_count(const struct order *o);
/* Are so many events held back, or so large ones (limits.h), that no more should be added? */
bool order_full(const struct order *o);

#endif
