/*
 * The deadline detector's waits: which phase of which connection a wait belongs to; sends and look-ups that took long; accepted
 * connections whose client says nothing. The session's thread.
 */
#include "core/elapsed.h"
#include "detectors/deadline.h"
#include "detectors/peers.h"

#define HELD_NS (5 * NS_PER_S) /* a client that keeps a thread waiting so long is not just slow */
#define DRIP_BYTES_PER_S 1024U /* fewer, and a request comes only to keep the thread waiting */

static void connect_wait(struct deadline *d, struct deadline_conn *k, const struct wait *w)
{
	if (k->now.phase != PHASE_CONNECT) {
		uint64_t since = k->conn->connect_t0 && k->conn->connect_t0 < w->t0 ? k->conn->connect_t0 : w->t0;
		deadline_turn(d, k, PHASE_CONNECT, since, END_DATA, w->event);
		k->now.sender_tid = 0;
		k->now.operation_ns = k->operation_ns = since;
		k->now.seen_late = k->conn->connect_before;
	}
	watch_wait(&k->now, w);
}

/* A blocking write that took long: arguments alone say little of writes, since most never wait. */
static void write_wait(struct deadline *d, struct deadline_conn *k, const struct wait *w)
{
	if (w->how == WAIT_BY_EPOLL || elapsed_ns(w->t0, w->t1) < evidence_option_ns(d->env.options[DEADLINE_O_WRITE]))
		return;
	const bool forever = w->limit_ns == WAIT_INFINITE;
	const struct observation o = {
		.phase = PHASE_WRITE,
		.weight = forever           ? W_NONE
			  : w->limit_ns > 0 ? W_FINITE
					    : W_UNDECIDED,
		.how = forever ? (w->how == WAIT_BY_CALL ? HOW_CALL_FOREVER : HOW_POLL_FOREVER) : HOW_CALL_LIMIT,
		.limit_ns = w->limit_ns > 0 ? (uint64_t)w->limit_ns : 0,
		.waited_ns = elapsed_ns(w->t0, w->t1),
		.stack = w->stack,
		.first_ns = w->t0,
		.last_ns = w->t1,
		.calls = 1,
		.operations = 1,
	};
	deadline_hold(d, k, &o);
}

/*
 * A client that has not finished its first request holds this thread for as long as it likes: it says nothing (no limit), or a few bytes
 * now and then (a limit on each read is none on the whole). Once it was answered, silence is an idle connection; and what streams bytes in a
 * protocol that is not known may be meant to.
 */
static void server_wait(struct deadline *d, const struct wait *w)
{
	const struct conn *c = w->conn;
	const uint64_t age = elapsed_ns(c->opened_ns, w->t1), warn_ns = evidence_option_ns(d->env.options[DEADLINE_O_WARN]);
	const bool alone = w->how == WAIT_BY_CALL || (w->how == WAIT_BY_POLL && w->covers <= 1 && w->outcome != WAIT_PENDING);
	const bool forever = w->limit_ns == WAIT_INFINITE && elapsed_ns(w->t0, w->t1) >= HELD_NS;
	const bool drips = c->bytes_in && age >= warn_ns && c->bytes_in / (age / NS_PER_S + 1) < DRIP_BYTES_PER_S;
	struct deadline_slow *s;

	if (w->op != WAIT_READ || !alone || c->kind != CONN_TCP || c->inherited || c->bytes_out || (c->bytes_in && !c->protocol))
		return;
	if (w->limit_ns == 0 || (!forever && !drips))
		return;
	char name[SITE_TEXT_SIZE];
	evidence_site(d->env.stacks, w->stack, name, sizeof name);
	if (!(s = deadline_slow_get(d, &d->clients, name)))
		return;
	s->tally.stack = w->stack;
	const struct observation o = {
		.weight = W_NONE,
		.how = forever ? HOW_CALL_FOREVER : HOW_DRIPPED,
		.waited_ns = age,
		.stack = w->stack,
		.first_ns = c->opened_ns,
		.last_ns = w->t1,
		.calls = 1,
		.operations = forever && w->outcome != WAIT_PENDING,
	};
	tally_add(&s->tally, &o);
}

/* Nothing was sent, and the thread waits for this peer: one that speaks first, as databases and mail servers do. */
static void greeting_wait(struct deadline *d, struct deadline_conn *k, const struct wait *w)
{
	const struct conn *c = k->conn;

	if (c->bytes_in || c->bytes_out || !c->connect_t1 || c->connect_err || w->how == WAIT_BY_EPOLL || w->covers > 2 ||
	    (w->op != WAIT_READ && (w->outcome != WAIT_PENDING || w->op != WAIT_WRITE)))
		return;
	k->operation_ns = c->connect_t1;
	deadline_turn(d, k, PHASE_RESPONSE, c->connect_t1, END_DATA, NULL);
	k->now.sender_tid = w->tid;
}

void deadline_wait(void *ctx, const struct wait *w)
{
	struct deadline *d = ctx;
	struct conn *c = w->conn;
	struct deadline_conn *k;

	if (w->op == WAIT_LOOP) {
		watchdog_sleep(d, w);
		return;
	}
	if (w->op == WAIT_SLEEP) {
		wheel_sleep(d, w);
		watchdog_sleep(d, w);
		return;
	}

	if (!c)
		return;
	if (c->role == CONN_SERVER)
		server_wait(d, w);
	if (w->op == WAIT_CONNECT) { /* told before the peer is known: conn_connect drops what is no dependency */
		if (c->role == CONN_CLIENT && c->kind == CONN_TCP && (k = deadline_conn_of(d, c)))
			connect_wait(d, k, w);
		return;
	}
	if (!peer_is_dependency(c) || !(k = deadline_conn_of(d, c)))
		return;
	if (k->now.phase == PHASE_IDLE)
		greeting_wait(d, k, w);
	/* Of a poll that has not returned, the set is the one polled before: what it waits for is not known. */
	bool guessed = w->outcome == WAIT_PENDING && w->how == WAIT_BY_POLL;
	if (w->op == WAIT_WRITE && !guessed) {
		write_wait(d, k, w);
		return;
	}
	if (w->op != WAIT_READ && w->op != WAIT_WRITE)
		return;
	struct watch *at = w->t1 > k->now.since_ns ? &k->now : k->before_open ? &k->before : NULL;
	if (!at || (at->phase != PHASE_RESPONSE && at->phase != PHASE_BODY))
		return;
	at->clock_ticks += w->outcome != WAIT_PENDING && runtime_clock(d->env.stacks, w);
	watch_wait(at, w);
}

void deadline_resolve(void *ctx, const struct resolve *r)
{
	struct deadline *d = ctx;
	uint64_t took = elapsed_ns(r->event->t0, r->event->t1);
	struct deadline_slow *s;

	if (took < evidence_option_ns(d->env.options[DEADLINE_O_RESOLVE]) || !r->name || !r->name[0])
		return;
	if (!(s = deadline_slow_get(d, &d->names, r->name)))
		return;
	s->tally.stack = r->event->stack;
	const struct observation o = {
		.weight = W_NONE,
		.how = HOW_KERNEL,
		.waited_ns = took,
		.stack = r->event->stack,
		.first_ns = r->event->t0,
		.last_ns = r->event->t1,
		.calls = 1,
		.operations = 1,
	};
	tally_add(&s->tally, &o);
}
