/*
 * The deadline detector: follows each connection to a dependency through connect, response and body, gathers the waits of each phase, and
 * hands what they show to the tallies. A connection with nothing outstanding is idle, and its waits say nothing.
 *
 * Owns one struct per client connection (conn.slot) and the tallies. The session's thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "detectors/deadline.h"
#include "detectors/detectors.h"
#include "detectors/peers.h"
#include "protocols/protocol.h"

#define YOUNG_NS (2 * NS_PER_S) /* so long, what a connection shows is held back: it may turn out to be a subscription */
#define PENDING_MIN_NS NS_PER_S /* a wait under way is looked at once it is this old */
#define DRIP_GAPS_MIN 3U        /* gaps that make a body drip */

static const char *protocol_of(const struct conn *c)
{
	return c->protocol ? c->protocol->name : "";
}

static struct judge judge_of(const struct deadline *d, const struct deadline_conn *k, uint64_t now_ns, const struct watch *w)
{
	return (struct judge){
		.now_ns = now_ns,
		.operation_ns = k->operation_ns && k->operation_ns < now_ns ? k->operation_ns : w->since_ns,
		.no_give_up_ns = evidence_option_ns(d->env.options[DEADLINE_O_NO_GIVE_UP]),
		.user_timeout_ns = k->conn->user_timeout_ns,
		.syn_count = k->conn->syncnt,
		.dripping = k->gaps >= DRIP_GAPS_MIN && now_ns - w->since_ns < k->longest_gap_ns,
	};
}

static void release(struct deadline *d, struct deadline_conn *k)
{
	for (uint32_t i = 0; i < k->held_n; i++)
		deadline_observe(d, k->conn->peer, protocol_of(k->conn), &k->held[i]);
	k->held_n = 0;
}

void deadline_hold(struct deadline *d, struct deadline_conn *k, const struct observation *o)
{
	if (k->by_design && (o->phase == PHASE_RESPONSE || o->phase == PHASE_BODY || o->phase == PHASE_TOTAL))
		return;
	if (o->last_ns > k->conn->opened_ns + YOUNG_NS || o->phase == PHASE_CONNECT || o->phase == PHASE_WRITE) {
		release(d, k);
		deadline_observe(d, k->conn->peer, protocol_of(k->conn), o);
		return;
	}
	for (uint32_t i = 0; i < k->held_n; i++) {
		struct observation *h = &k->held[i];
		if (h->phase == o->phase && h->weight == o->weight && h->how == o->how && h->stack == o->stack) {
			h->calls += o->calls;
			h->operations += o->operations;
			h->last_ns = o->last_ns;
			if (o->limit_ns > h->limit_ns)
				h->limit_ns = o->limit_ns;
			if (o->waited_ns > h->waited_ns)
				h->waited_ns = o->waited_ns;
			return;
		}
	}
	if (k->held_n == DEADLINE_HELD_MAX)
		release(d, k);
	k->held[k->held_n++] = *o;
}

static void settle(struct deadline *d, struct deadline_conn *k, const struct watch *w, enum ending end, uint64_t now_ns)
{
	struct observation o;
	struct judge j = judge_of(d, k, now_ns, w);

	if (w->phase == PHASE_IDLE || !watch_judge(w, end, &j, &o))
		return;
	if (w->counted) { /* told while it was under way */
		o.operations = 0;
		o.calls = 0;
	}
	if (o.phase == PHASE_BODY && o.weight == W_FINITE && o.limit_ns > k->gap_limit_ns)
		k->gap_limit_ns = o.limit_ns;
	deadline_hold(d, k, &o);
}

void deadline_turn(struct deadline *d, struct deadline_conn *k, enum phase next, uint64_t now_ns, enum ending end,
		   const struct event *e)
{
	if (k->before_open)
		settle(d, k, &k->before, k->before_end, k->before.until_ns);
	k->before = k->now;
	k->before.until_ns = now_ns;
	k->before_end = end;
	k->before_open = k->now.phase != PHASE_IDLE;
	watch_begin(&k->now, next, now_ns, e ? e->tid : 0, e ? e->stack : 0, k->open_n ? k->open[0]->id : 0);
}

static void settle_all(struct deadline *d, struct deadline_conn *k, enum ending end, uint64_t now_ns)
{
	deadline_turn(d, k, PHASE_IDLE, now_ns, end, NULL);
	if (k->before_open)
		settle(d, k, &k->before, k->before_end, k->before.until_ns);
	k->before_open = false;
}

struct deadline_conn *deadline_conn_of(struct deadline *d, struct conn *c)
{
	struct deadline_conn *k = c->slot[DEADLINE_SLOT];

	if (k)
		return k;
	k = calloc(1, sizeof *k);
	if (!k)
		return NULL;
	k->conn = c;
	k->now.phase = k->before.phase = PHASE_IDLE;
	c->slot[DEADLINE_SLOT] = k;
	DL_APPEND(d->conns, k);
	return k;
}

static void conn_forget(struct deadline *d, struct deadline_conn *k)
{
	DL_DELETE(d->conns, k);
	k->conn->slot[DEADLINE_SLOT] = NULL;
	free(k);
}

static void *deadline_create(const struct detector_env *env)
{
	struct deadline *d = calloc(1, sizeof *d);

	if (d)
		d->env = *env;
	return d;
}

static void deadline_destroy(void *state)
{
	struct deadline *d = state;
	struct deadline_conn *k, *next;

	if (!d)
		return;
	DL_FOREACH_SAFE (d->conns, k, next)
		free(k);
	deadline_tallies_free(d);
	free(d);
}

static void deadline_event(void *ctx, const struct event *e)
{
	struct deadline *d = ctx;

	d->event_id = e->id;
	d->event_tid = e->tid;
	d->event_t1 = e->t1;
}

/* Did the process itself end what ended at `t`, by an act of its own on the descriptor? */
static enum ending ending_by_us(struct deadline *d, struct deadline_conn *k, uint64_t t)
{
	bool act = d->event_id == WIRE_CLOSE || d->event_id == WIRE_SHUTDOWN || d->event_id == WIRE_DUP;

	if (!act || t != d->event_t1)
		return END_EXIT;
	k->now.other_thread = k->now.last_tid && k->now.last_tid != d->event_tid;
	return END_GAVE_UP;
}

/* -- connect -- */

static void deadline_conn_connect(void *ctx, struct conn *c, const struct event *e)
{
	struct deadline *d = ctx;
	struct deadline_conn *k = c->slot[DEADLINE_SLOT];

	if (!peer_is_dependency(c)) {
		if (k)
			conn_forget(d, k);
		return;
	}
	if (!c->connect_err)
		d->client_connections++;
	if (c->kind != CONN_TCP || !k || k->now.phase != PHASE_CONNECT) {
		if (k)
			k->now.phase = PHASE_IDLE;
		return;
	}
	enum ending end = END_DATA;
	bool by_us = c->connect_err == ETIMEDOUT || c->connect_err == ECANCELED;
	if (by_us && e && (e->id == WIRE_CLOSE || e->id == WIRE_SHUTDOWN || e->id == WIRE_DUP))
		end = END_GAVE_UP;
	else if (by_us && (!e || e->id == WIRE_PROCESS_EXIT || e->id == WIRE_PROCESS_GONE))
		end = END_EXIT;
	else if (c->connect_err)
		end = END_FAILED;
	k->now.stack = c->connect_stack;
	deadline_turn(d, k, PHASE_IDLE, c->connect_t1, end, NULL);
	k->before.until_ns = end == END_GAVE_UP ? e->t1 : c->connect_t1;
	k->operation_ns = 0;
}

/* -- requests, as a protocol sees them -- */

static void deadline_request_start(void *ctx, struct request *q)
{
	struct deadline *d = ctx;
	struct deadline_conn *k;

	if (q->server || !peer_is_dependency(q->conn) || !(k = deadline_conn_of(d, q->conn)))
		return;
	if (k->open_n < DEADLINE_OPEN_MAX)
		k->open[k->open_n] = q;
	k->open_n++;
	if (k->open_n == 1) {
		k->operation_ns = q->t_start;
		k->longest_gap_ns = k->gap_limit_ns = 0;
		k->gaps = 0;
	}
}

/* The whole outlived what bounds each gap: nothing bounds the whole. */
static void check_drip(struct deadline *d, struct deadline_conn *k, const struct request *q)
{
	uint64_t lasted = q->t_end - q->t_start;

	if (k->gaps < DRIP_GAPS_MIN || !k->gap_limit_ns || lasted <= k->gap_limit_ns + k->gap_limit_ns / 5)
		return;
	const struct observation o = {
		.phase = PHASE_TOTAL,
		.weight = W_NONE,
		.how = HOW_DRIPPED,
		.observed = true,
		.waited_ns = lasted,
		.stack = q->stack,
		.first_ns = q->t_start,
		.last_ns = q->t_end,
		.calls = k->gaps,
		.operations = 1,
		.request_id = q->id,
	};
	deadline_hold(d, k, &o);
}

static enum ending ending_of(struct deadline *d, struct deadline_conn *k, const struct request *q)
{
	switch (q->end) {
	case REQUEST_DONE:
		return END_DATA;
	case REQUEST_ABANDONED:
		return ending_by_us(d, k, q->t_end);
	case REQUEST_PENDING:
		return END_PENDING;
	default:
		return END_FAILED;
	}
}

static void deadline_request_end(void *ctx, struct request *q)
{
	struct deadline *d = ctx;
	struct deadline_conn *k = q->conn->slot[DEADLINE_SLOT];
	uint32_t known;

	if (q->server || !k || !k->open_n)
		return;
	enum ending end = ending_of(d, k, q);
	known = k->open_n < DEADLINE_OPEN_MAX ? k->open_n : DEADLINE_OPEN_MAX;
	for (uint32_t i = 0; i < known; i++) {
		if (k->open[i] != q)
			continue;
		memmove(&k->open[i], &k->open[i + 1], (known - i - 1) * sizeof k->open[0]);
		k->open[known - 1] = NULL;
		break;
	}
	k->open_n--;
	if (k->open_n >= DEADLINE_OPEN_MAX) /* beyond what is looked at: the count alone goes on */
		return;
	while (k->open_n && !k->open[k->open_n - 1])
		k->open_n--;
	uint32_t tid = k->now.sender_tid;
	deadline_turn(d, k, k->open_n ? PHASE_RESPONSE : PHASE_IDLE, q->t_end, end, NULL);
	k->now.sender_tid = tid;
	check_drip(d, k, q);
	if (!k->open_n)
		k->operation_ns = 0;
}

/* -- bytes -- */

static void bytes_out(struct deadline *d, struct deadline_conn *k, const struct event *e)
{
	const struct conn *c = k->conn;

	if (e->ret <= 0)
		return;
	if (peer_waits_by_design(e->data, e->data_len)) {
		k->by_design = true;
		k->held_n = 0;
	}
	if (c->protocol && !k->open_n)
		return;
	if (k->now.phase == PHASE_IDLE) {
		if (!c->protocol || !k->operation_ns)
			k->operation_ns = e->t0;
		deadline_turn(d, k, PHASE_RESPONSE, e->t1, END_DATA, e);
	} else if (k->now.phase == PHASE_RESPONSE && !k->now.calls) { /* the request goes on */
		watch_begin(&k->now, PHASE_RESPONSE, e->t1, e->tid, e->stack, k->open_n ? k->open[0]->id : 0);
	}
}

static void bytes_in(struct deadline *d, struct deadline_conn *k, const struct event *e)
{
	const struct conn *c = k->conn;
	enum ending end = e->ret > 0 ? END_DATA : END_FAILED;

	if (k->now.phase == PHASE_IDLE || e->err == EAGAIN || e->err == EINTR)
		return;
	if (!c->protocol || end == END_FAILED) { /* of an unknown protocol: the peer has spoken last, nothing is known to be due */
		if (!c->protocol || k->open_n) {
			deadline_turn(d, k, PHASE_IDLE, e->t1, end, NULL);
			k->operation_ns = 0;
		}
		return;
	}
	if (!k->open_n || !k->open[0]->t_first_byte)
		return;
	if (k->now.phase == PHASE_BODY) {
		uint64_t gap = e->t1 - k->now.since_ns;
		k->gaps++;
		if (gap > k->longest_gap_ns)
			k->longest_gap_ns = gap;
	}
	uint32_t tid = k->now.sender_tid;
	deadline_turn(d, k, PHASE_BODY, e->t1, END_DATA, e);
	k->now.sender_tid = tid;
}

static void deadline_conn_data(void *ctx, struct conn *c, enum direction dir, const struct event *e)
{
	struct deadline *d = ctx;
	struct deadline_conn *k;

	if (!peer_is_dependency(c) || !(k = deadline_conn_of(d, c)))
		return;
	if (dir == DIR_OUT)
		bytes_out(d, k, e);
	else
		bytes_in(d, k, e);
}

static void deadline_conn_close(void *ctx, struct conn *c, const struct event *e)
{
	struct deadline *d = ctx;
	struct deadline_conn *k = c->slot[DEADLINE_SLOT];

	if (!k)
		return;
	uint64_t now = e ? e->t1 : model_now(d->env.model);
	bool by_us = e && e->id != WIRE_PROCESS_EXIT && e->id != WIRE_PROCESS_GONE && c->end == CONN_CLOSED_BY_US;
	settle_all(d, k, by_us ? ending_by_us(d, k, now) : c->end == CONN_EOF || c->end == CONN_RESET ? END_FAILED : END_EXIT, now);
	release(d, k);
	conn_forget(d, k);
}

/* -- time -- */

/* What is under way is told as pending; it is counted once, however often it is looked at. */
static void look_at_pending(struct deadline *d, uint64_t now_ns)
{
	struct deadline_conn *k;

	DL_FOREACH (d->conns, k) {
		if (k->before_open) {
			settle(d, k, &k->before, k->before_end, k->before.until_ns);
			k->before_open = false;
		}
		if (now_ns > k->conn->opened_ns + YOUNG_NS)
			release(d, k);
		if (k->now.phase == PHASE_IDLE || now_ns < k->now.since_ns + PENDING_MIN_NS || !k->conn->peer[0])
			continue;
		settle(d, k, &k->now, END_PENDING, now_ns);
		k->now.counted = true;
	}
}

static void deadline_tick(void *ctx, uint64_t now_ns)
{
	look_at_pending(ctx, now_ns);
	deadline_tell(ctx, now_ns, false);
}

static void deadline_finish(void *state, uint64_t now_ns)
{
	struct deadline *d = state;
	struct deadline_conn *k;

	DL_FOREACH (d->conns, k) {
		settle_all(d, k, END_PENDING, now_ns);
		release(d, k);
	}
	deadline_tell(d, now_ns, true);
}

static json_t *deadline_report(void *state, json_t *not_exercised)
{
	return deadline_section(state, not_exercised);
}

const struct detector deadline_detector = {
	.name = "deadline",
	.doc = "waits for a dependency that nothing bounds: connect, response, body, write, resolve, the whole",
	.rules = deadline_rules,
	.options = deadline_options,
	.section = "deadlines",
	.create = deadline_create,
	.destroy = deadline_destroy,
	.observer = {.event = deadline_event,
		     .conn_connect = deadline_conn_connect,
		     .conn_data = deadline_conn_data,
		     .conn_close = deadline_conn_close,
		     .wait = deadline_wait,
		     .resolve = deadline_resolve,
		     .request_start = deadline_request_start,
		     .request_end = deadline_request_end,
		     .tick = deadline_tick},
	.finish = deadline_finish,
	.report = deadline_report,
};
