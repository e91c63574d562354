/*
 * Who waits for whom: an incoming request, and the calls to dependencies that are made for it. A caller that goes away while such a call
 * is under way shows that the call outlives its caller; so does a caller that states its deadline, where the call's bound is longer.
 *
 * A call belongs to the incoming request with its trace id, else to the one that its thread serves, if that is one alone. A caller has gone
 * when its connection ended before the answer, or when it is watched too and gave up its own request.
 *
 * Owns the callers (their request leads to them, and their thread), their calls and d->chains; bounded by DEADLINE_CALLERS_MAX and LIMIT_PEERS. The session's thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "core/elapsed.h"
#include "detectors/deadline_caller.h"

#define CANCEL_NS (NS_PER_S / 10) /* a call that is given up so soon after its caller was cancelled */
#define LIVES_ON_NS NS_PER_S      /* … and one that goes on for longer than this was abandoned */
#define TRACE_AT 3U               /* a traceparent is 00-<32 digits>-… */
#define TRACE_LEN 32U
#define BLOCKS_KEPT 1024U
#define THREADS_KEPT 256U

/* One call to a dependency, under way. */
struct deadline_call {
	uint64_t id, t_start;
	struct deadline_chain *chain;
	uint64_t gone_ns; /* when its caller went, 0 = it has not */
	uint64_t caller_waited_ns;
	bool counted;
	struct deadline_call *prev, *next; /* of the caller, or of those without one */
	struct deadline_caller *caller;
	UT_hash_handle hh;
};

/* One incoming request, not answered yet. */
struct deadline_caller {
	uint64_t t_start;
	struct deadline_thread *thread;
	int64_t stated_ns;
	char traceparent[64];
	const struct request *request; /* lives as long as this */
	struct deadline_call *calls;
	struct deadline_chain *slowest; /* of the calls that have ended */
	uint64_t slowest_ns;
	struct deadline_caller *prev, *next; /* of the thread */
	UT_hash_handle hh_trace;
};

/* A thread that serves. */
struct deadline_thread {
	uint64_t key; /* pid << 32 | tid */
	struct deadline_caller *callers;
	UT_hash_handle hh;
};

static void note(struct tally *t, const struct deadline_chain *chain, uint64_t waited_ns, uint64_t now_ns, uint64_t request_id)
{
	const struct observation o = {
		.weight = W_NONE,
		.how = HOW_CALLER_GONE,
		.observed = true,
		.waited_ns = waited_ns,
		.stack = chain->stack,
		.first_ns = now_ns,
		.last_ns = now_ns,
		.calls = 1,
		.operations = 1,
		.request_id = request_id,
	};

	tally_add(t, &o);
}

static struct deadline_thread *thread_get(struct deadline *d, uint32_t pid, uint32_t tid, bool make)
{
	const uint64_t key = (uint64_t)pid << 32 | tid;
	struct deadline_thread *t = d->thread_last;

	if (t && t->key == key)
		return t;
	HASH_FIND(hh, d->threads, &key, sizeof key, t);
	if (t)
		d->thread_last = t;
	if (t || !make || !(t = pool_get(&d->thread_blocks)))
		return t;
	*t = (struct deadline_thread){.key = key};
	HASH_ADD(hh, d->threads, key, sizeof t->key, t);
	if (!t->hh.tbl) {
		pool_put(&d->thread_blocks, t);
		return NULL;
	}
	return t;
}

static bool has_trace(const char *traceparent)
{
	return strlen(traceparent) > TRACE_AT + TRACE_LEN;
}

static struct deadline_caller *caller_by_trace(const struct deadline *d, const char *traceparent)
{
	struct deadline_caller *c = NULL;

	if (has_trace(traceparent))
		HASH_FIND(hh_trace, d->traces, traceparent + TRACE_AT, TRACE_LEN, c);
	return c;
}

void caller_start(struct deadline *d, struct request *q)
{
	struct deadline_caller *c;

	if (d->callers_n >= DEADLINE_CALLERS_MAX) {
		d->env.counters->limit[LIMIT_REACHED_OPERATIONS]++;
		return;
	}
	c = pool_get(&d->caller_blocks);
	if (!c)
		return;
	*c = (struct deadline_caller){0};
	c->thread = thread_get(d, q->pid, q->tid, true);
	if (!c->thread) {
		pool_put(&d->caller_blocks, c);
		return;
	}
	q->caller = c;
	d->callers_n++;
	DL_APPEND(c->thread->callers, c);
	c->t_start = q->t_start;
	c->stated_ns = q->deadline_ns;
	c->request = q;
	if (!has_trace(q->traceparent))
		return;
	memcpy(c->traceparent, q->traceparent, sizeof c->traceparent);
	if (!caller_by_trace(d, c->traceparent))
		HASH_ADD_KEYPTR(hh_trace, d->traces, c->traceparent + TRACE_AT, TRACE_LEN, c);
}

static void caller_gone(struct deadline_caller *c, uint64_t now_ns)
{
	struct deadline_call *call;

	DL_FOREACH (c->calls, call) {
		if (call->gone_ns)
			continue;
		call->gone_ns = now_ns;
		call->caller_waited_ns = elapsed_ns(c->t_start, now_ns);
	}
}

static void caller_free(struct deadline *d, struct deadline_caller *c)
{
	struct deadline_call *call, *next;

	DL_FOREACH_SAFE (c->calls, call, next) { /* they go on by themselves */
		DL_DELETE(c->calls, call);
		call->caller = NULL;
	}
	DL_DELETE(c->thread->callers, c);
	/* Most threads serve again soon. */
	if (!c->thread->callers && HASH_COUNT(d->threads) > THREADS_KEPT) {
		if (d->thread_last == c->thread)
			d->thread_last = NULL;
		HASH_DEL(d->threads, c->thread);
		pool_put(&d->thread_blocks, c->thread);
	}
	d->callers_n--;
	if (c->hh_trace.tbl)
		HASH_DELETE(hh_trace, d->traces, c);
	pool_put(&d->caller_blocks, c);
}

void caller_end(struct deadline *d, struct request *q)
{
	struct deadline_caller *c = q->caller;
	const uint64_t served = elapsed_ns(q->t_start, q->t_end);

	if (!c)
		return;
	const bool gone = q->end == REQUEST_EOF || q->end == REQUEST_RESET;
	if (gone)
		caller_gone(c, q->t_end);
	/* The answer met nobody, and the time had gone to one call. */
	if (q->end == REQUEST_RESET && !c->calls && c->slowest && c->slowest_ns >= served / 2 && served >= LIVES_ON_NS) {
		note(&c->slowest->inversion, c->slowest, c->slowest_ns, q->t_end, q->id);
		c->slowest->caller_waited_ns = served;
	}
	q->caller = NULL;
	caller_free(d, c);
}

static struct deadline_chain *chain_get(struct deadline *d, const struct deadline_caller *c, const struct request *q)
{
	char name[sizeof(((struct deadline_chain *)0)->name)], operation[DEADLINE_OPERATION];
	struct deadline_chain *chain;

	snprintf(operation, sizeof operation, "%.15s %.110s", c->request->method, c->request->path);
	snprintf(name, sizeof name, "%s → %s", operation, q->conn->peer);
	HASH_FIND_STR(d->chains, name, chain);
	if (chain)
		return chain;
	if (HASH_COUNT(d->chains) >= LIMIT_PEERS || !(chain = calloc(1, sizeof *chain))) {
		d->env.counters->limit[LIMIT_REACHED_PEERS]++;
		return NULL;
	}
	memcpy(chain->name, name, sizeof name);
	memcpy(chain->operation, operation, sizeof chain->operation);
	snprintf(chain->peer, sizeof chain->peer, "%s", q->conn->peer);
	HASH_ADD_STR(d->chains, name, chain);
	if (!chain->hh.tbl) {
		free(chain);
		return NULL;
	}
	return chain;
}

static struct deadline_caller *caller_of(struct deadline *d, const struct request *q)
{
	struct deadline_caller *c = caller_by_trace(d, q->traceparent);
	const struct deadline_thread *t;

	/* Its own client's request may be watched as well: that one carries the very same words. */
	if (c && c->thread->key >> 32 == q->pid && strcmp(c->traceparent, q->traceparent) != 0)
		return c;
	t = thread_get(d, q->pid, q->tid, false);
	return t && t->callers && !t->callers->next ? t->callers : NULL; /* an idle thread serves nobody */
}

void call_start(struct deadline *d, const struct request *q)
{
	struct deadline_caller *c = caller_of(d, q);
	struct deadline_call *call;

	if (!c || !q->conn->peer[0] || HASH_CNT(hh, d->calls) >= DEADLINE_CALLERS_MAX || !(call = calloc(1, sizeof *call)))
		return;
	call->id = q->id;
	call->t_start = q->t_start;
	call->chain = chain_get(d, c, q);
	if (call->chain)
		HASH_ADD(hh, d->calls, id, sizeof call->id, call);
	if (!call->chain || !call->hh.tbl) {
		free(call);
		return;
	}
	call->chain->stack = q->stack;
	if (c->stated_ns > 0) {
		const uint64_t passed = elapsed_ns(c->t_start, q->t_start), stated = (uint64_t)c->stated_ns;
		const uint64_t left = passed < stated ? stated - passed : 0;
		struct deadline_chain *chain = call->chain;

		if (!chain->stated_n || left < chain->left_ns) {
			chain->left_ns = left;
			chain->stated_ns = stated;
		}
		if (!chain->stated_n++)
			chain->first_ns = q->t_start;
		chain->last_ns = q->t_start;
	}
	call->caller = c;
	DL_APPEND(c->calls, call);
}

static void lived_on(struct deadline_call *call, uint64_t now_ns)
{
	const uint64_t on = elapsed_ns(call->gone_ns, now_ns);
	struct deadline_chain *chain = call->chain;

	if (!call->gone_ns || now_ns < call->gone_ns || call->counted || on < LIVES_ON_NS)
		return;
	call->counted = true;
	chain->caller_waited_ns = call->caller_waited_ns;
	note(&chain->inversion, chain, elapsed_ns(call->t_start, now_ns), now_ns, call->id);
	note(&chain->abandoned, chain, on, now_ns, call->id);
}

void call_end(struct deadline *d, const struct request *q)
{
	struct deadline_caller *watched = q->end == REQUEST_ABANDONED ? caller_by_trace(d, q->traceparent) : NULL;
	struct deadline_call *call;

	if (watched && !strcmp(watched->traceparent, q->traceparent))
		caller_gone(watched, q->t_end);
	HASH_FIND(hh, d->calls, &q->id, sizeof q->id, call);
	if (!call)
		return;
	if (call->gone_ns && q->t_end >= call->gone_ns + CANCEL_NS) {
		lived_on(call, q->t_end);
		if (call->counted) {
			struct tally *t = &call->chain->abandoned;
			const uint64_t on = elapsed_ns(call->gone_ns, q->t_end);
			t->waited_ns = on > t->waited_ns ? on : t->waited_ns;
		}
	}
	if (call->caller) {
		const uint64_t took = elapsed_ns(q->t_start, q->t_end);
		if (took > call->caller->slowest_ns) {
			call->caller->slowest_ns = took;
			call->caller->slowest = call->chain;
		}
		DL_DELETE(call->caller->calls, call);
	}
	HASH_DEL(d->calls, call);
	free(call);
}

void caller_tick(struct deadline *d, uint64_t now_ns)
{
	for (struct deadline_call *call = d->calls; call; call = call->hh.next)
		lived_on(call, now_ns);
}

void callers_start(struct deadline *d)
{
	d->caller_blocks = (struct pool){.size = sizeof(struct deadline_caller), .max = BLOCKS_KEPT};
	d->thread_blocks = (struct pool){.size = sizeof(struct deadline_thread), .max = BLOCKS_KEPT};
}

void callers_free(struct deadline *d)
{
	struct deadline_call *call, *next_call;
	struct deadline_caller *c, *next;
	struct deadline_chain *chain, *next_chain;
	struct deadline_thread *thread, *next_thread;

	HASH_ITER (hh, d->threads, thread, next_thread) {
		DL_FOREACH_SAFE (thread->callers, c, next) {
			if (c->hh_trace.tbl)
				HASH_DELETE(hh_trace, d->traces, c);
			free(c);
		}
	}
	HASH_ITER (hh, d->calls, call, next_call) {
		HASH_DEL(d->calls, call);
		free(call);
	}
	HASH_ITER (hh, d->threads, thread, next_thread) {
		HASH_DEL(d->threads, thread);
		free(thread);
	}
	HASH_ITER (hh, d->chains, chain, next_chain) {
		HASH_DEL(d->chains, chain);
		free(chain);
	}
	pool_done(&d->caller_blocks);
	pool_done(&d->thread_blocks);
}
