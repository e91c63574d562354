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

#define HOT_COPY_BYTES 4096U /* of what is longer the end is timed: copying alone takes a while */

/* What the kernel says of this thread (wire/rseq.h). */
static inline struct wire_rseq *hot_rseq(void)
{
	return (struct wire_rseq *)(cpu_thread_pointer() + (uintptr_t)(intptr_t)shim.rseq_at);
}

/* Where the hooked call's frame begins. The compiler takes it for any value, a new one each time: it would keep it in a register across the
 * call, and spill it to use half of it. */
__attribute__((always_inline)) static inline uintptr_t hot_sp(void)
{
	uintptr_t sp = (uintptr_t)__builtin_dwarf_cfa();

	__asm__ volatile("" : "+r"(sp));
	return sp;
}

/* Can this transfer go the short way? Then it is in flight on return, and the entry of its call site is returned; otherwise NULL. */
__attribute__((always_inline)) static inline struct shim_site *hot_enter(struct shim_tls *t, uint64_t *ret_t0,
									 enum wire_event event, int fd, size_t n)
{
	const uintptr_t sp = hot_sp();
	const uint32_t site = emit_site_code(t, (uintptr_t)__builtin_return_address(0), sp);
	const uint32_t key = emit_site_key(site, event);
	struct shim_site *const e = emit_site_entry(t, key);
	struct wire_inflight *slot;

	/* A site that is known says, too, that this thread has a slot, and is not in a child that a fork has just made. */
	if (unlikely((uint32_t)fd >= shim.hot_fds) ||
	    unlikely(atomic_load_explicit(&shim.policy[(uint32_t)fd], memory_order_relaxed) != WIRE_POLICY_SIZES) ||
	    unlikely(e->key != key) ||
	    unlikely(atomic_load_explicit(&t->busy, memory_order_relaxed) |
		     atomic_load_explicit(&t->waiting_sp, memory_order_relaxed)))
		return NULL;
	atomic_store_explicit(&t->waiting_sp, sp, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (event == WIRE_WRITE && likely(n <= HOT_COPY_BYTES))
		wire_rseq_watch(hot_rseq());
	*ret_t0 = cpu_ticks();
	slot = &t->ring.thread->inflight;
	slot->t0 = *ret_t0;
	slot->limit_ns = -1;
	slot->site = site;
	slot->fd = fd;
	atomic_store_explicit(&slot->event, event, memory_order_release);
	/* The agent's core has read this line last: fetch it back while the kernel works. */
	cpu_prefetch_write(wire_ring_unit(&t->ring, 0));
	return e;
}

/* When did it end? A small send of which the kernel says that it did not wait ended when it began: reading the clock costs more than all
 * that it takes to know. A read keeps its time, which must not lie before the send that it has got its bytes from. *ret_slow: it took so
 * long that it sends its stack. */
__attribute__((always_inline)) static inline uint64_t hot_end(const struct shim_tls *t, enum wire_event event, uint64_t t0,
							      bool *ret_slow)
{
	uint64_t t1;

	*ret_slow = false;
	if (event == WIRE_WRITE && likely(wire_rseq_kept(hot_rseq())))
		return t0;
	t1 = cpu_ticks();
	*ret_slow = t1 - t0 > t->slow_ticks;
	return t1;
}

/* Publish the transfer's record. False: it must go the general way, and nothing was done. */
__attribute__((always_inline)) static inline bool hot_leave(struct shim_tls *t, struct shim_site *e, uint64_t t0, uint64_t t1,
							    enum wire_event event, int fd, int64_t ret, uint64_t asked, int flags,
							    uint16_t record_flags)
{
	const uintptr_t sp = hot_sp();
	struct wire_thread *const slot = t->ring.thread;
	struct wire_record *r;
	uint64_t head;

	/* Nothing is left, either, if a fork in a signal handler has emptied our memory meanwhile. */
	if (unlikely(ret < 0) || unlikely(atomic_load_explicit(&t->waiting_sp, memory_order_relaxed) != sp) ||
	    unlikely(e->left <= 1))
		return false;
	atomic_store_explicit(&t->busy, sp, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	head = atomic_load_explicit(&slot->head, memory_order_relaxed);
	if (unlikely(head > t->last_room)) {
		atomic_store_explicit(&t->busy, 0, memory_order_relaxed);
		return false;
	}
	e->left--;
	r = (struct wire_record *)(void *)(t->ring.bytes + (head & t->ring.mask));
	r->event = (uint16_t)event;
	r->units = 1;
	r->seq = slot->seq++;
	r->t0 = t0;
	r->t1 = t1;
	r->ret = ret;
	r->fd = fd;
	r->err = 0;
	r->flags = record_flags;
	r->a0 = asked;
	r->a1 = (uint32_t)flags;
	r->data_len = 0;
	r->site = slot->inflight.site;
	slot->published++;
	atomic_store_explicit(&slot->head, head + WIRE_UNIT, memory_order_release);
	atomic_store_explicit(&slot->inflight.event, 0, memory_order_relaxed);
	atomic_store_explicit(&t->waiting_sp, 0, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&t->busy, 0, memory_order_relaxed);
	return true;
}

#endif
