/* A ring's room after it was read: see trim.h. */
#include "ingest/trim.h"

#include <fcntl.h>
#include <string.h>

#include "wire/ring.h"

#define PAGE 4096U
#define HOLD_BYTES (256U * 1024U)    /* held back at most, of a ring that has four times as much */
#define WIPE_BYTES 1024U             /* at a time: still in the cache, and one call for many records */
#define SLOW_NS 250000000ULL         /* who needs longer for so many bytes gets along without pages of its own */
#define FREE_MIN_BYTES (64U * 1024U) /* of a ring that nobody owns: less is not worth the call */

static bool holds_back(const struct ingest *in)
{
	return in->shared->ring_bytes >= 4 * HOLD_BYTES;
}

/* Offsets are those of the ring; the end does not lie in front of the start. */
static void free_pages(const struct ingest *in, uint32_t slot, uint64_t from, uint64_t to)
{
	const uint64_t ring = in->shared->ring_off + (uint64_t)slot * in->shared->ring_bytes;

	from = (from + PAGE - 1) / PAGE * PAGE;
	to = to / PAGE * PAGE;
	/* Where a kernel cannot, the memory stays in use. */
	if (to > from)
		(void)fallocate(in->memory.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(ring + from),
				(off_t)(to - from));
}

/* A slow thread's ring: may it stay as it is? At first nobody knows how slow its thread is. */
static bool may_keep(struct ingest *in, struct slot *s)
{
	if (!s->keeps && s->given_ns > 0 && in->keeping < TRIM_KEEP_BYTES / in->shared->ring_bytes) {
		s->keeps = true;
		in->keeping++;
	}
	return s->keeps;
}

static void wipe_bytes(struct ingest *in, uint32_t slot, uint64_t at, uint64_t bytes)
{
	uint8_t *ring = wire_ring_at(in->shared, slot);
	const uint64_t size = in->shared->ring_bytes;
	const uint64_t pos = at & (size - 1);
	const uint64_t first = size - pos < bytes ? size - pos : bytes;

	memset(ring + pos, 0, first);
	if (first < bytes)
		memset(ring, 0, bytes - first);
}

/* Wipe what was read since it was done last. */
static void wipe(struct ingest *in, uint32_t slot)
{
	const struct wire_thread *t = wire_thread_at(in->shared, slot);
	struct slot *s = &in->slots[slot];

	if (s->soiled)
		wipe_bytes(in, slot, atomic_load_explicit(&t->tail, memory_order_relaxed) + s->wiped, s->held - s->wiped);
	s->wiped = s->held;
	s->soiled = false;
}

static void give_back(struct ingest *in, uint32_t slot)
{
	struct wire_thread *t = wire_thread_at(in->shared, slot);
	struct slot *s = &in->slots[slot];
	const uint64_t size = in->shared->ring_bytes;
	const uint64_t pos = atomic_load_explicit(&t->tail, memory_order_relaxed) & (size - 1);

	if (s->held == 0)
		return;
	wipe(in, slot);
	if (holds_back(in) && in->now_ns > s->given_ns + SLOW_NS && !may_keep(in, s)) {
		const uint64_t end = pos + s->held;

		free_pages(in, slot, pos, end < size ? end : size);
		free_pages(in, slot, 0, end > size ? end - size : 0);
	}
	s->given_ns = in->now_ns;
	s->touched += s->held;
	wire_ring_consume(t, s->held);
	s->held = s->wiped = 0;
}

void trim_read(struct ingest *in, uint32_t slot, uint64_t bytes, bool captured)
{
	struct slot *s = &in->slots[slot];

	s->held += bytes;
	s->soiled |= captured;
	if (s->held - s->wiped >= WIPE_BYTES)
		wipe(in, slot);
	if (s->held >= HOLD_BYTES)
		give_back(in, slot);
}

void trim_skip(struct ingest *in, uint32_t slot)
{
	struct wire_thread *t = wire_thread_at(in->shared, slot);
	const uint64_t size = in->shared->ring_bytes;
	const uint64_t ready = wire_ring_ready(t);

	wipe_bytes(in, slot, atomic_load_explicit(&t->tail, memory_order_relaxed), ready < size ? ready : size);
	in->slots[slot].held = in->slots[slot].wiped = 0;
	in->slots[slot].soiled = false;
	wire_ring_consume(t, ready);
}

void trim_end(struct ingest *in, uint32_t slot)
{
	wipe(in, slot);
	if (!holds_back(in))
		give_back(in, slot);
}

void trim_free(struct ingest *in, uint32_t slot)
{
	struct slot *s = &in->slots[slot];

	give_back(in, slot);
	in->keeping -= s->keeps;
	s->keeps = false;
	s->given_ns = 0;
	if (s->touched >= FREE_MIN_BYTES) {
		free_pages(in, slot, 0, in->shared->ring_bytes);
		s->touched = 0;
	}
}
