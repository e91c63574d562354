/*
 * The session's pulse: a TICK each second of session time, with it the calls that still run, and losses that no record told of.
 * See internal.h.
 */
#include <string.h>
#include <sys/resource.h>

#include "core/samples.h"
#include "ingest/internal.h"

#define SECOND_NS 1000000000ULL
#define OPENS_RISE 8U                   /* descriptors more than at most before: they grow */
#define OPENS_QUIET_NS (60 * SECOND_NS) /* and have stopped to */
#define CATCH_UP 60U                    /* ticks made up for after a stop of the agent, at most */

static void say(struct ingest *in, uint16_t id, uint64_t at)
{
	const struct event e = {.id = id, .t0 = at, .t1 = at, .fd = -1};

	ingest_hold(in, pending_new(in->order, &e, NULL, NULL));
}

void ingest_tell_stopping(struct ingest *in)
{
	say(in, WIRE_STOPPING, ingest_now_ns(in));
}

static void tell(struct ingest *in, const _Atomic uint64_t *lost, uint64_t *told, uint32_t pid)
{
	for (unsigned int cause = 0; cause < WIRE_LOSS_CAUSES; cause++) {
		const uint64_t total = atomic_load_explicit(&lost[cause], memory_order_relaxed);

		if (total > told[cause] && !loss_is_none(cause))
			slots_lost(in, pid, pid, in->now_ns, cause, total - told[cause], ORDER_SOURCE_AGENT);
		told[cause] = total > told[cause] ? total : told[cause];
	}
}

static void tell_losses(struct ingest *in)
{
	slots_tell_losses(in);
	for (uint32_t i = 0; i < in->processes_high; i++) {
		const struct wire_process *p = wire_process_at(in->shared, i);

		tell(in, p->lost, in->watched[i].told, p->pid);
	}
	tell(in, in->shared->lost, in->header_told, 0);
}

/* With what gapscope itself has cost so far: a replay then tells the same. */
static void tick(struct ingest *in)
{
	struct rusage own;
	struct event e = {.id = WIRE_TICK, .t0 = in->next_tick_ns, .t1 = in->next_tick_ns, .fd = -1};

	if (getrusage(RUSAGE_SELF, &own) == 0) {
		e.a0 = ((uint64_t)own.ru_utime.tv_sec + (uint64_t)own.ru_stime.tv_sec) * SECOND_NS +
		       ((uint64_t)own.ru_utime.tv_usec + (uint64_t)own.ru_stime.tv_usec) * 1000U;
		e.a1 = (uint64_t)own.ru_maxrss * 1024U;
	}
	ingest_hold(in, pending_new(in->order, &e, NULL, NULL));
}

void pulse_unwatched(struct ingest *in, bool last)
{
	char text[UNWATCHED_PATH + 256];
	uint32_t pid;

	while (unwatched_next(&in->unwatched, in->now_ns, last, &pid, text, sizeof(text))) {
		const struct event e = {
			.id = WIRE_SOURCE_INFO,
			.t0 = in->now_ns,
			.t1 = in->now_ns,
			.pid = pid,
			.tid = pid,
			.fd = -1,
			.data = (const uint8_t *)text,
			.data_len = (uint32_t)strlen(text),
		};

		ingest_hold(in, pending_new(in->order, &e, NULL, NULL));
	}
}

/* Where descriptors grow that no record tells of, let the shim tell: a leak wants its call sites. Else it costs each request of a web server. */
static void tell_opens(struct ingest *in, uint32_t pid, const struct sample_process *s)
{
	if (s->fds == SAMPLE_UNKNOWN)
		return;
	const uint64_t open = s->fds - s->fd_kinds[SAMPLE_FD_SOCKET] - s->fd_kinds[SAMPLE_FD_PIPE];
	for (uint32_t i = 0; i < in->processes_high; i++) {
		struct watched *w = &in->watched[i];

		if (!w->known || w->gone || w->pid != pid)
			continue;
		const bool rose = open >= w->fds_most + OPENS_RISE, first = w->fds_ns == 0;
		if (rose || first) {
			w->fds_most = open;
			w->fds_ns = in->now_ns;
		}
		if (!first && (rose || in->now_ns - w->fds_ns > OPENS_QUIET_NS))
			atomic_store_explicit(&wire_process_at(in->shared, i)->tell_opens, rose, memory_order_relaxed);
	}
}

static void hold_sample(void *ctx, const struct event *e)
{
	struct ingest *in = ctx;
	struct sample_process s;

	if (e->id == WIRE_SAMPLE_PROCESS && e->data_len >= sizeof(s)) {
		memcpy(&s, e->data, sizeof(s));
		tell_opens(in, e->pid, &s);
	}
	ingest_hold(in, pending_new(in->order, e, NULL, NULL));
}

static void tell_samples(struct ingest *in)
{
	size_t n = 0;

	if (in->sampler == NULL || !sampler_due(in->sampler, in->now_ns))
		return;
	for (uint32_t i = 0; i < in->processes_high; i++) {
		bool twice = false; /* a process that started another program has two places for a while */

		for (size_t k = 0; k < n && !twice; k++)
			twice = in->sampled[k] == in->watched[i].pid;
		if (!twice && in->watched[i].known && !in->watched[i].gone)
			in->sampled[n++] = in->watched[i].pid;
	}
	sampler_round(in->sampler, in->sampled, n, in->now_ns, hold_sample, in);
}

void pulse(struct ingest *in, bool last)
{
	if (in->now_ns < in->next_tick_ns) {
		if (last)
			tell_losses(in);
		return;
	}
	if (in->now_ns - in->next_tick_ns > CATCH_UP * SECOND_NS)
		in->next_tick_ns = in->now_ns - (in->now_ns - in->clock.start_ns) % SECOND_NS;
	while (in->next_tick_ns <= in->now_ns) {
		tick(in);
		in->next_tick_ns += SECOND_NS;
	}
	slots_tell_inflight(in);
	tell_samples(in);
	pulse_unwatched(in, false);
	tell_losses(in);
}
