/*
 * The short way of transfers, the calls that a service makes all the time: a descriptor whose bytes are not wanted, a call site that is known,
 * room in the ring. All of it inline; whatever is unusual leaves for the general way (call.h, emit.c), which does the same with every
 * case considered. What it may not do, and what a signal handler on top of it meets, is as there.
 *
 * What counts here is the length of the code: a system call leaves little of it in the nearest cache, and ten cache lines cost more
 * than the work they do (tests/bench/hook_cost.c). So what the in-flight slot knows is read back from there after the call.
 * On any thread of the watched process.
 */
#ifndef GAPSCOPE_PRELOAD_HOT_H
#define GAPSCOPE_PRELOAD_HOT_H

#include "preload/call.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are put together in words");

/* One register for it: through the thread pointer's segment each use would be longer. */
static inline struct shim_tls *hot_tls(void)
{
	struct shim_tls *t = &shim_tls;

	__asm__("" : "+r"(t));
	return t;
}

/* Can this transfer go the short way? Then it is in flight on return. */
__attribute__((always_inline)) static inline bool hot_enter(struct shim_tls *t, uint64_t *ret_t0, enum wire_event event, int fd)
{
	const uintptr_t sp = (uintptr_t)__builtin_dwarf_cfa();
	struct wire_inflight *const slot = &t->ring.thread->inflight;

	if (unlikely(atomic_load_explicit(&t->local->alive, memory_order_relaxed) != SHIM_ALIVE_TICKS) ||
	    unlikely((uint32_t)fd >= shim.policy_fds) ||
	    unlikely(atomic_load_explicit(&shim.policy[fd], memory_order_relaxed) != WIRE_POLICY_SIZES) ||
	    unlikely(atomic_load_explicit(&t->waiting_sp, memory_order_relaxed) > sp))
		return false;
	atomic_store_explicit(&t->waiting_sp, sp, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	*ret_t0 = cpu_ticks();
	slot->t0 = *ret_t0;
	slot->limit_ns = -1;
	slot->site = emit_site(t, (uintptr_t)__builtin_return_address(0), sp);
	slot->fd = fd;
	atomic_store_explicit(&slot->event, event, memory_order_release);
	/* The agent's core has read this line last: fetch it back while the kernel works. */
	cpu_prefetch_write(wire_ring_unit(&t->ring, 0));
	return true;
}

/* Publish the transfer's record. False: it must go the general way, and nothing was done. */
__attribute__((always_inline)) static inline bool hot_leave(struct shim_tls *t, uint64_t t0, uint64_t t1, enum wire_event event,
							    int fd, int64_t ret, uint64_t asked, int flags, uint16_t record_flags)
{
	const uintptr_t sp = (uintptr_t)__builtin_dwarf_cfa();
	struct wire_thread *const slot = t->ring.thread;
	uint32_t key, count;
	struct shim_site *e;
	uint64_t *r;

	if (unlikely(ret < 0) || unlikely(atomic_load_explicit(&t->busy, memory_order_relaxed)) ||
	    unlikely(atomic_load_explicit(&t->waiting_sp, memory_order_relaxed) != sp))
		return false;
	atomic_store_explicit(&t->busy, sp, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	key = emit_site_key(slot->inflight.site, event);
	e = emit_site_entry(t, key);
	count = e->count + 1;
	/* The key differs, too, if a fork has emptied our memory meanwhile. */
	if (unlikely(e->key != key) || unlikely(!(count & (count - 1))) || unlikely(t1 - t0 > t->slow_ticks) ||
	    unlikely(atomic_load_explicit(&slot->head, memory_order_relaxed) > t->last_room)) {
		atomic_store_explicit(&t->busy, 0, memory_order_relaxed);
		return false;
	}
	e->count = count;
	r = (uint64_t *)(void *)wire_ring_unit(&t->ring, 0);
	r[0] = (uint64_t)slot->seq << 32 | 1U << 16 | (uint32_t)event;
	r[1] = t0;
	r[2] = t1;
	r[3] = (uint64_t)ret;
	r[4] = (uint64_t)record_flags << 48 | (uint32_t)fd;
	r[5] = asked;
	r[6] = (uint32_t)flags;
	r[7] = (uint64_t)slot->inflight.site << 32;
	slot->seq++;
	wire_ring_publish(&t->ring, WIRE_UNIT);
	atomic_store_explicit(&slot->inflight.event, 0, memory_order_relaxed);
	atomic_store_explicit(&t->waiting_sp, 0, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&t->busy, 0, memory_order_relaxed);
	return true;
}

#endif
