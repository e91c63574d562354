/*
 * Thread slots: reads their rings, places losses by gaps in the sequence, and gives slots of dead threads back. See internal.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ingest/internal.h"
#include "ingest/trim.h"
#include "wire/ring.h"

#define SECOND_NS 1000000000ULL
#define FUTURE_NS 1000000000ULL /* a record this far ahead of now has a broken time */

static uint64_t peek(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

void slots_lost(struct ingest *in, uint32_t pid, uint32_t tid, uint64_t t1, unsigned int cause, uint64_t more, uint32_t source)
{
	const struct event e = {.id = WIRE_LOSS, .t0 = t1, .t1 = t1, .pid = pid, .tid = tid, .fd = -1, .a0 = cause, .a1 = more};
	struct pending *p = pending_new(in->order, &e, NULL, NULL);

	if (p != NULL)
		p->source = source;
	ingest_hold(in, p);
}

/* Tell up to `most` losses of a slot that were not told yet, by cause. Returns how many were told. */
static uint64_t tell(struct ingest *in, uint32_t i, uint64_t t1, uint64_t most)
{
	const struct wire_thread *t = wire_thread_at(in->shared, i);
	struct slot *s = &in->slots[i];
	uint64_t told = 0;

	for (unsigned int cause = 0; cause < WIRE_LOSS_CAUSES; cause++) {
		const uint64_t total = atomic_load_explicit(&t->lost[cause], memory_order_relaxed);
		uint64_t more = total > s->told[cause] ? total - s->told[cause] : 0;

		if (more > most - told)
			more = most - told;
		if (more == 0 || loss_is_none(cause))
			continue;
		s->told[cause] += more;
		told += more;
		slots_lost(in, s->pid, s->tid, t1, cause, more, i);
	}
	return told;
}

/* Times of a record in ns: not after now, not before the slot's last one, t0 not after t1. */
static void set_times(const struct ingest *in, struct slot *s, const struct wire_record *r, struct event *e)
{
	uint64_t t1 = clock_ns(&in->clock, r->t1);

	if (t1 > in->now_ns + FUTURE_NS)
		t1 = in->now_ns;
	if (t1 < s->last_t1)
		t1 = s->last_t1;
	s->last_t1 = t1;
	e->t1 = t1;
	e->t0 = clock_ns(&in->clock, r->t0);
	if (e->t0 > t1)
		e->t0 = t1;
}

/* The pid namespace of who has the slot: 0 if it is the agent's. */
static uint32_t namespace_of(const struct ingest *in, const struct wire_thread *t)
{
	return t->process < in->shared->process_max ? wire_process_at(in->shared, t->process)->pid_ns : 0;
}

static bool speaks_of_pids(uint16_t id)
{
	return id == WIRE_FORK || id == WIRE_SPAWN || id == WIRE_WAITPID || id == WIRE_PROCESS_START || id == WIRE_FORK_CHILD;
}

/* Pids that the call was given or returned, of a process that counts them in its own way. */
static void name_others(const struct ingest *in, const struct wire_thread *t, struct event *e)
{
	const uint32_t ns = namespace_of(in, t);

	if (!ns)
		return;
	if ((e->id == WIRE_FORK || e->id == WIRE_SPAWN || e->id == WIRE_WAITPID) && e->ret > 0)
		e->ret = pids_outside(in->pids, ns, (uint32_t)e->ret, t->pid, false, in->now_ns);
	if ((e->id == WIRE_PROCESS_START || e->id == WIRE_FORK_CHILD) && e->a0)
		e->a0 = pids_outside(in->pids, ns, (uint32_t)e->a0, 0, false, in->now_ns);
}

/* Whose slot is it? */
static void meet(struct ingest *in, struct slot *s, const struct wire_thread *t)
{
	s->known = true;
	s->generation = t->generation;
	s->seq_known = false;
	s->last_t1 = 0;
	s->pid = namespace_of(in, t) ? watch_pid(in, t->process) : t->pid;
	s->tid = t->tid == t->pid ? s->pid : t->tid;
}

/* A call that thread i has begun and not ended, if it is a second old by `now_ns`; asleep: a sleep with a limit, however old. */
static void tell_inflight(struct ingest *in, uint32_t i, uint64_t now_ns, bool asleep)
{
	struct wire_thread *t = wire_thread_at(in->shared, i);
	const struct wire_inflight *f = &t->inflight;
	const struct slot *s = &in->slots[i];
	struct event e = {.id = WIRE_INFLIGHT, .t1 = now_ns, .pid = s->pid, .tid = s->tid};

	if (atomic_load_explicit(&t->state, memory_order_acquire) != WIRE_SLOT_LIVE || !s->known || s->generation != t->generation)
		return;
	e.a0 = atomic_load_explicit(&f->event, memory_order_acquire);
	if (e.a0 == 0 || (asleep && e.a0 != WIRE_COND_WAIT && e.a0 != WIRE_SLEEP))
		return;

	const uint64_t ticks = peek(&f->t0);
	const uint32_t site = __atomic_load_n(&f->site, __ATOMIC_RELAXED);

	e.fd = __atomic_load_n(&f->fd, __ATOMIC_RELAXED);
	e.a1 = (uint64_t)__atomic_load_n(&f->limit_ns, __ATOMIC_RELAXED);
	atomic_thread_fence(memory_order_acquire);
	/* Still the same call? Else what was read may be half of each. */
	if (atomic_load_explicit(&f->event, memory_order_relaxed) != e.a0 || peek(&f->t0) != ticks)
		return;
	e.t0 = clock_ns(&in->clock, ticks);
	if (asleep ? e.t0 > now_ns || (int64_t)e.a1 <= 0 : e.t0 + SECOND_NS > now_ns)
		return;

	struct pending *p = pending_new(in->order, &e, NULL, NULL);

	if (p != NULL) {
		p->site = site;
		p->process = t->process;
	}
	ingest_hold(in, p);
}

/* A process exits: who sleeps beside that may have been a watchdog, and will never tell. */
static void tell_sleepers(struct ingest *in, uint32_t process, uint64_t now_ns)
{
	for (uint32_t i = 0; i < in->threads_high; i++) {
		if (wire_thread_at(in->shared, i)->process == process)
			tell_inflight(in, i, now_ns, true);
	}
}

static bool has_stack(const struct wire_record *r)
{
	return (r->flags & WIRE_F_STACK) != 0;
}

/* A record without a stack: what lies at `at` behind it goes from the ring to where it waits, in one step. */
static struct pending *straight(struct ingest *in, uint32_t i, const struct event *e, uint64_t at)
{
	uint8_t *room;
	struct pending *p = pending_room(in->order, e, &room);

	if (room != NULL)
		wire_ring_get(wire_thread_at(in->shared, i), wire_ring_at(in->shared, i), in->shared->ring_bytes - 1, at, room,
			      e->data_len);
	return p;
}

/* A record was read. Its bytes lie at `at` in the ring; those of one with a stack are in d, too. */
static void take(struct ingest *in, uint32_t i, const struct decoded *d, uint64_t at)
{
	const struct wire_thread *t = wire_thread_at(in->shared, i);
	const struct wire_record *r = &d->record;
	struct slot *s = &in->slots[i];
	struct event e = {
		.ret = r->ret,
		.a0 = r->a0,
		.a1 = r->a1,
		.pid = s->pid,
		.tid = s->tid,
		.fd = r->fd,
		.id = r->event,
		.flags = r->flags,
		.err = r->err,
		.data_len = r->data_len,
		.data = d->data,
	};
	struct pending *p;

	set_times(in, s, r, &e);
	if (speaks_of_pids(e.id))
		name_others(in, t, &e);
	if (e.id == WIRE_PROCESS_START || e.id == WIRE_FORK_CHILD)
		watch_image(in, t->process, e.t1);
	if (e.id == WIRE_PROCESS_EXIT)
		tell_sleepers(in, t->process, e.t1);
	if (s->seq_known && r->seq != s->next_seq)
		tell(in, i, e.t1, r->seq - s->next_seq);
	s->next_seq = r->seq + 1;
	s->seq_known = true;
	s->read++;
	in->news |= d->stack_bytes != NULL || e.id == WIRE_PROCESS_START || e.id == WIRE_FORK_CHILD;
	in->pace.samples += e.id == WIRE_ALLOC;
	in->pace.frees += e.id == WIRE_FREE;
	if (has_stack(r))
		p = pending_new(in->order, &e, d->stack_bytes != NULL && in->stacks ? &d->stack : NULL,
				in->stacks ? d->stack_bytes : NULL);
	else
		p = straight(in, i, &e, at);
	if (p != NULL) {
		p->source = i;
		p->process = t->process;
		p->site = r->site;
	}
	ingest_hold(in, p);
}

/* Nothing in the ring can be trusted: skip to the head. How many records that were shows when the ring is seen empty. */
static void skip(struct ingest *in, uint32_t i, struct wire_thread *t)
{
	struct slot *s = &in->slots[i];
	const uint64_t published = peek(&t->published);
	const uint64_t before = s->corrupt;

	s->corrupt = published > s->read ? published - s->read : s->corrupt + 1;
	if (s->corrupt <= before)
		s->corrupt = before + 1;
	s->seq_known = false;
	slots_lost(in, s->pid, s->tid, s->last_t1 != 0 ? s->last_t1 : in->now_ns, WIRE_LOSS_CORRUPT, s->corrupt - before, i);
	trim_skip(in, i);
}

static size_t read_ring(struct ingest *in, uint32_t i)
{
	struct wire_thread *t = wire_thread_at(in->shared, i);
	const uint8_t *ring = wire_ring_at(in->shared, i);
	const uint64_t size = in->shared->ring_bytes;
	const uint64_t held = trim_held(in, i);
	uint64_t ready = wire_ring_ready(t);
	size_t n = 0;

	/* What was read and is not given back yet lies in front of it; a head that says otherwise is no head. */
	ready = ready >= held && ready <= size ? ready - held : UINT64_MAX;
	if (ready > in->fullest)
		in->fullest = ready;
	while (ready > 0) {
		const uint64_t at = trim_held(in, i);
		struct decoded d;
		int length = -EBADMSG;

		/* Its first unit says how long it is; nothing is read twice, since the producer could change it in between. */
		if (ready <= size && ready % WIRE_UNIT == 0) {
			wire_ring_get_unit(t, ring, size - 1, at, &d.record);
			length = decode_length(&d.record, ready);
		}
		if (length > (int)WIRE_UNIT && has_stack(&d.record)) {
			if ((size_t)length > in->scratch_used)
				in->scratch_used = (size_t)length;
			wire_ring_get(t, ring, size - 1, at + WIRE_UNIT, in->scratch, (uint64_t)length - WIRE_UNIT);
		}
		if (length > 0)
			length = decode_rest(in->scratch, length, &d);
		if (length <= 0) {
			skip(in, i, t);
			break;
		}
		take(in, i, &d, at + WIRE_UNIT);
		trim_read(in, i, (uint64_t)length, d.record.units > 1);
		ready -= (uint64_t)length;
		n++;
	}
	trim_end(in, i);
	return n;
}

/* Slots from here on are free: so many claims reach no further, each begins at its number and may have to pass those of all others. */
static uint32_t claimed_high(const struct ingest *in)
{
	const uint64_t claims = atomic_load_explicit(&in->shared->claim_hint, memory_order_acquire);

	return claims < in->shared->thread_max / 2 ? (uint32_t)claims * 2 : in->shared->thread_max;
}

size_t slots_read(struct ingest *in)
{
	const uint32_t claimed = claimed_high(in);
	const uint32_t high = claimed > in->threads_high ? claimed : in->threads_high;
	size_t n = 0;

	in->fullest = 0;
	for (uint32_t i = 0; i < high; i++) {
		struct wire_thread *t = wire_thread_at(in->shared, i);
		const uint32_t state = atomic_load_explicit(&t->state, memory_order_acquire);
		struct slot *s = &in->slots[i];

		if (state != WIRE_SLOT_LIVE && state != WIRE_SLOT_DRAIN)
			continue;
		if (i >= in->threads_high)
			in->threads_high = i + 1;
		if (!s->known || s->generation != t->generation)
			meet(in, s, t);
		n += read_ring(in, i);
	}
	explicit_bzero(in->scratch, in->scratch_used);
	in->scratch_used = 0;
	return n;
}

uint64_t slots_sending_since(const struct ingest *in, uint64_t not_before_ns)
{
	uint64_t since = UINT64_MAX;

	for (uint32_t i = 0; i < in->threads_high; i++) {
		const struct wire_thread *t = wire_thread_at(in->shared, i);
		const uint32_t event = atomic_load_explicit(&t->inflight.event, memory_order_acquire);

		if ((event != WIRE_WRITE && event != WIRE_SENDMMSG) ||
		    atomic_load_explicit(&t->state, memory_order_relaxed) != WIRE_SLOT_LIVE)
			continue;

		const uint64_t t0 = clock_ns(&in->clock, peek(&t->inflight.t0));

		if (t0 >= not_before_ns && t0 < since)
			since = t0;
	}
	return since;
}

bool slots_pressed(const struct ingest *in)
{
	for (uint32_t i = 0; i < in->threads_high; i++) {
		if (wire_ring_ready(wire_thread_at(in->shared, i)) >= in->shared->ring_bytes / 2)
			return true;
	}
	return false;
}

void slots_tell_losses(struct ingest *in)
{
	for (uint32_t i = 0; i < in->threads_high; i++)
		tell(in, i, in->now_ns, UINT64_MAX);
}

bool ingest_in_flight(const struct ingest *in, uint32_t pid, uint32_t tid)
{
	for (uint32_t i = 0; i < in->shared->thread_max; i++) {
		const struct wire_thread *t = wire_thread_at(in->shared, i);
		const struct slot *s = &in->slots[i];
		const bool known = s->known && s->generation == t->generation;

		if (atomic_load_explicit(&t->state, memory_order_acquire) == WIRE_SLOT_LIVE && (known ? s->pid : t->pid) == pid &&
		    (known ? s->tid : t->tid) == tid)
			return atomic_load_explicit(&t->inflight.event, memory_order_acquire) != 0;
	}
	return false;
}

void slots_tell_inflight(struct ingest *in)
{
	for (uint32_t i = 0; i < in->threads_high; i++)
		tell_inflight(in, i, in->now_ns, false);
}

/* Is this thread of a living process gone without saying so (a raw exit system call)? */
static bool thread_gone(const struct ingest *in, const struct wire_thread *t)
{
	if (namespace_of(in, t))
		return false; /* its number is another one out here; it goes when its process does */
	return t->pid != 0 && t->tid != 0 && syscall(SYS_tgkill, (pid_t)t->pid, (pid_t)t->tid, 0) < 0 && errno == ESRCH;
}

void slots_reap(struct ingest *in, bool look)
{
	for (uint32_t i = 0; i < in->threads_high; i++) {
		struct wire_thread *t = wire_thread_at(in->shared, i);
		uint32_t state = atomic_load_explicit(&t->state, memory_order_acquire);

		if (look && state == WIRE_SLOT_LIVE && thread_gone(in, t)) {
			atomic_store(&t->state, WIRE_SLOT_DRAIN);
			continue; /* read once more before it is freed */
		}
		if (state != WIRE_SLOT_DRAIN || wire_ring_ready(t) != trim_held(in, i))
			continue;
		tell(in, i, in->now_ns, UINT64_MAX);
		atomic_store_explicit(&t->inflight.event, 0, memory_order_relaxed);
		in->slots[i].known = false;
		trim_free(in, i);
		atomic_store_explicit(&t->state, WIRE_SLOT_FREE, memory_order_release);
	}
}

void slots_abandon(struct ingest *in, uint32_t process)
{
	for (uint32_t i = 0; i < in->shared->thread_max; i++) {
		struct wire_thread *t = wire_thread_at(in->shared, i);
		const uint32_t state = atomic_load_explicit(&t->state, memory_order_acquire);

		if (t->process == process && (state == WIRE_SLOT_LIVE ||
					      (state == WIRE_SLOT_CLAIMED && t->pid == wire_process_at(in->shared, process)->pid)))
			atomic_store(&t->state, WIRE_SLOT_DRAIN);
	}
}

bool slots_in_use(const struct ingest *in, uint32_t process)
{
	for (uint32_t i = 0; i < in->shared->thread_max; i++) {
		const struct wire_thread *t = wire_thread_at(in->shared, i);

		if (t->process == process && atomic_load_explicit(&t->state, memory_order_acquire) != WIRE_SLOT_FREE)
			return true;
	}
	return false;
}

void slots_count(struct ingest *in)
{
	struct counters *c = in->counters;

	c->published = in->pushed;
	c->truncated_bytes = 0;
	memset(c->lost, 0, sizeof(c->lost));
	for (uint32_t i = 0; i < in->threads_high; i++) {
		const struct wire_thread *t = wire_thread_at(in->shared, i);

		c->published += in->slots[i].read;
		c->truncated_bytes += peek(&t->truncated_bytes);
		c->lost[WIRE_LOSS_CORRUPT] += in->slots[i].corrupt;
		for (unsigned int cause = 0; cause < WIRE_LOSS_CAUSES; cause++)
			c->lost[cause] += atomic_load_explicit(&t->lost[cause], memory_order_relaxed);
	}
	for (uint32_t i = 0; i < in->processes_high; i++) {
		const struct wire_process *p = wire_process_at(in->shared, i);

		for (unsigned int cause = 0; cause < WIRE_LOSS_CAUSES; cause++)
			c->lost[cause] += atomic_load_explicit(&p->lost[cause], memory_order_relaxed);
	}
	for (unsigned int cause = 0; cause < WIRE_LOSS_CAUSES; cause++)
		c->lost[cause] += atomic_load_explicit(&in->shared->lost[cause], memory_order_relaxed);
}
