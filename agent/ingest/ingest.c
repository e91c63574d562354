/*
 * The poll: read the rings → put in order → name call sites → redact → hand on. See ingest.h for who calls it, internal.h for the parts.
 */
#include "ingest/ingest.h"

#include <errno.h>
#include <stdlib.h>

#include "core/limits.h"
#include "ingest/internal.h"

#define SECOND_NS 1000000000ULL
#define WINDOW_NS 2000000ULL /* a record is visible this long after its t1, unless its thread was held up in between */
#define HOLD_NS 200000000ULL /* a send under way holds back what came after it, so long: its answer may be among that */
#define HOLD_EVENTS 8192U    /* … unless so many wait */
#define CHECK_NS 250000000ULL
#define BEAT_EVENTS 256U         /* handed on between two beats of the heart */
#define LOOK_EVENTS 32U          /* handed on between two looks at the clock */
#define SLOW_STACK_NS 2000000ULL /* naming a stack that took longer: read the rings before going on */

int ingest_new(const struct ingest_options *o, struct stacks *stacks, struct counters *counters, struct ingest **ret)
{
	struct ingest *in = calloc(1, sizeof(*in));
	int r = -ENOMEM;

	if (in == NULL)
		return -ENOMEM;
	in->memory.fd = -1;
	in->counters = counters;
	in->stacks = o->stacks;
	in->pace = (struct alloc_pace){.first = o->alloc_first, .most = o->alloc_mean};
	clock_start(&in->clock);
	in->now_ns = in->clock.start_ns;
	in->next_tick_ns = in->clock.start_ns + SECOND_NS;
	r = memory_make(o, &in->clock, &in->memory);
	if (r < 0)
		goto fail;
	in->shared = in->memory.header;
	in->slow_ticks = clock_ticks_of(&in->clock, SLOW_STACK_NS);
	r = -ENOMEM;
	in->order = order_new();
	in->callsites = callsites_new(stacks, counters);
	in->redact = redact_new(counters, o->scan_percent);
	in->pids = pids_new();
	in->slots = calloc(in->shared->thread_max, sizeof(*in->slots));
	in->watched = calloc(in->shared->process_max, sizeof(*in->watched));
	in->scratch = malloc(decode_max_bytes());
	in->sampled = calloc(in->shared->process_max, sizeof(*in->sampled));
	if (in->order == NULL || in->callsites == NULL || in->redact == NULL || in->pids == NULL || in->slots == NULL ||
	    in->watched == NULL || in->scratch == NULL || in->sampled == NULL || (o->samples && sampler_new("", &in->sampler) < 0))
		goto fail;
	*ret = in;
	return 0;
fail:
	ingest_free(in);
	return r;
}

void ingest_free(struct ingest *in)
{
	if (in == NULL)
		return;
	if (in->shared != NULL)
		ingest_disable(in);
	order_free(in->order);
	callsites_free(in->callsites);
	redact_free(in->redact);
	pids_free(in->pids);
	free(in->slots);
	free(in->watched);
	free(in->scratch);
	free(in->sampled);
	sampler_free(in->sampler);
	memory_done(&in->memory);
	free(in);
}

int ingest_fd(const struct ingest *in)
{
	return in->memory.fd;
}

struct wire_header *ingest_shared(struct ingest *in)
{
	return in->shared;
}

void ingest_disable(struct ingest *in)
{
	atomic_store(&in->shared->enabled, 0);
}

unsigned int ingest_live(const struct ingest *in)
{
	return watch_live(in);
}

uint64_t ingest_now_ns(const struct ingest *in)
{
	return clock_ns(&in->clock, clock_ticks(&in->clock));
}

uint32_t ingest_join(struct ingest *in, uint32_t pid)
{
	const uint32_t ns = pids_namespace(pid);

	if (ns)
		pids_know(in->pids, ns, pid);
	return ns;
}

uint32_t ingest_process(struct ingest *in, uint32_t i)
{
	const struct wire_process *p = wire_process_at(in->shared, i);

	if (atomic_load_explicit(&p->state, memory_order_acquire) != WIRE_SLOT_LIVE)
		return 0;
	return p->pid_ns ? watch_pid(in, i) : p->pid;
}

uint32_t ingest_silent(struct ingest *in, uint64_t for_ns)
{
	return unwatched_silent(&in->unwatched, in->now_ns, for_ns);
}

uint64_t ingest_began_ns(const struct ingest *in, uint32_t i)
{
	return in->watched[i].image_ns;
}

/* Does the number still stand for what it did then? */
static bool is_still(const struct ingest *in, uint32_t process, int fd, uint64_t seen_ns)
{
	return clock_ns(&in->clock, atomic_load_explicit(wire_renewed_at(in->shared, process, fd), memory_order_relaxed)) <=
	       seen_ns;
}

void ingest_set_policy(struct ingest *in, uint32_t pid, int fd, uint8_t policy, uint64_t seen_ns)
{
	if (fd < 0 || (uint32_t)fd >= in->shared->policy_fds)
		return;
	for (uint32_t i = 0; i < in->shared->process_max; i++) {
		const struct wire_process *p = wire_process_at(in->shared, i);

		if (atomic_load_explicit(&p->state, memory_order_acquire) == WIRE_SLOT_LIVE &&
		    (p->pid_ns ? watch_pid(in, i) : p->pid) == pid && !(in->watched[i].known && in->watched[i].gone) &&
		    is_still(in, i, fd, seen_ns))
			atomic_store_explicit(wire_policy_at(in->shared, i) + fd, policy, memory_order_relaxed);
	}
}

void ingest_hold(struct ingest *in, struct pending *p)
{
	const int r = p != NULL ? order_push(in->order, p) : -ENOMEM;

	/* A forked child's first record has the time before the fork: it is always late, and may be. */
	if (r == 0 || (r > 0 && p->e.id == WIRE_FORK_CHILD))
		return;
	/* Late, or no memory for it: the order is not exact any more. */
	in->counters->limit[LIMIT_REACHED_REORDER]++;
	if (r > 0)
		in->late++;
	else
		pending_free(p);
}

/* One that starts a program, or would. */
static bool is_of_processes(uint16_t id)
{
	return id == WIRE_PROCESS_START || id == WIRE_EXEC || id == WIRE_SPAWN;
}

/* What waits in a ring takes less memory there than here. */
static void look_between(struct ingest *in)
{
	const uint64_t begun = in->handed_ticks;

	in->handed_ticks = clock_ticks(&in->clock);
	if (in->handed_ticks - begun > in->slow_ticks && !order_full(in->order) && slots_pressed(in)) {
		in->now_ns = ingest_now_ns(in); /* what is read now is from after this poll began, by far perhaps */
		slots_read(in);
		in->handed_ticks = clock_ticks(&in->clock);
	}
}

static void hand_on(struct ingest *in, struct pending *p, ingest_fn fn, void *ctx)
{
	const bool named = p->stack_bytes != NULL || p->e.id == CALLSITE_SEEN;

	if (is_of_processes(p->e.id)) {
		if (p->e.id == WIRE_PROCESS_START)
			watch_exec(in, p->process, p->e.pid);
		unwatched_event(&in->unwatched, &p->e);
	}
	p->e.stack = callsites_stack(in->callsites, p);
	p->e.flags = (uint16_t)(p->e.flags & ~(unsigned int)WIRE_F_STACK); /* of the record: the event has its id */
	if (p->e.id != CALLSITE_SEEN)
		redact_event(in->redact, &p->e, fn, ctx);
	pending_free(p);
	if (named || ++in->handed % LOOK_EVENTS == 0)
		look_between(in);
}

/* The service's hooks take an agent that does not say so for long for dead, and switch themselves off. */
static void beat(struct ingest *in)
{
	atomic_store_explicit(&in->shared->heartbeat, clock_ticks(&in->clock), memory_order_relaxed);
}

/* Hand on what is older than `before_ns`, and the oldest ones of a window that is too full. On a busy machine that alone may take long. */
static void hand_on_all(struct ingest *in, uint64_t before_ns, ingest_fn fn, void *ctx)
{
	struct pending *p;
	unsigned int n = 0;

	in->handed_ticks = clock_ticks(&in->clock);
	while ((p = order_pop(in->order, before_ns)) != NULL) {
		hand_on(in, p, fn, ctx);
		if (++n % BEAT_EVENTS == 0)
			beat(in);
	}
	while (order_full(in->order) && (p = order_pop(in->order, UINT64_MAX)) != NULL) {
		in->counters->limit[LIMIT_REACHED_REORDER]++;
		hand_on(in, p, fn, ctx);
	}
}

static void slow_sampling(struct ingest *in)
{
	const uint32_t mean = atomic_load_explicit(&in->shared->alloc_mean, memory_order_relaxed);
	const uint32_t next = alloc_pace_mean(&in->pace, mean);

	if (next != mean)
		atomic_store_explicit(&in->shared->alloc_mean, next, memory_order_relaxed);
}

static unsigned int next_wait(struct ingest *in, size_t records)
{
	const struct look l = {.now_ns = in->now_ns,
			       .fullest = in->fullest,
			       .ring_bytes = in->shared->ring_bytes,
			       .records = records,
			       .news = in->news,
			       .held = order_count(in->order) > 0};

	return look_pace_wait(&in->looks, &l);
}

/* Up to when the window is handed on. On a busy machine a thread that sends may come back long after another has read the answer. */
static uint64_t horizon(const struct ingest *in)
{
	const uint64_t end = in->now_ns - WINDOW_NS;
	const uint64_t sending = order_count(in->order) < HOLD_EVENTS ? slots_sending_since(in, in->now_ns - HOLD_NS) : UINT64_MAX;

	return sending < end ? sending : end;
}

size_t ingest_poll(struct ingest *in, bool drain, ingest_fn fn, void *ctx, unsigned int *ret_wait_ms)
{
	uint64_t end;
	size_t n;

	clock_refine(&in->clock);
	in->now_ns = ingest_now_ns(in);
	beat(in);
	if (drain || in->now_ns >= in->next_check_ns) {
		watch_check(in);
		in->next_check_ns = in->now_ns + CHECK_NS;
	}
	n = (size_t)in->pushed;
	for (size_t i = 0; i < INGEST_POLLS; i++)
		if (in->on_poll[i].fn != NULL)
			in->on_poll[i].fn(in->on_poll[i].ctx, drain);
	end = drain ? UINT64_MAX : horizon(in);
	n = (size_t)in->pushed - n;
	in->news = n > 0; /* how much room a second source has is not known here */
	n += slots_read(in);
	slow_sampling(in);
	slots_reap(in, in->now_ns >= in->next_tick_ns);
	if (drain)
		watch_check(in); /* what died is empty now: its news belongs into this session */
	pulse(in, drain);
	hand_on_all(in, end, fn, ctx);
	if (drain) {
		const uint64_t last = order_last_ns(in->order);

		pulse_unwatched(in, true);
		hand_on_all(in, UINT64_MAX, fn, ctx);

		redact_flush(in->redact, last > in->now_ns ? last : in->now_ns, fn, ctx);
	}
	slots_count(in);
	if (ret_wait_ms != NULL)
		*ret_wait_ms = next_wait(in, n);
	return n;
}
