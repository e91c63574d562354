/*
 * The way through a hook, all of it inline: enter → (wait) → begin → the real call → end → emit.
 *
 * The part before the real call touches only the in-flight slot, so a signal handler may nest in it. The part after it writes the
 * ring and is guarded by `busy` (emit.c). The real call itself is outside any guard: a thread may be cancelled there.
 * On any thread of the watched process.
 */
#ifndef GAPSCOPE_PRELOAD_CALL_H
#define GAPSCOPE_PRELOAD_CALL_H

#include <errno.h>
#include <sys/socket.h>

#include "preload/shim.h"

struct call {
	uint64_t t0, t1;
	int64_t ret;
	uint64_t a0, a1;
	uintptr_t pc, sp; /* return address and stack pointer of the hooked call */
	uint32_t site;    /* 0 until it is known */
	int32_t fd;
	uint16_t event;
	uint16_t err;
	uint16_t flags;
	uint8_t policy;
};

#pragma GCC visibility push(hidden)
/* emit.c: publish or count. `data` may be NULL; `wanted` ≥ len is what the policy would have taken. Keeps errno. */
void emit(struct call *c, const void *data, uint32_t len, uint32_t wanted);
/* The same from several pieces of memory, at most `want` bytes in all. */
struct iovec;
void emit_vector(struct call *c, const struct iovec *iov, size_t count, uint64_t want);
bool call_enter_slow(struct shim_tls *t);
/* Copies bytes of this process into the ring, `at` bytes behind its head; how many could be read: the kernel copies, and stops where
 * nothing is mapped. */
uint32_t emit_copy(const struct shim_tls *t, uint64_t at, uintptr_t from_address, uint32_t len);
/* A script's call may wait: say where it comes from if that is new. It may never return. */
void emit_place(const struct call *c);
#pragma GCC visibility pop

/* The same call path has the same return address and the same depth below the thread's own memory, in whichever thread. */
static inline uint32_t emit_site_code(const struct shim_tls *t, uintptr_t pc, uintptr_t sp)
{
	const uint32_t depth = (uint32_t)((uintptr_t)t - sp);

	return ((uint32_t)pc * 0x9e3779b1U ^ depth * 0x85ebca77U) | 1;
}

/* To an interpreter all of its scripts' calls come from the same place: there the script's own place counts, too. */
static inline uint32_t emit_site(const struct shim_tls *t, uintptr_t pc, uintptr_t sp)
{
	const uint32_t site = emit_site_code(t, pc, sp);

	return unlikely(shim.script) ? script_site(site) : site;
}

static inline uint32_t emit_site_key(uint32_t site, uint32_t event)
{
	return site + (event << 1);
}

/* The first of the places where a thread remembers a call site. */
static inline struct shim_site *emit_site_entry(struct shim_tls *t, uint32_t key)
{
	return &t->local->sites[(key >> SHIM_SITES_SHIFT) * SHIM_SITE_WAYS]; /* the best mixed bits */
}

static inline bool shim_on(void)
{
	return atomic_load_explicit(atomic_load_explicit(&shim.on, memory_order_relaxed), memory_order_relaxed);
}

/* The same for a hook whose entry has asked already whether we are switched on (HOOK_FAST). */
__attribute__((always_inline)) static inline bool call_enter_on(struct call *c, enum wire_event event, int fd)
{
	struct shim_tls *t = shim_self();

	if (unlikely(!atomic_load_explicit(&t->local->alive, memory_order_relaxed)) && !call_enter_slow(t))
		return false;
	c->pc = (uintptr_t)__builtin_return_address(0);
	c->sp = (uintptr_t)__builtin_dwarf_cfa();
	c->event = (uint16_t)event;
	c->fd = fd;
	c->err = 0;
	c->flags = 0;
	c->a0 = 0;
	c->a1 = 0;
	c->site = 0;
	c->policy = WIRE_POLICY_SIZES;
	c->t0 = 0;
	return true;
}

/* True if this call is to be recorded. Everything else passes through. */
__attribute__((always_inline)) static inline bool call_enter(struct call *c, enum wire_event event, int fd)
{
	return shim_on() && call_enter_on(c, event, fd);
}

/* What to capture on fd: its policy byte, found out by one fstat at its first use. */
static inline uint8_t call_policy(struct call *c, bool socket_call)
{
	const int fd = c->fd;

	if (likely((uint32_t)fd < shim.policy_fds)) {
		c->policy = atomic_load_explicit(&shim.policy[fd], memory_order_relaxed);
		if (unlikely(c->policy == WIRE_POLICY_UNKNOWN || c->policy >= WIRE_POLICY_OPENED))
			c->policy = fd_classify(fd);
	} else {
		c->policy = socket_call && fd >= 0 ? shim.header->policy_socket : (uint8_t)WIRE_POLICY_SIZES;
	}
	return c->policy;
}

/* The last store, which shows the slot: event and descriptor in one. */
static inline void call_slot_show(struct wire_inflight *slot, uint32_t event, int fd)
{
	atomic_store_explicit((_Atomic uint64_t *)(void *)&slot->event, (uint64_t)(uint32_t)fd << 32 | event, memory_order_release);
}

/* The call may wait: show it in the in-flight slot, unless this is a signal handler on top of a call that waits already. */
__attribute__((always_inline)) static inline void call_waits(struct call *c, int64_t limit_ns)
{
	struct shim_tls *t = shim_self();
	struct wire_inflight *slot = &t->ring.thread->inflight;
	const uint8_t *next = wire_ring_unit(&t->ring, 0);

	c->t0 = shim_ticks();
	c->site = emit_site(t, c->pc, c->sp);
	if (unlikely(shim.script))
		emit_place(c);
	/* The agent's core has read these lines last: fetch them back while the kernel works. */
	cpu_prefetch_write(next);
	cpu_prefetch_write(next + WIRE_UNIT);

	if (unlikely(atomic_load_explicit(&t->waiting_sp, memory_order_relaxed) > c->sp))
		return;
	atomic_store_explicit(&t->waiting_sp, c->sp, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	slot->t0 = c->t0;
	slot->limit_ns = limit_ns;
	slot->site = c->site;
	call_slot_show(slot, c->event, c->fd);
}

__attribute__((always_inline)) static inline void call_begin(struct call *c)
{
	if (!c->t0)
		c->t0 = shim_ticks();
}

/* `failed`: errno belongs to this call. */
__attribute__((always_inline)) static inline void call_end(struct call *c, int64_t ret, bool failed)
{
	struct shim_tls *t = shim_self();

	c->t1 = shim_ticks();
	c->ret = ret;
	if (unlikely(failed))
		c->err = (uint16_t)errno;
	/* Ours if the in-flight slot was taken at this depth of the stack. */
	if (likely(atomic_load_explicit(&t->waiting_sp, memory_order_relaxed) == c->sp)) {
		atomic_store_explicit(&t->ring.thread->inflight.event, 0, memory_order_release);
		atomic_store_explicit(&t->waiting_sp, 0, memory_order_relaxed);
	}
}

/* With MSG_TRUNC a TCP socket throws bytes away: there may be no buffer (tcp(7)). Of a datagram it returns more than the buffer got. */
static inline bool call_drops(int flags)
{
	return (flags & MSG_TRUNC) != 0;
}

/* How many of `have` bytes a policy takes. */
static inline uint32_t call_want(uint8_t policy, uint64_t have)
{
	static const uint32_t limit[] = {
		[WIRE_POLICY_HEAD_256] = 256,    [WIRE_POLICY_HEAD_1K] = 1024,           [WIRE_POLICY_HEAD_4K] = 4096,
		[WIRE_POLICY_SINK] = UINT32_MAX, [WIRE_POLICY_HEAD_16K] = WIRE_DATA_MAX,
	};
	const uint32_t most = policy < sizeof(limit) / sizeof(limit[0]) ? limit[policy] : 0;

	return have < most ? (uint32_t)have : most;
}

/* -- definition of hooks -- */
/* The real function once the session is mapped: then all have been found. */
#define KNOWN(name) ((__typeof__(&hook_##name))shim.real[HOOK_##name])

/* A hook is called hook_x in C and x in the object: so that no attribute or macro of a header (nonnull, inline) touches it. */
#define HOOK_FN(type, name, ...) \
	__attribute__((visibility("default"))) type hook_##name(__VA_ARGS__) __asm__(#name); \
	type hook_##name(__VA_ARGS__)
/* Entry and body lie side by side: each page of code more is a miss more after a system call. */
#if defined(__clang__)
#define HOOK_PLACE __attribute__((section(".text.hot.hooks"), aligned(64)))
#else
#define HOOK_PLACE __attribute__((section(".text.hot.hooks"), aligned(64), no_reorder))
#endif
/* The same, for hooks that must cost nothing when switched off: an entry without a frame jumps on to the real function or to the body
 * that follows, which finds its caller's frame as if there had been no entry. */
#define HOOK_FAST(type, name, parameters, arguments) \
	HOOK_PLACE __attribute__((visibility("default"))) type hook_##name parameters __asm__(#name); \
	HOOK_PLACE __attribute__((noinline)) static type watched_##name parameters; \
	type hook_##name parameters \
	{ \
		if (likely(shim_on()) || unlikely(!KNOWN(name))) \
			return watched_##name arguments; \
		return KNOWN(name) arguments; \
	} \
	static type watched_##name parameters
#define HOOK_ALIAS(other, name) \
	__attribute__((visibility("default"), alias(#name))) __typeof__(hook_##name) hook_##other __asm__(#other)

static inline void *hook_real(enum hook_id id)
{
	void *const p = shim.real[id];

	return likely(p != NULL) ? p : resolve_one(id);
}
#define REAL(name) ((__typeof__(&hook_##name))hook_real(HOOK_##name))

#endif
