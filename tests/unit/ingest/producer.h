/*
 * A producer for tests of ingest: claims slots in a session's memory and writes records as the shim does. Header only: each test is one
 * program.
 */
#ifndef GAPSCOPE_TESTS_PRODUCER_H
#define GAPSCOPE_TESTS_PRODUCER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingest/ingest.h"
#include "wire/ring.h"

struct producer {
	struct wire_header *shared;
	struct wire_process *process;
	struct wire_thread *thread;
	struct wire_ring ring;
};

/* Ticks as the shim takes them. */
static inline uint64_t producer_ticks(const struct wire_header *h)
{
	struct timespec ts;

#ifdef __x86_64__
	if (h->clock == WIRE_CLOCK_TSC)
		return __builtin_ia32_rdtsc();
#endif
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* Take process slot `process` and thread slot `thread`, for the given ids. */
static inline struct producer producer_open(struct wire_header *h, uint32_t process, uint32_t thread, uint32_t pid, uint32_t tid)
{
	struct producer p = {.shared = h, .process = wire_process_at(h, process), .thread = wire_thread_at(h, thread)};

	if (atomic_load(&p.process->state) == WIRE_SLOT_FREE) {
		p.process->pid = pid;
		p.process->generation++;
		atomic_store(&p.process->state, WIRE_SLOT_LIVE);
	}
	assert_int_equal(atomic_load(&p.thread->state), WIRE_SLOT_FREE);
	if (atomic_load(&h->claim_hint) <= thread)
		atomic_store(&h->claim_hint, thread + 1);
	p.thread->pid = pid;
	p.thread->tid = tid;
	p.thread->process = process;
	__atomic_fetch_add(&p.thread->generation, 1, __ATOMIC_RELAXED);
	p.ring = (struct wire_ring){.thread = p.thread, .bytes = wire_ring_at(h, thread), .mask = h->ring_bytes - 1};
	p.ring.tail_seen = atomic_load(&p.thread->tail);
	atomic_store_explicit(&p.thread->state, WIRE_SLOT_LIVE, memory_order_release);
	return p;
}

/* Publish r with data and a stack (either may be NULL), or count it lost where the ring is full. Returns whether it was published. */
static inline bool producer_put(struct producer *p, struct wire_record *r, const void *data, const struct wire_stack *stack,
				const void *stack_bytes)
{
	const uint32_t stack_len = stack != NULL ? (uint32_t)sizeof(*stack) + stack->bytes_len : 0;
	const uint32_t units = wire_units(r->data_len, stack_len);
	const uint64_t bytes = (uint64_t)units * WIRE_UNIT;

	r->units = (uint16_t)units;
	r->seq = p->thread->seq++;
	if (stack != NULL)
		r->flags |= WIRE_F_STACK;
	if (!wire_ring_room(&p->ring, bytes)) {
		atomic_fetch_add_explicit(&p->thread->lost[WIRE_LOSS_RING_FULL], 1, memory_order_relaxed);
		return false;
	}
	wire_ring_put(&p->ring, 0, r, sizeof(*r));
	if (data != NULL && r->data_len > 0)
		wire_ring_put(&p->ring, WIRE_UNIT, data, r->data_len);
	if (stack != NULL) {
		const uint64_t at = (uint64_t)wire_units(r->data_len, 0) * WIRE_UNIT;

		wire_ring_put(&p->ring, at, stack, sizeof(*stack));
		wire_ring_put(&p->ring, at + sizeof(*stack), stack_bytes, stack->bytes_len);
	}
	wire_ring_publish(&p->ring, bytes);
	return true;
}

/* A record of `event` made now. */
static inline struct wire_record producer_record(const struct producer *p, uint16_t event, int32_t fd)
{
	const uint64_t now = producer_ticks(p->shared);

	return (struct wire_record){.event = event, .fd = fd, .t0 = now, .t1 = now};
}

static inline void producer_close(struct producer *p)
{
	atomic_store_explicit(&p->thread->state, WIRE_SLOT_DRAIN, memory_order_release);
}

static inline uint32_t own_pid(void)
{
	return (uint32_t)getpid();
}

static inline uint32_t own_tid(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

#endif
