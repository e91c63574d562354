/*
 * Thread slots: taken at a thread's first hooked call, given back by the destructor of a thread-specific key.
 *
 * Runs on the thread that the slot is for. The agent frees a slot in state DRAIN once it has emptied the ring.
 */
#include <limits.h>
#include <pthread.h>

#include "preload/alloc.h"

#define RETRY_CALLS 1024U /* a thread that found no slot looks again after so many calls */

static struct shim_local nobody; /* of threads without a slot: not alive, for ever */

__thread struct shim_tls shim_tls __attribute__((tls_model("initial-exec"))) = {.local = &nobody, .no_rseq = {.cpu_id = -1}};

static pthread_key_t key;
static bool key_made;

static void say(enum wire_event event)
{
	struct call c = {.event = (uint16_t)event, .fd = -1};

	c.t0 = c.t1 = shim_ticks();
	emit(&c, NULL, 0, 0);
}

static void release(struct shim_tls *t)
{
	struct wire_thread *slot = t->ring.thread;

	alloc_rest();
	say(WIRE_THREAD_EXIT);
	t->state = SHIM_THREAD_GONE;
	memory_ring_close(t->local);
	t->local = &nobody;
	atomic_store_explicit(&slot->inflight.event, 0, memory_order_release);
	atomic_store_explicit(&slot->state, WIRE_SLOT_DRAIN, memory_order_release);
}

/* Other keys' destructors may still make hooked calls: stay until the last round that the system grants. */
static void on_thread_end(void *arg)
{
	struct shim_tls *t = &shim_tls;

	if (t->state != SHIM_THREAD_LIVE)
		return;
	if (++t->exit_rounds < PTHREAD_DESTRUCTOR_ITERATIONS && pthread_setspecific(key, arg) == 0)
		return;
	release(t);
}

int thread_setup(void)
{
	if (key_made)
		return 0;

	const int r = pthread_key_create(&key, on_thread_end);

	key_made = r == 0;
	return -r;
}

void thread_reset(struct shim_tls *t)
{
	t->state = SHIM_THREAD_NEW;
	t->refused = 0;
	t->exit_rounds = 0;
	t->local = &nobody;
	atomic_store_explicit(&t->busy, 0, memory_order_relaxed);
	atomic_store_explicit(&t->waiting_sp, 0, memory_order_relaxed);
}

static uint32_t find_slot(void)
{
	const uint32_t n = shim.threads;
	const uint32_t start = (uint32_t)(atomic_fetch_add_explicit(&shim.header->claim_hint, 1, memory_order_relaxed) % n);

	for (uint32_t k = 0; k < n; k++) {
		const uint32_t i = (start + k) % n;
		uint32_t free_slot = WIRE_SLOT_FREE;
		struct wire_thread *slot = wire_thread_at(shim.header, i);

		if (atomic_load_explicit(&slot->state, memory_order_relaxed) == WIRE_SLOT_FREE &&
		    atomic_compare_exchange_strong_explicit(&slot->state, &free_slot, WIRE_SLOT_CLAIMED, memory_order_acq_rel,
							    memory_order_relaxed))
			return i;
	}
	return UINT32_MAX;
}

/* Give a slot back that was found and cannot be used. */
static void leave_slot(uint32_t index)
{
	atomic_store_explicit(&wire_thread_at(shim.header, index)->state, WIRE_SLOT_FREE, memory_order_release);
}

static void take(struct shim_tls *t, uint32_t index)
{
	struct wire_thread *slot = wire_thread_at(shim.header, index);
	const bool quiet = atomic_load_explicit(&shim.quiet, memory_order_relaxed);

	/* The owner before the pid: the agent, finding our pid, must not take the slot for one of an earlier image of this process. */
	slot->process = shim.process_index;
	atomic_thread_fence(memory_order_release);
	slot->pid = (uint32_t)shim.pid;
	slot->tid = quiet ? 0 : (uint32_t)cpu_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
	slot->generation++;
	atomic_store_explicit(&slot->inflight.event, 0, memory_order_relaxed);
	t->ring.thread = slot;
	t->ring.bytes = wire_ring_at(shim.header, index);
	t->ring.mask = shim.header->ring_bytes - 1;
	t->ring.tail_seen = atomic_load_explicit(&slot->tail, memory_order_acquire);
	t->last_room = t->ring.tail_seen + t->ring.mask + 1 - WIRE_UNIT;
	t->local = &shim.private_mem->locals[index];
	t->slow_ticks = shim.header->slow_ticks ? shim.header->slow_ticks : UINT64_MAX;
	atomic_store_explicit(&t->local->alive, 1, memory_order_relaxed);
	t->main_thread = slot->tid == slot->pid;
	atomic_store_explicit(&slot->state, WIRE_SLOT_LIVE, memory_order_release);
	t->state = SHIM_THREAD_LIVE;
}

bool thread_claim(struct shim_tls *t)
{
	uint32_t index;

	if (t->state == SHIM_THREAD_GONE) {
		session_count(WIRE_LOSS_THREAD_EXITING);
		return false;
	}
	if (t->claiming) {
		session_count(WIRE_LOSS_NESTED);
		return false;
	}
	if (t->state == SHIM_THREAD_REFUSED && ++t->refused % RETRY_CALLS) {
		session_count(WIRE_LOSS_NO_RING);
		return false;
	}
	if (session_is_shadow())
		return false;
	t->claiming = true;
	atomic_signal_fence(memory_order_seq_cst);
	index = shim.threads ? find_slot() : UINT32_MAX;
	if (index != UINT32_MAX && !memory_ring_open(index)) {
		leave_slot(index);
		index = UINT32_MAX;
	}
	if (index == UINT32_MAX) {
		t->state = SHIM_THREAD_REFUSED;
		session_count(WIRE_LOSS_NO_RING);
	} else {
		take(t, index);
		if (key_made)
			(void)pthread_setspecific(key, t);
		say(WIRE_THREAD_START);
	}
	atomic_signal_fence(memory_order_seq_cst);
	t->claiming = false;
	return t->state == SHIM_THREAD_LIVE;
}
