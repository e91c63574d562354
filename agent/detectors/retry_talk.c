/*
 * Retries over connections: connects that ended, and exchanges on connections whose protocol is not known (bytes out, then bytes in).
 * Keeps one small struct per connection (conn.slot), which also remembers when a wait for an answer last ran out: an attempt ends at
 * that moment, not when its descriptor is closed. The session's thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "core/elapsed.h"
#include "detectors/peers.h"
#include "detectors/retry.h"

#define CANCEL_MIN_NS NS_PER_S          /* a connect cancelled later was a timeout */
#define TIMEOUT_MIN_NS (50 * NS_PER_MS) /* a connection closed sooner after our bytes was no timeout */

struct retry_talk {
	uint64_t hash, first_out_ns, broken_ns, timed_out_ns;
	uint32_t stack, tid;
	bool open;  /* bytes went out and none came back yet */
	bool later; /* than the connection's first exchange */
	struct retry_talk *prev, *next;
};

static struct retry_talk *talk_get(struct retry *r, struct conn *c)
{
	struct retry_talk *t = c->slot[RETRY_SLOT];

	if (t)
		return t;
	t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	c->slot[RETRY_SLOT] = t;
	DL_APPEND(r->talks, t);
	return t;
}

void retry_talks_free(struct retry *r)
{
	struct retry_talk *t, *next;

	DL_FOREACH_SAFE (r->talks, t, next)
		free(t);
	r->talks = NULL;
}

uint64_t retry_connect_ns(const struct conn *c, uint64_t start_ns)
{
	bool fresh = c->connect_t0 && c->connect_t1 >= c->connect_t0 && start_ns >= c->connect_t1 &&
		     elapsed_ns(c->connect_t1, start_ns) < RETRY_FRESH_NS;

	return fresh ? c->connect_t0 : 0;
}

void retry_connect_ended(struct retry *r, const struct conn *c, uint32_t tid)
{
	bool failed = c->connect_err != 0;

	/* Cancelled early: another address of the look-up won, or nobody wanted it any more. */
	if (c->connect_err == ECANCELED && elapsed_ns(c->connect_t0, c->connect_t1) < CANCEL_MIN_NS)
		return;
	struct retry_key *k = retry_key_connect(r, c->peer, evidence_site_hash(r->env.stacks, c->connect_stack), c->connect_stack);
	if (!k)
		return;
	/* Successes count too: they end sequences, and show the pace of healthy checks. */
	const struct retry_attempt a = {
		.start_ns = c->connect_t0 ? c->connect_t0 : c->connect_t1,
		.end_ns = c->connect_t1,
		.result = failed ? RETRY_FAILED : RETRY_OK,
		.caller = retry_caller_of_thread(r, tid),
		.address = evidence_hash(EVIDENCE_HASH_SEED, &c->peer_addr, sizeof c->peer_addr),
		.process_ns = retry_process_ns(r, c->process),
		.pid = c->process ? c->process->pid : 0,
		.parent = c->process ? c->process->parent : 0,
		.tid = tid,
		.stack = c->connect_stack,
		.answered = c->connect_err != ECANCELED,
	};
	retry_attempt(r, k, &a);
}

/* An exchange that ended. Good ones of operations that never failed are not followed: a busy connection makes thousands. */
static void talk_attempt(struct retry *r, const struct conn *c, struct retry_talk *t, uint64_t end_ns, bool failed)
{
	struct retry_key *k;

	t->open = false;
	if (!failed && t->later)
		k = retry_key_find(r, c->peer, t->hash);
	else
		k = retry_key_get(r, RETRY_OF_BYTES, c->peer, "connection", t->hash, t->stack);
	t->later = true;
	if (!k)
		return;
	const struct retry_attempt a = {
		.start_ns = t->first_out_ns,
		.connect_ns = retry_connect_ns(c, t->first_out_ns),
		.end_ns = end_ns,
		.result = failed ? RETRY_FAILED : RETRY_OK,
		.delivered = true,
		.caller = retry_caller_of_thread(r, t->tid),
		.process_ns = retry_process_ns(r, c->process),
		.pid = c->process ? c->process->pid : 0,
		.parent = c->process ? c->process->parent : 0,
		.tid = t->tid,
		.stack = t->stack,
	};
	retry_attempt(r, k, &a);
}

/* The first bytes tell one operation from another. Of TLS nothing but the fact that it is TLS does, since its hello is random: there
 * the call site has to. */
static uint64_t operation_hash(const struct retry *r, const struct event *e)
{
	static const uint8_t tls[] = {0x16, 0x03};

	if (e->data_len >= sizeof tls && !memcmp(e->data, tls, sizeof tls)) {
		uint64_t site = evidence_site_hash(r->env.stacks, e->stack);
		return evidence_hash(evidence_hash(EVIDENCE_HASH_SEED, tls, sizeof tls), &site, sizeof site);
	}
	if (!e->data_len)
		return evidence_hash(EVIDENCE_HASH_SEED, &e->ret, sizeof e->ret);
	return evidence_hash(EVIDENCE_HASH_SEED, e->data, e->data_len);
}

void retry_talk_data(struct retry *r, struct conn *c, enum direction d, const struct event *e)
{
	struct retry_talk *t = talk_get(r, c);

	if (!t)
		return;
	if (e->ret > 0)
		t->timed_out_ns = 0;
	if (c->protocol)
		return;
	if (d == DIR_OUT && !t->open && e->ret > 0) {
		t->open = true;
		t->hash = operation_hash(r, e);
		t->first_out_ns = e->t0;
		t->stack = e->stack;
		t->tid = e->tid;
	}
	bool broken = e->ret == 0 || e->err == ECONNRESET || e->err == EPIPE;
	if (broken && !t->broken_ns)
		t->broken_ns = e->t1;
	if (d == DIR_IN && e->ret > 0 && t->open)
		talk_attempt(r, c, t, e->t1, false);
}

void retry_talk_wait(const struct wait *w)
{
	struct retry_talk *t = w->conn->slot[RETRY_SLOT];

	if (!t || w->op != WAIT_READ || w->outcome == WAIT_PENDING)
		return;
	t->timed_out_ns = w->outcome == WAIT_TIMED_OUT && w->limit_ns > 0 ? w->t1 : 0;
}

uint64_t retry_timed_out_ns(const struct conn *c, uint64_t end_ns)
{
	const struct retry_talk *t = c->slot[RETRY_SLOT];

	return t && t->timed_out_ns && t->timed_out_ns < end_ns ? t->timed_out_ns : end_ns;
}

void retry_talk_close(struct retry *r, struct conn *c, const struct event *e)
{
	struct retry_talk *t = c->slot[RETRY_SLOT];
	uint64_t now = e ? e->t1 : model_now(r->env.model);
	bool exiting = !e || e->id == WIRE_PROCESS_EXIT || e->id == WIRE_PROCESS_GONE;

	if (!t)
		return;
	if (t->open && !c->protocol) {
		bool timed_out = !exiting && now - c->last_out_ns >= TIMEOUT_MIN_NS;
		if (t->broken_ns || timed_out)
			talk_attempt(r, c, t, t->broken_ns ? t->broken_ns : retry_timed_out_ns(c, now), true);
	}
	DL_DELETE(r->talks, t);
	free(t);
	c->slot[RETRY_SLOT] = NULL;
}
