/*
 * Retries as the service meets them: which of its incoming requests are retries of others, what share of them that is, and whether
 * retries rise while good answers fall (the pattern of an overload that keeps itself alive). Also what one call costs across layers: the
 * attempts that a service makes for an incoming request, over all of that request's own attempts. Requests belong together by their trace,
 * where they carry one, else by client and thread.
 *
 * Bounded by LIMIT_OPERATIONS and RETRY_CALLERS_MAX; the session's thread.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "core/elapsed.h"
#include "detectors/retry.h"

#define STORM_SECONDS 8U       /* looked at, half against half */
#define STORM_RATE_MIN 10U     /* requests a second below which a share says nothing */
#define STORM_SHARE_DIV 5U     /* retries from a fifth of the requests on */
#define STORM_FALL_PERCENT 80U /* good answers of the newer half, in per cent of the older one */
#define BLOCKS_KEPT 256U
#define CALLERS_KEPT 256U /* threads without a request in hand */
#define TRACE_AT 3U       /* a traceparent is 00-<32 digits>-… */
#define TRACE_LEN 32U
#define AMPLIFIED_MIN 6U /* attempts for one call that are worth a word */

/* The incoming request that a thread works on: attempts made for different ones never follow each other. */
struct retry_caller {
	uint32_t tid;
	uint32_t failed;       /* attempts made for it at one operation */
	uint64_t request;      /* 0: none */
	struct retry_key *key; /* has failed, so it is not forgotten */
	UT_hash_handle hh;
};

/* One with a trace. Many may be open on a thread: whatever carries the same trace, in other words, is made for it. */
struct retry_traced {
	uint64_t trace;
	char words[64];
	uint32_t pid;
	struct retry_caller caller;
	UT_hash_handle hh;
};

/* One incoming request and its repetitions. */
struct retry_incoming {
	uint64_t id;
	uint64_t last_end_ns;
	uint64_t good_gap_ns;     /* shortest time from a good answer to the next of these requests, 0 none yet */
	uint32_t attempts, below; /* below: failed attempts that the service made for all of these */
	bool failed;
	bool crowd; /* several at once: many clients behind one address, or a load generator */
	UT_hash_handle hh;
};

static struct retry_caller *caller_find(const struct retry *r, uint32_t tid)
{
	struct retry_caller *c = r->caller_last;

	if (c && c->tid == tid)
		return c;
	HASH_FIND(hh, r->callers, &tid, sizeof tid, c);
	return c;
}

/* The trace of a traceparent as a number, 0 of none. */
static uint64_t trace_id(const char *traceparent)
{
	return strlen(traceparent) > TRACE_AT + TRACE_LEN ? evidence_hash(EVIDENCE_HASH_SEED, traceparent + TRACE_AT, TRACE_LEN)
							  : 0;
}

static struct retry_traced *traced_find(const struct retry *r, const char *traceparent)
{
	const uint64_t trace = trace_id(traceparent);
	struct retry_traced *t = NULL;

	if (trace)
		HASH_FIND(hh, r->traced, &trace, sizeof trace, t);
	return t;
}

static void traced_start(struct retry *r, const struct request *q)
{
	struct retry_traced *t;

	if (!q->traceparent[0] || traced_find(r, q->traceparent) || HASH_COUNT(r->traced) >= RETRY_CALLERS_MAX ||
	    !(t = calloc(1, sizeof *t)))
		return;
	t->trace = trace_id(q->traceparent);
	memcpy(t->words, q->traceparent, sizeof t->words);
	t->pid = q->pid;
	t->caller.request = q->id;
	if (t->trace)
		HASH_ADD(hh, r->traced, trace, sizeof t->trace, t);
	if (!t->hh.tbl)
		free(t);
}

static void traced_free(struct retry *r, struct retry_traced *t)
{
	HASH_DEL(r->traced, t);
	free(t);
}

/* Whom a request is made for: its trace says so, or its thread. */
static struct retry_caller *caller_of(const struct retry *r, const struct request *q)
{
	struct retry_traced *t = r->traced ? traced_find(r, q->traceparent) : NULL;

	/* Its own client's request may be watched as well: that one carries the very same words. */
	if (t && t->pid == q->pid && strcmp(t->words, q->traceparent) != 0)
		return &t->caller;
	return caller_find(r, q->tid);
}

uint64_t retry_caller_of(const struct retry *r, const struct request *q)
{
	const struct retry_caller *c = caller_of(r, q);

	return c ? c->request : 0;
}

uint64_t retry_caller_of_thread(const struct retry *r, uint32_t tid)
{
	const struct retry_caller *c = caller_find(r, tid);

	return c ? c->request : 0;
}

void retry_caller_failed(struct retry *r, const struct request *q, struct retry_key *k)
{
	struct retry_caller *c = caller_of(r, q);

	if (!c || !c->request)
		return;
	if (c->key == k) {
		c->failed++;
	} else if (c->failed < 2) {
		c->key = k;
		c->failed = 1;
	}
}

void retry_incoming_start(struct retry *r, const struct request *q)
{
	struct retry_caller *c = caller_find(r, q->tid);

	traced_start(r, q);
	if (!c) {
		if (HASH_COUNT(r->callers) >= RETRY_CALLERS_MAX || !(c = pool_get(&r->caller_blocks)))
			return;
		*c = (struct retry_caller){.tid = q->tid};
		HASH_ADD(hh, r->callers, tid, sizeof c->tid, c);
		if (!c->hh.tbl) {
			pool_put(&r->caller_blocks, c);
			return;
		}
	}
	r->caller_last = c;
	c->request = q->id;
	c->key = NULL;
	c->failed = 0;
}

/* The same request of the same host (a client's port changes with each connection). */
static uint64_t incoming_id(const struct request *q)
{
	const struct sockaddr_storage *a = &q->conn->peer_addr;
	uint64_t h = retry_request_hash(q);
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (a->ss_family == AF_INET) {
		memcpy(&in, a, sizeof in);
		return evidence_hash(h, &in.sin_addr, sizeof in.sin_addr);
	}
	if (a->ss_family == AF_INET6) {
		memcpy(&in6, a, sizeof in6);
		return evidence_hash(h, &in6.sin6_addr, sizeof in6.sin6_addr);
	}
	return h;
}

static struct retry_incoming *incoming_find(const struct retry *r, uint64_t id)
{
	struct retry_incoming *i;

	HASH_FIND(hh, r->incoming, &id, sizeof id, i);
	return i;
}

/* Only what failed is kept: the oldest makes room. */
static struct retry_incoming *incoming_add(struct retry *r, uint64_t id)
{
	struct retry_incoming *i = r->incoming;

	if (i && HASH_COUNT(r->incoming) >= LIMIT_OPERATIONS) {
		HASH_DEL(r->incoming, i);
		free(i);
		r->env.counters->limit[LIMIT_REACHED_OPERATIONS]++;
	}
	i = calloc(1, sizeof *i);
	if (!i)
		return NULL;
	i->id = id;
	HASH_ADD(hh, r->incoming, id, sizeof i->id, i);
	if (i->hh.tbl)
		return i;
	free(i);
	return NULL;
}

static void incoming_drop(struct retry *r, struct retry_incoming *i)
{
	HASH_DEL(r->incoming, i);
	free(i);
}

static void advance(struct retry_storm *s, uint64_t second)
{
	uint64_t steps = second > s->second ? second - s->second : 0;

	for (uint64_t i = 1; i <= steps && i <= RETRY_BUDGET_SECONDS; i++)
		s->slots[(s->second + i) % RETRY_BUDGET_SECONDS] = (struct retry_storm_slot){0};
	s->second += steps;
}

static void count(struct retry *r, const struct request *q, bool good, bool retry)
{
	struct retry_storm *s = &r->storm;

	advance(s, q->t_end / NS_PER_S);
	struct retry_storm_slot *slot = &s->slots[s->second % RETRY_BUDGET_SECONDS];
	slot->requests++;
	slot->retries += retry;
	slot->good += good;
	*(good ? &r->env.counters->requests_in_good : &r->env.counters->requests_in_failed) += 1;
	r->env.counters->retries_in += retry;
	s->stack = q->stack;
}

static void amplified(struct retry *r, const struct retry_incoming *i, struct retry_key *k, uint32_t inner)
{
	if (!k || i->attempts < 2 || i->below < AMPLIFIED_MIN || i->below < 2 * i->attempts)
		return;
	retry_note(r, k, RETRY_AMPLIFICATION, NULL, retry_rules[RETRY_AMPLIFICATION].severity, CONFIDENCE_OBSERVED,
		   RETRY_LAYERS(i->below, inner));
}

/* Does a request repeat one that failed? Not if such requests overlap, or come as fast when all is well. */
static bool is_retry(const struct retry *r, struct retry_incoming *i, const struct request *q)
{
	if (q->t_start < i->last_end_ns) {
		i->crowd = true;
		return false;
	}
	uint64_t gap = elapsed_ns(i->last_end_ns, q->t_start);
	if (!i->failed && (!i->good_gap_ns || gap < i->good_gap_ns))
		i->good_gap_ns = gap ? gap : 1;
	return i->failed && !i->crowd && gap < evidence_option_ns(r->env.options[RETRY_O_WINDOW]) &&
	       (!i->good_gap_ns || 2 * gap < i->good_gap_ns);
}

/* One way in which an incoming request is known again: by its client's address, or by its trace. True if it repeats one that failed. */
static bool known_again(struct retry *r, const struct request *q, uint64_t id, bool good, uint32_t below,
			struct retry_incoming **ret)
{
	struct retry_incoming *i = incoming_find(r, id);
	bool retry = i && is_retry(r, i, q);

	if (!i && !good)
		i = incoming_add(r, id);
	*ret = i;
	if (!i)
		return false;
	i->attempts = retry ? i->attempts + 1 : 1;
	i->below = (retry ? i->below : 0) + below;
	i->last_end_ns = q->t_end > i->last_end_ns ? q->t_end : i->last_end_ns;
	i->failed = !good;
	return retry;
}

static void recognise(struct retry *r, const struct request *q, struct retry_key *k, uint32_t below)
{
	bool good = q->end == REQUEST_DONE && !(q->failed && q->transient) && q->status < 500 && q->status != 408 &&
		    q->status != 425 && q->status != 429;
	/* Only what failed is kept: while nothing has, there is nothing to know again. */
	if (good && !r->incoming) {
		count(r, q, true, false);
		return;
	}
	const uint64_t trace = trace_id(q->traceparent);
	struct retry_incoming *i, *traced = NULL;
	bool retry = known_again(r, q, incoming_id(q), good, below, &i);

	if (trace && known_again(r, q, evidence_hash(retry_request_hash(q), &trace, sizeof trace), good, below, &traced))
		retry = true;
	count(r, q, good, retry);
	if (traced && (!i || traced->below >= i->below))
		i = traced;
	if (i)
		amplified(r, i, k, below);
}

void retry_incoming_end(struct retry *r, const struct request *q)
{
	struct retry_caller *c = caller_find(r, q->tid);
	struct retry_traced *t = r->traced ? traced_find(r, q->traceparent) : NULL;
	bool mine = c && c->request == q->id;

	if (t && t->caller.request != q->id)
		t = NULL;
	/* Calls that carry no trace are the thread's. */
	struct retry_caller *of = t && (!mine || t->caller.failed >= c->failed) ? &t->caller : mine ? c : NULL;
	if (q->end != REQUEST_PENDING)
		recognise(r, q, of ? of->key : NULL, of ? of->failed : 0);
	if (of && of->key && q->end != REQUEST_PENDING)
		retry_call_over(r, of->key, q->id);
	if (t)
		traced_free(r, t);
	if (!mine)
		return;
	c->request = 0;
	/* Most threads serve again soon. */
	if (HASH_COUNT(r->callers) > CALLERS_KEPT) {
		r->caller_last = NULL;
		HASH_DEL(r->callers, c);
		pool_put(&r->caller_blocks, c);
	}
}

void retry_incoming_tick(struct retry *r, uint64_t now_ns)
{
	struct retry_storm *s = &r->storm;
	struct retry_storm_slot half[2] = {{0}};

	advance(s, now_ns / NS_PER_S);
	for (uint64_t age = 1; age <= STORM_SECONDS && age <= s->second; age++) { /* the present second is not over */
		const struct retry_storm_slot *slot = &s->slots[(s->second - age) % RETRY_BUDGET_SECONDS];
		struct retry_storm_slot *h = &half[age <= STORM_SECONDS / 2];
		h->requests += slot->requests;
		h->retries += slot->retries;
		h->good += slot->good;
	}
	const struct retry_storm_slot *old = &half[0], *new = &half[1];
	uint64_t requests = old->requests + new->requests, retries = old->retries + new->retries;
	if (requests < (uint64_t)STORM_RATE_MIN * STORM_SECONDS || (uint64_t) new->retries *STORM_SHARE_DIV < new->requests ||
	    new->retries <= old->retries)
		return;
	if ((uint64_t) new->good * 100U > (uint64_t)old->good * STORM_FALL_PERCENT)
		return;
	struct retry_hit *h = &s->hit;
	if (h->count == h->told)
		h->first_ns = now_ns;
	h->count++;
	h->last_ns = now_ns;
	h->severity = SEVERITY_ERROR;
	h->confidence = CONFIDENCE_OBSERVED;
	uint64_t share = 1000U * retries / requests;
	if (share >= h->detail) {
		h->detail = share;
		s->good_before = old->good;
		s->good_after = new->good;
		s->requests = (uint32_t)requests;
	}
}

void retry_incoming_init(struct retry *r)
{
	r->caller_blocks = (struct pool){.size = sizeof(struct retry_caller), .max = BLOCKS_KEPT};
}

void retry_incoming_free(struct retry *r)
{
	struct retry_caller *c, *c_next;
	struct retry_incoming *i, *i_next;
	struct retry_traced *t, *t_next;

	HASH_ITER (hh, r->callers, c, c_next) {
		HASH_DEL(r->callers, c);
		free(c);
	}
	HASH_ITER (hh, r->traced, t, t_next)
		traced_free(r, t);
	HASH_ITER (hh, r->incoming, i, i_next)
		incoming_drop(r, i);
	pool_done(&r->caller_blocks);
}
