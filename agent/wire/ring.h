/*
 * The single-producer, single-consumer ring of one thread: bytes in units of 64, indices that only grow.
 *
 * May be included by preload/, agent/ingest and their tests. Producer: the thread that owns the slot. Consumer: the agent.
 * reserve → fill (wire_ring_put may wrap) → publish: the head is release-stored last, so the consumer sees whole records only,
 * and a producer that dies midway leaves nothing behind.
 */
#ifndef GAPSCOPE_WIRE_RING_H
#define GAPSCOPE_WIRE_RING_H

#include <stdbool.h>
#include <string.h>

#include "wire/shared.h"

struct wire_ring {
	struct wire_thread *thread;
	uint8_t *bytes;
	uint64_t mask;      /* ring_bytes - 1 */
	uint64_t tail_seen; /* the producer's cached copy of tail: saves a shared load a record */
};

/* Producer: is there room for `bytes` (a multiple of WIRE_UNIT)? */
static inline bool wire_ring_room(struct wire_ring *r, uint64_t bytes)
{
	const uint64_t head = atomic_load_explicit(&r->thread->head, memory_order_relaxed);

	if (head + bytes - r->tail_seen <= r->mask + 1)
		return true;
	r->tail_seen = atomic_load_explicit(&r->thread->tail, memory_order_acquire);
	return head + bytes - r->tail_seen <= r->mask + 1;
}

/* Producer: the address of the unit at offset `at` behind head. A unit never wraps; longer runs may: use wire_ring_put. */
static inline uint8_t *wire_ring_unit(const struct wire_ring *r, uint64_t at)
{
	const uint64_t head = atomic_load_explicit(&r->thread->head, memory_order_relaxed);

	return r->bytes + ((head + at) & r->mask);
}

/* Producer: copy `len` bytes to offset `at` behind head, wrapping as needed. Room must have been checked. */
static inline void wire_ring_put(const struct wire_ring *r, uint64_t at, const void *from, uint64_t len)
{
	const uint64_t head = atomic_load_explicit(&r->thread->head, memory_order_relaxed);
	const uint64_t pos = (head + at) & r->mask;
	const uint64_t first = r->mask + 1 - pos < len ? r->mask + 1 - pos : len;

	memcpy(r->bytes + pos, from, first);
	if (first < len)
		memcpy(r->bytes, (const uint8_t *)from + first, len - first);
}

/* Producer: make the record of `bytes` visible. */
static inline void wire_ring_publish(const struct wire_ring *r, uint64_t bytes)
{
	const uint64_t head = atomic_load_explicit(&r->thread->head, memory_order_relaxed);

	r->thread->published++;
	atomic_store_explicit(&r->thread->head, head + bytes, memory_order_release);
}

/* Consumer: bytes that can be read. */
static inline uint64_t wire_ring_ready(const struct wire_thread *t)
{
	return atomic_load_explicit(&t->head, memory_order_acquire) - atomic_load_explicit(&t->tail, memory_order_relaxed);
}

/* Consumer: copy `len` bytes at offset `at` behind tail. */
static inline void wire_ring_get(const struct wire_thread *t, const uint8_t *bytes, uint64_t mask, uint64_t at, void *to,
				 uint64_t len)
{
	const uint64_t tail = atomic_load_explicit(&t->tail, memory_order_relaxed);
	const uint64_t pos = (tail + at) & mask;
	const uint64_t first = mask + 1 - pos < len ? mask + 1 - pos : len;

	memcpy(to, bytes + pos, first);
	if (first < len)
		memcpy((uint8_t *)to + first, bytes, len - first);
}

/* Consumer: copy the unit at offset `at` behind tail, which does not wrap. */
static inline void wire_ring_get_unit(const struct wire_thread *t, const uint8_t *bytes, uint64_t mask, uint64_t at, void *to)
{
	memcpy(to, bytes + ((atomic_load_explicit(&t->tail, memory_order_relaxed) + at) & mask), WIRE_UNIT);
}

/* Consumer: give `bytes` back to the producer. */
static inline void wire_ring_consume(struct wire_thread *t, uint64_t bytes)
{
	const uint64_t tail = atomic_load_explicit(&t->tail, memory_order_relaxed);

	atomic_store_explicit(&t->tail, tail + bytes, memory_order_release);
}

#endif
