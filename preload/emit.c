/*
 * Publishing: one record, with captured bytes and now and then a piece of stack, into the ring of the calling thread.
 *
 * Runs on any thread of the watched process, after the real call. `busy` guards it: a signal handler that nests here counts NESTED
 * and leaves. Nothing waits, allocates or calls the system; errno is not touched.
 */
#include <sys/uio.h>

#include "preload/call.h"

#define STALE_GUARD_BYTES (1U << 20)
#define MAIN_STACK_BYTES (8UL << 20)
#define THREAD_STACK_MAX (1UL << 20)
#define PAGE_BYTES 4096UL
#define SITE_GAP_MAX (1U << 30)

/* A guard whose frame lies below ours on the same stack belongs to a handler that left by longjmp: nobody holds it any more. */
static bool guard_take(struct shim_tls *t)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	const uintptr_t held = atomic_load_explicit(&t->busy, memory_order_relaxed);

	if (unlikely(held && !(here > held && here - held < STALE_GUARD_BYTES)))
		return false;
	atomic_store_explicit(&t->busy, here, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	return true;
}

static void guard_drop(struct shim_tls *t)
{
	t->last_room = t->ring.tail_seen + t->ring.mask + 1 - WIRE_UNIT;
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&t->busy, 0, memory_order_relaxed);
}

/* The site's entry, in the first place of its set, where hot.h looks. NULL: there is no room for it now. */
static struct shim_site *site_entry(struct shim_tls *t, uint32_t key)
{
	struct shim_site *const set = emit_site_entry(t, key);
	uint32_t i = 0;

	while (i < SHIM_SITE_WAYS && set[i].key && set[i].key != key)
		i++;
	if (i == SHIM_SITE_WAYS) {
		/* A full set gives way only now and then, so that many sites in turn do not send a stack with every record. */
		if (t->ring.thread->seq % 64)
			return NULL;
		set[--i].key = 0;
	}

	if (!set[i].key)
		set[i] = (struct shim_site){.key = key};
	if (i > 0) {
		const struct shim_site own = set[i];

		set[i] = set[0];
		set[0] = own;
	}
	return set;
}

/* Is it time to send the stack of this site? At the 1st, 2nd, 4th, 8th … passage. *ret_entry is what to set if it cannot be sent: the next
 * passage tries again. */
static bool site_due(struct shim_tls *t, uint32_t site, uint32_t event, struct shim_site **ret_entry)
{
	struct shim_site *const e = site_entry(t, emit_site_key(site, event));

	if (!e)
		return false;
	if (--e->left > 0)
		return false;
	e->gap = e->gap ? e->gap < SITE_GAP_MAX ? e->gap * 2 : e->gap : 1;
	e->left = (int32_t)e->gap;
	*ret_entry = e;
	return true;
}

/* How many bytes of stack above sp can be read without a fault. */
static uint32_t stack_bytes(const struct shim_tls *t, uintptr_t sp)
{
	const uintptr_t tp = cpu_thread_pointer();
	uintptr_t end = (sp & ~(PAGE_BYTES - 1)) + PAGE_BYTES;
	size_t least = atomic_load_explicit(&shim.stack_min, memory_order_relaxed);

	if (t->main_thread) {
		if (sp < shim.stack_end && shim.stack_end - sp < MAIN_STACK_BYTES)
			end = shim.stack_end;
	} else {
		/* Only the upper half of the smallest stack: a coroutine's stack may lie right below the thread's own. */
		if (least > THREAD_STACK_MAX)
			least = THREAD_STACK_MAX;
		if (tp > sp && tp - sp < least / 2)
			end = tp;
	}
	return end - sp > WIRE_STACK_BYTES ? WIRE_STACK_BYTES : (uint32_t)(end - sp);
}

static void count_full(struct shim_tls *t)
{
	const struct wire_header *h = shim.header;
	const uint64_t beat = atomic_load_explicit(&h->heartbeat, memory_order_relaxed);

	atomic_fetch_add_explicit(&t->ring.thread->lost[WIRE_LOSS_RING_FULL], 1, memory_order_relaxed);
	/* Nobody has emptied the ring for long: the agent is dead. Leave the service alone from now on. */
	if (h->stale_ticks && shim_ticks() - beat > h->stale_ticks && shim_ticks() > beat)
		session_off();
}

static void fill_head(struct shim_tls *t, const struct call *c, uint32_t units, uint32_t len, uint32_t site, uint16_t flags)
{
	struct wire_record *r = (struct wire_record *)(void *)wire_ring_unit(&t->ring, 0);

	r->event = c->event;
	r->units = (uint16_t)units;
	r->seq = t->ring.thread->seq;
	r->t0 = c->t0;
	r->t1 = c->t1;
	r->ret = c->ret;
	r->fd = c->fd;
	r->err = c->err;
	r->flags = flags;
	r->a0 = c->a0;
	r->a1 = c->a1;
	r->data_len = len;
	r->site = site;
}

static void put_zero(struct shim_tls *t, uint64_t at)
{
	static const uint8_t zero[WIRE_UNIT];

	if (at % WIRE_UNIT)
		wire_ring_put(&t->ring, at, zero, WIRE_UNIT - at % WIRE_UNIT);
}

uint32_t emit_copy(const struct shim_tls *t, uint64_t at, uintptr_t from_address, uint32_t len)
{
	const uint64_t pos = (atomic_load_explicit(&t->ring.thread->head, memory_order_relaxed) + at) & t->ring.mask;
	const uint64_t first = t->ring.mask + 1 - pos < len ? t->ring.mask + 1 - pos : len;
	const struct iovec to[2] = {{t->ring.bytes + pos, first}, {t->ring.bytes, len - first}};
	const struct iovec from = {(void *)from_address, len};
	long n;

	if (atomic_load_explicit(&shim.quiet, memory_order_relaxed))
		return 0;
	n = cpu_syscall(SYS_process_vm_readv, shim.pid, (long)to, 2, (long)&from, 1, 0);
	return n > 0 ? (uint32_t)n : 0;
}

/* Where the thread's script is, behind `at`. Returns how many bytes that took. */
__attribute__((noinline)) static uint32_t put_script(struct shim_tls *t, uint64_t at)
{
	struct wire_script_frame frames[WIRE_SCRIPT_FRAMES];
	const struct wire_script head = {.version = shim.script, .frames = script_frames(frames, WIRE_SCRIPT_FRAMES)};

	if (!head.frames)
		return 0;
	wire_ring_put(&t->ring, at, &head, sizeof(head));
	wire_ring_put(&t->ring, at + sizeof(head), frames, head.frames * (uint32_t)sizeof(frames[0]));

	const uint32_t bytes = (uint32_t)(sizeof(head) + head.frames * sizeof(frames[0]));

	/* Names are left for a later stack before they crowd out records. */
	if (!wire_ring_room(&t->ring, at + bytes + WIRE_SCRIPT_NAME_BYTES + WIRE_UNIT + t->ring.mask / 2))
		return bytes;
	return bytes + script_names(t, at + bytes, frames, head.frames);
}

/* The registers of this frame and the bytes above it, behind `at`. The agent unwinds from here through the hook to its caller. */
__attribute__((noinline)) static uint32_t put_stack(struct shim_tls *t, uint64_t at)
{
	struct wire_stack s;
	uintptr_t sp;

	cpu_registers(s.regs);
	sp = cpu_registers_sp(s.regs);
	s.bytes_len = stack_bytes(t, sp);
	s.script_len = 0;
	/* Threads of a process that we joined late have stacks that we know nothing of. */
	if (unlikely(shim.injected))
		s.bytes_len = emit_copy(t, at + sizeof(s), sp, s.bytes_len);
	else
		wire_ring_put(&t->ring, at + sizeof(s), (const void *)sp, s.bytes_len);
	if (unlikely(shim.script))
		s.script_len = put_script(t, at + sizeof(s) + s.bytes_len);
	wire_ring_put(&t->ring, at, &s, sizeof(s));
	put_zero(t, at + sizeof(s) + s.bytes_len + s.script_len);
	return (uint32_t)sizeof(s) + s.bytes_len + s.script_len;
}

/* Room for a stack is there if the ring stays half empty behind it: stacks never crowd out records. Without its stack the sample of an allocation
 * says little, and its thread samples less as its ring fills: a quarter is enough. */
static bool room_for_stack(struct shim_tls *t, uint64_t bytes, bool sample)
{
	const uint64_t rest = sample ? t->ring.mask / 4 : t->ring.mask / 2;
	const uint64_t with = bytes + sizeof(struct wire_stack) + WIRE_STACK_BYTES + WIRE_SCRIPT_FRAME_BYTES + WIRE_UNIT;

	return with < t->ring.mask / 2 && wire_ring_room(&t->ring, with + rest);
}

/* Which site, and is a stack to be sent with it? */
static uint32_t note_site(struct shim_tls *t, const struct call *c, bool *ret_stack, struct shim_site **ret_entry)
{
	uint32_t site;

	*ret_stack = false;
	if (unlikely(!c->pc))
		return 0;
	site = c->site ? c->site : emit_site(t, c->pc, c->sp);
	/* Samples of allocations stand for many, and a function that all of them go through would make them one site. */
	*ret_stack = site_due(t, site, c->event, ret_entry) || c->t1 - c->t0 > t->slow_ticks || c->event == WIRE_ALLOC;
	if (!atomic_load_explicit(&shim.header->stacks, memory_order_relaxed))
		*ret_stack = false;
	/* The script's frames went with the interpreter while this call was under way: a stack without them would be another place. */
	if (unlikely(shim.script) && c->site && *ret_stack && script_is_over())
		*ret_stack = false;
	return site;
}

/* Of a call that moved more than a record holds, its end as well? Its pieces hold all that it moved. */
static bool has_tail(const struct call *c, uint32_t len)
{
	return c->policy == WIRE_POLICY_HEAD_16K && len == WIRE_DATA_MAX && (c->event == WIRE_READ || c->event == WIRE_WRITE) &&
	       c->ret > (int64_t)len && (uint64_t)c->ret <= c->a0;
}

/* `len` bytes from `skip` on of what the pieces hold. */
static void put_pieces(struct shim_tls *t, uint64_t at, const struct iovec *iov, size_t count, uint64_t skip, uint32_t len)
{
	for (; len && count; iov++, count--) {
		const size_t from = skip < iov->iov_len ? (size_t)skip : iov->iov_len;
		const size_t have = iov->iov_len - from;
		const uint32_t piece = have < len ? (uint32_t)have : len;

		wire_ring_put(&t->ring, at, (const uint8_t *)iov->iov_base + from, piece);
		at += piece;
		len -= piece;
		skip -= from;
	}
}

/* The general way: several pieces, wrapping, a stack, a full ring. */
__attribute__((noinline)) static void publish(struct shim_tls *t, const struct call *c, const struct iovec *iov, size_t count,
					      uint32_t len, uint32_t wanted, uint32_t site, bool stack, struct shim_site *entry)
{
	uint16_t flags = c->flags;
	uint32_t first;
	uint64_t bytes;

	if (unlikely(len > WIRE_DATA_MAX))
		len = WIRE_DATA_MAX;
	if (unlikely(len > t->ring.mask / 4))
		len = (uint32_t)(t->ring.mask / 4);
	bytes = (uint64_t)WIRE_UNIT * wire_units(len, 0);
	if (unlikely(stack && !room_for_stack(t, bytes, c->event == WIRE_ALLOC))) {
		stack = false;
		if (c->event == WIRE_ALLOC)
			site = 0; /* it would be told of another place */
		if (entry)
			entry->left = 1;
	}
	if (unlikely(!wire_ring_room(&t->ring, bytes))) {
		count_full(t);
		t->ring.thread->seq++;
		return;
	}
	if (unlikely(len < wanted)) {
		flags |= WIRE_F_TRUNCATED;
		t->ring.thread->truncated_bytes += wanted - len;
	}
	first = len;
	if (unlikely(has_tail(c, len))) {
		flags |= WIRE_F_TAIL;
		first -= WIRE_TAIL_BYTES;
		put_pieces(t, WIRE_UNIT + first, iov, count, (uint64_t)c->ret - WIRE_TAIL_BYTES, WIRE_TAIL_BYTES);
	}
	put_pieces(t, WIRE_UNIT, iov, count, 0, first);
	put_zero(t, WIRE_UNIT + len);
	if (unlikely(stack)) {
		const uint32_t stack_len = put_stack(t, bytes);

		flags |= WIRE_F_STACK;
		bytes = (uint64_t)WIRE_UNIT * wire_units(len, stack_len);
	}
	fill_head(t, c, (uint32_t)(bytes / WIRE_UNIT), len, site, flags);
	t->ring.thread->seq++;
	wire_ring_publish(&t->ring, bytes);
}

/* The common way: the record lies in the ring in one piece. Its head is filled; NULL: it must go the general way. */
static inline struct wire_record *record_begin(struct shim_tls *t, const struct call *c, uint32_t len, uint32_t site)
{
	struct wire_thread *const slot = t->ring.thread;
	const uint64_t head = atomic_load_explicit(&slot->head, memory_order_relaxed);
	const uint64_t pos = head & t->ring.mask;
	const uint64_t bytes = (uint64_t)WIRE_UNIT * wire_units(len, 0);
	struct wire_record *const r = (struct wire_record *)(void *)(t->ring.bytes + pos);

	if (unlikely(len > 4096 || pos + bytes > t->ring.mask + 1 || head + bytes - t->ring.tail_seen > t->ring.mask + 1))
		return NULL;
	r->event = c->event;
	r->units = (uint16_t)(bytes / WIRE_UNIT);
	r->seq = slot->seq++;
	r->t0 = c->t0;
	r->t1 = c->t1;
	r->ret = c->ret;
	r->fd = c->fd;
	r->err = c->err;
	r->flags = c->flags;
	r->a0 = c->a0;
	r->a1 = c->a1;
	r->data_len = len;
	r->site = site;
	return r;
}

static inline bool publish_fast(struct shim_tls *t, const struct call *c, const void *data, uint32_t len, uint32_t site)
{
	struct wire_record *const r = record_begin(t, c, len, site);
	uint8_t *to = (uint8_t *)r;
	const uint8_t *from = data;

	if (unlikely(!r))
		return false;
	/* Whole units are copied inline: most records have none or one. */
	while (len >= WIRE_UNIT) {
		to += WIRE_UNIT;
		memcpy(to, from, WIRE_UNIT);
		from += WIRE_UNIT;
		len -= WIRE_UNIT;
	}
	if (len) {
		to += WIRE_UNIT;
		memset(to, 0, WIRE_UNIT);
		memcpy(to, from, len);
	}
	wire_ring_publish(&t->ring, (uint64_t)WIRE_UNIT * r->units);
	return true;
}

/* The same from several pieces, which hold `len` bytes or more. */
static bool publish_pieces(struct shim_tls *t, const struct call *c, const struct iovec *iov, size_t count, uint32_t len,
			   uint32_t site)
{
	struct wire_record *const r = record_begin(t, c, len, site);
	uint8_t *to = (uint8_t *)(r + 1);

	if (unlikely(!r))
		return false;
	/* The last unit is zero where no byte comes to lie. */
	if (len)
		memset((uint8_t *)r + ((uint64_t)r->units - 1) * WIRE_UNIT, 0, WIRE_UNIT);
	for (; len && count; iov++, count--) {
		const uint32_t piece = iov->iov_len < len ? (uint32_t)iov->iov_len : len;

		memcpy(to, iov->iov_base, piece);
		to += piece;
		len -= piece;
	}
	wire_ring_publish(&t->ring, (uint64_t)WIRE_UNIT * r->units);
	return true;
}

/* May this thread write its ring now? Otherwise the loss is counted. */
static inline bool emit_begin(struct shim_tls *t)
{
	if (unlikely(!atomic_load_explicit(&t->local->alive, memory_order_relaxed)) && !call_enter_slow(t))
		return false;
	if (unlikely(!guard_take(t))) {
		atomic_fetch_add_explicit(&t->ring.thread->lost[WIRE_LOSS_NESTED], 1, memory_order_relaxed);
		return false;
	}
	return true;
}

void emit(struct call *c, const void *data, uint32_t len, uint32_t wanted)
{
	struct shim_tls *t = shim_self();
	struct shim_site *entry = NULL;
	uint32_t site;
	bool stack;

	if (!emit_begin(t))
		return;
	site = note_site(t, c, &stack, &entry);
	if (unlikely(stack || wanted > len || !publish_fast(t, c, data, len, site))) {
		/* The buffer holds all that the call moved. */
		const struct iovec one = {.iov_base = (void *)(uintptr_t)data, .iov_len = has_tail(c, len) ? (size_t)c->ret : len};

		publish(t, c, &one, 1, len, wanted, site, stack, entry);
	}
	guard_drop(t);
}

void emit_vector(struct call *c, const struct iovec *iov, size_t count, uint64_t want)
{
	const uint32_t wanted = want > UINT32_MAX ? UINT32_MAX : (uint32_t)want;
	struct shim_tls *t = shim_self();
	struct shim_site *entry = NULL;
	uint32_t site;
	bool stack;

	c->flags |= WIRE_F_VECTOR;
	if (!emit_begin(t))
		return;
	site = note_site(t, c, &stack, &entry);
	if (unlikely(stack || !publish_pieces(t, c, iov, count, wanted, site)))
		publish(t, c, iov, count, wanted, wanted, site, stack, entry);
	guard_drop(t);
}

void emit_place(const struct call *c)
{
	struct shim_tls *t = shim_self();
	const uint32_t key = emit_site_key(c->site, c->event);
	struct call place = {.t0 = c->t0,
			     .t1 = c->t0,
			     .a0 = c->event,
			     .site = c->site,
			     .pc = c->pc,
			     .sp = c->sp,
			     .fd = c->fd,
			     .event = WIRE_SITE};
	struct shim_site *entry;

	if (!emit_begin(t))
		return;
	entry = site_entry(t, key);
	/* A new entry has no gap yet. */
	if (entry && !entry->gap && atomic_load_explicit(&shim.header->stacks, memory_order_relaxed)) {
		entry->gap = 1;
		entry->left = 2;
		publish(t, &place, NULL, 0, 0, 0, c->site, true, entry);
	}
	guard_drop(t);
}
