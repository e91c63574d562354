/*
 * The retry detector: turns requests, connects and broken connections into attempts at operations, and hands them to the sequences
 * (retry_sequence.c).
 *
 * Owns its keys, peers, callers and one small struct per connection (conn.slot). The session's thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "detectors/detectors.h"
#include "detectors/peers.h"
#include "detectors/retry.h"

#define CALLERS_MAX 65536U              /* threads with an incoming request in hand */
#define CANCEL_MIN_NS NS_PER_S          /* a connect cancelled later was a timeout */
#define TIMEOUT_MIN_NS (50 * NS_PER_MS) /* a connection closed sooner after our bytes was no timeout */

/* The incoming request that a thread works on: attempts made for different ones never follow each other. */
struct retry_caller {
	uint32_t tid, pad;
	uint64_t request;
	UT_hash_handle hh;
};

/* What is kept of a connection whose protocol is not known. */
struct talk {
	uint64_t first_hash, first_out_ns, broken_ns;
	uint32_t stack, tid;
	bool started, told;
	struct talk *prev, *next;
};

static uint64_t caller_of(const struct retry *r, uint32_t tid)
{
	struct retry_caller *c;

	HASH_FIND(hh, r->callers, &tid, sizeof tid, c);
	return c ? c->request : 0;
}

static void caller_begin(struct retry *r, uint32_t tid, uint64_t request)
{
	struct retry_caller *c;

	HASH_FIND(hh, r->callers, &tid, sizeof tid, c);
	if (c) {
		c->request = request;
		return;
	}
	if (HASH_COUNT(r->callers) >= CALLERS_MAX || !(c = calloc(1, sizeof *c)))
		return;
	c->tid = tid;
	c->request = request;
	HASH_ADD(hh, r->callers, tid, sizeof c->tid, c);
	if (!c->hh.tbl)
		free(c);
}

static void caller_end(struct retry *r, uint32_t tid, uint64_t request)
{
	struct retry_caller *c;

	HASH_FIND(hh, r->callers, &tid, sizeof tid, c);
	if (c && c->request == request) {
		HASH_DEL(r->callers, c);
		free(c);
	}
}

static void *retry_create(const struct detector_env *env)
{
	struct retry *r = calloc(1, sizeof *r);

	if (r)
		r->env = *env;
	return r;
}

static void retry_destroy(void *state)
{
	struct retry *r = state;
	struct retry_caller *c, *next;

	if (!r)
		return;
	HASH_ITER (hh, r->callers, c, next) {
		HASH_DEL(r->callers, c);
		free(c);
	}
	struct talk *t, *t_next;
	DL_FOREACH_SAFE (r->talks, t, t_next)
		free(t);
	retry_budget_free(r);
	retry_keys_free(r);
	free(r);
}

/* RFC 9110: these may pass by themselves later; the others that refuse will refuse again. */
static enum retry_result result_of_status(int status)
{
	if (status == 408 || status == 425 || status == 429 || status >= 500)
		return RETRY_FAILED;
	if (status == 407 || (status >= 300 && status < 400))
		return RETRY_NEUTRAL;
	return status >= 400 ? RETRY_REFUSED : RETRY_OK;
}

static enum retry_result result_of(const struct request *q)
{
	switch (q->end) {
	case REQUEST_DONE:
		return result_of_status(q->status);
	case REQUEST_PENDING:
		return RETRY_PENDING;
	case REQUEST_ABANDONED: /* closed with the head in hand: the caller had its answer, or gave up after a while */
		if (q->t_first_byte && q->status && q->status < 400)
			return RETRY_NEUTRAL;
		return q->t_end - q->t_start >= TIMEOUT_MIN_NS ? RETRY_FAILED : RETRY_NEUTRAL;
	case REQUEST_EOF:
	case REQUEST_RESET:
	case REQUEST_REFUSED:
		return RETRY_FAILED;
	}
	return RETRY_NEUTRAL;
}

static void retry_request_start(void *ctx, struct request *q)
{
	if (q->server)
		caller_begin(ctx, q->tid, q->id);
}

static void retry_request_end(void *ctx, struct request *q)
{
	struct retry *r = ctx;
	char operation[LIMIT_PEER_TEXT];

	if (q->server) {
		caller_end(r, q->tid, q->id);
		return;
	}
	if (!peer_is_dependency(q->conn))
		return;
	struct retry_key *k = retry_key_get(r, RETRY_OF_REQUEST, q->conn->peer,
					    retry_operation_text(q, operation, sizeof operation), retry_request_hash(q), q->stack);
	if (!k)
		return;
	const struct retry_attempt a = {
		.start_ns = q->t_start,
		.end_ns = q->t_end > q->t_start ? q->t_end : q->t_start,
		.result = result_of(q),
		.status = q->status,
		.retry_after_ns = q->retry_after_ns > 0 ? (uint64_t)q->retry_after_ns : 0,
		.delivered = !q->status,
		.unsafe = (!strcmp(q->method, "POST") || !strcmp(q->method, "PATCH")) && !q->idempotency_key,
		.caller = caller_of(r, q->tid),
		.request_id = q->id,
		.pid = q->pid,
		.tid = q->tid,
		.stack = q->stack,
	};
	q->resend_count = retry_attempt(r, k, &a);
	retry_budget_count(r, q->conn->peer, q->t_start, q->resend_count > 0, q->stack);
}

/* A connect that ended. Successes count too: they end sequences, and show the pace of healthy checks. */
static void connect_attempt(struct retry *r, const struct conn *c, uint64_t end_ns, bool failed, uint32_t tid)
{
	uint64_t site = evidence_site_hash(r->env.stacks, c->connect_stack);
	struct retry_key *k = retry_key_get(r, RETRY_OF_CONNECT, c->peer, "connect", site ^ 1, c->connect_stack);

	if (!k)
		return;
	const struct retry_attempt a = {
		.start_ns = c->connect_t0 ? c->connect_t0 : end_ns,
		.end_ns = end_ns,
		.result = failed ? RETRY_FAILED : RETRY_OK,
		.caller = caller_of(r, tid),
		.address = evidence_hash(EVIDENCE_HASH_SEED, &c->peer_addr, sizeof c->peer_addr),
		.pid = c->process ? c->process->pid : 0,
		.tid = tid,
		.stack = c->connect_stack,
	};
	retry_attempt(r, k, &a);
}

static void retry_conn_connect(void *ctx, struct conn *c, const struct event *e)
{
	uint64_t took = c->connect_t1 - c->connect_t0;

	if (!peer_is_dependency(c))
		return;
	/* Cancelled early: another address of the look-up won, or nobody wanted it any more. */
	if (c->connect_err == ECANCELED && took < CANCEL_MIN_NS)
		return;
	connect_attempt(ctx, c, c->connect_t1, c->connect_err != 0, e ? e->tid : 0);
}

/* A connection without a known protocol that ended, or gave its first answer. */
static void talk_attempt(struct retry *r, const struct conn *c, struct talk *t, uint64_t end_ns, bool failed)
{
	uint64_t site = evidence_site_hash(r->env.stacks, t->stack);
	uint64_t hash = evidence_hash(evidence_hash(EVIDENCE_HASH_SEED, &site, sizeof site), &t->first_hash, sizeof t->first_hash);
	struct retry_key *k = retry_key_get(r, RETRY_OF_BYTES, c->peer, "connection", hash, t->stack);

	t->told = true;
	if (!k)
		return;
	const struct retry_attempt a = {
		.start_ns = c->connect_t0 ? c->connect_t0 : t->first_out_ns,
		.end_ns = end_ns,
		.result = failed ? RETRY_FAILED : RETRY_OK,
		.delivered = true,
		.caller = caller_of(r, t->tid),
		.pid = c->process ? c->process->pid : 0,
		.tid = t->tid,
		.stack = t->stack,
	};
	retry_attempt(r, k, &a);
}

/* The first bytes tell one operation from another. Of TLS nothing but the fact that it is TLS does: its hello is random. */
static uint64_t hash_first_bytes(const struct event *e)
{
	static const uint8_t tls[] = {0x16, 0x03};

	if (e->data_len >= sizeof tls && !memcmp(e->data, tls, sizeof tls))
		return evidence_hash(EVIDENCE_HASH_SEED, tls, sizeof tls);
	return evidence_hash(EVIDENCE_HASH_SEED, e->data, e->data_len);
}

static void retry_conn_data(void *ctx, struct conn *c, enum direction d, const struct event *e)
{
	struct retry *r = ctx;
	struct talk *t = c->slot[RETRY_SLOT];

	if (c->protocol || !peer_is_dependency(c))
		return;
	if (!t) {
		t = calloc(1, sizeof *t);
		if (!t)
			return;
		c->slot[RETRY_SLOT] = t;
		DL_APPEND(r->talks, t);
	}
	if (d == DIR_OUT && !t->started && e->ret > 0) {
		t->started = true;
		t->first_hash = hash_first_bytes(e);
		t->first_out_ns = e->t0;
		t->stack = e->stack;
		t->tid = e->tid;
	}
	bool broken = e->ret == 0 || e->err == ECONNRESET || e->err == EPIPE;
	if (broken && !t->broken_ns)
		t->broken_ns = e->t1;
	if (d == DIR_IN && e->ret > 0 && t->started && !t->told)
		talk_attempt(r, c, t, e->t1, false);
}

static void retry_conn_close(void *ctx, struct conn *c, const struct event *e)
{
	struct retry *r = ctx;
	struct talk *t = c->slot[RETRY_SLOT];
	uint64_t now = e ? e->t1 : model_now(r->env.model);
	bool exiting = !e || e->id == WIRE_PROCESS_EXIT || e->id == WIRE_PROCESS_GONE;

	if (t && t->started && !t->told && !c->protocol && !c->bytes_in) {
		bool timed_out = !exiting && now - c->last_out_ns >= TIMEOUT_MIN_NS;
		if (t->broken_ns || timed_out)
			talk_attempt(r, c, t, t->broken_ns ? t->broken_ns : now, true);
	}
	if (t) {
		DL_DELETE(r->talks, t);
		free(t);
		c->slot[RETRY_SLOT] = NULL;
	}
}

static void retry_event(void *ctx, const struct event *e)
{
	struct retry *r = ctx;

	if (e->id == WIRE_PROCESS_EXIT && !(e->flags & WIRE_F_VFORK_CHILD))
		r->exiting[r->exiting_n++ % RETRY_EXITING_MAX] = e->pid;
}

static void retry_process_gone(void *ctx, struct process *p)
{
	struct retry *r = ctx;

	for (unsigned int i = 0; i < RETRY_EXITING_MAX; i++) {
		if (r->exiting[i] != p->pid)
			continue;
		r->exiting[i] = 0;
		retry_process_exit(r, p->pid);
	}
}

static void retry_tick(void *ctx, uint64_t now_ns)
{
	retry_expire(ctx, now_ns);
	retry_tell(ctx);
}

static void retry_finish(void *state, uint64_t now_ns)
{
	retry_end_all(state, now_ns);
	retry_tell(state);
}

static json_t *retry_report(void *state, json_t *not_exercised)
{
	return retry_section(state, not_exercised);
}

const struct detector retry_detector = {
	.name = "retry",
	.doc = "retries without a bound, without back-off, or of what must not be repeated",
	.rules = retry_rules,
	.options = retry_options,
	.section = "retries",
	.create = retry_create,
	.destroy = retry_destroy,
	.observer = {.event = retry_event,
		     .process_exit = retry_process_gone,
		     .conn_connect = retry_conn_connect,
		     .conn_data = retry_conn_data,
		     .conn_close = retry_conn_close,
		     .request_start = retry_request_start,
		     .request_end = retry_request_end,
		     .tick = retry_tick},
	.finish = retry_finish,
	.report = retry_report,
};
