/*
 * The second way in: records of a source that has no ring of its own here, the probes in the kernel. They take the same way as others from the
 * reordering window on. Their times are CLOCK_MONOTONIC's. See ingest.h; on the thread that calls ingest_poll.
 */
#include <errno.h>

#include "ingest/internal.h"

void ingest_on_poll(struct ingest *in, void (*fn)(void *ctx, bool drain), void *ctx)
{
	for (size_t i = 0; i < INGEST_POLLS; i++) {
		if (fn != NULL ? in->on_poll[i].fn != NULL : in->on_poll[i].ctx != ctx)
			continue;
		in->on_poll[i].fn = fn;
		in->on_poll[i].ctx = ctx;
		break;
	}
}

void ingest_on_found(struct ingest *in, sample_found_fn fn, void *ctx)
{
	if (in->sampler != NULL)
		sampler_on_found(in->sampler, fn, ctx);
}

uint64_t ingest_wall_ns(const struct ingest *in)
{
	return in->clock.epoch_ns;
}

/* The process slot of a pid that was adopted; UINT32_MAX if it has none. */
static uint32_t slot_of(const struct ingest *in, uint32_t pid)
{
	for (uint32_t i = 0; i < in->shared->process_max; i++) {
		const struct wire_process *p = wire_process_at(in->shared, i);

		if (p->pid == pid && atomic_load_explicit(&p->state, memory_order_acquire) == WIRE_SLOT_LIVE &&
		    !(in->watched[i].known && in->watched[i].generation == p->generation && in->watched[i].gone))
			return i;
	}
	return UINT32_MAX;
}

int ingest_adopt(struct ingest *in, uint32_t pid)
{
	if (slot_of(in, pid) != UINT32_MAX)
		return 0;
	for (uint32_t i = 0; i < in->shared->process_max; i++) {
		struct wire_process *p = wire_process_at(in->shared, i);
		uint32_t free = WIRE_SLOT_FREE;

		if (!atomic_compare_exchange_strong(&p->state, &free, WIRE_SLOT_CLAIMED))
			continue;
		p->pid = pid;
		p->pid_ns = 0;
		p->parent = 0;
		p->generation++;
		atomic_store_explicit(&p->state, WIRE_SLOT_LIVE, memory_order_release);
		return 0;
	}
	return -ENOSPC;
}

static void hold(struct ingest *in, struct event *e, uint64_t t0, uint64_t t1, uint32_t site, const struct wire_stack *stack,
		 const uint8_t *stack_bytes)
{
	const bool first = e->id == WIRE_PROCESS_START || e->id == WIRE_FORK_CHILD;
	struct pending *p;

	e->t0 = in->clock.epoch_ns + t0;
	e->t1 = in->clock.epoch_ns + t1;
	p = pending_new(in->order, e, stack, stack_bytes);
	/* Calls of the service: not what the agent itself found out, nor the word before the records of a new call site. */
	in->pushed += e->id != CALLSITE_SEEN && e->id < WIRE_TICK && e->id != WIRE_OUTSTANDING && !(e->flags & WIRE_F_BEFORE);
	in->pace.samples += e->id == WIRE_ALLOC;
	in->pace.frees += e->id == WIRE_FREE;
	if (p != NULL) {
		p->source = in->shared->thread_max; /* behind all rings, before the agent's own */
		p->site = site;
		p->process = first ? slot_of(in, e->pid) : UINT32_MAX;
		if (first)
			watch_image(in, p->process, e->t1);
	}
	ingest_hold(in, p);
}

void ingest_push(struct ingest *in, uint32_t pid, uint32_t tid, const struct wire_record *r, const uint8_t *data)
{
	struct event e = {
		.ret = r->ret,
		.a0 = r->a0,
		.a1 = r->a1,
		.pid = pid,
		.tid = tid,
		.fd = r->fd,
		.id = r->event,
		.flags = r->flags,
		.err = r->err,
		.data_len = r->data_len,
		.data = data,
	};

	hold(in, &e, r->t0, r->t1, r->site, NULL, NULL);
}

void ingest_push_stack(struct ingest *in, uint32_t pid, const struct ingest_stack *s)
{
	struct event e = {
		.id = CALLSITE_SEEN,
		.pid = pid,
		.tid = pid,
		.fd = -1,
		.data = (const uint8_t *)s->pcs,
		.data_len = (uint32_t)(s->pcs_n * sizeof(*s->pcs)),
	};

	if (in->stacks)
		hold(in, &e, s->mono_ns, s->mono_ns, s->site, s->stack, s->bytes);
}

void ingest_push_lost(struct ingest *in, enum wire_loss cause, uint64_t more)
{
	atomic_fetch_add_explicit(&in->shared->lost[cause], more, memory_order_relaxed);
}
