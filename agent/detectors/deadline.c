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

#include "core/elapsed.h"
#include "detectors/deadline_caller.h"
#include "detectors/detectors.h"
#include "detectors/peers.h"
#include "protocols/protocol.h"

#define PENDING_MIN_NS NS_PER_S /* a wait under way is looked at once it is this old */
#define GREETING_MIN_NS NS_PER_S
#define STOP_SLACK_NS NS_PER_S         /* a signal to a whole group reaches the service before we read ours */
#define HALF_CLOSED_NS (NS_PER_S / 10) /* from the end of a wait to what its thread does about it */

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

	if (!d)
		return NULL;
	d->env = *env;
	callers_start(d);
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
	callers_free(d);
	deadline_tallies_free(d);
	free(d);
}

/* A Go program's read on a connection where nothing was said yet: called by the program's own code it waits for a peer that speaks first. Go's
 * own library reads ahead on connections that nobody uses. */
static void go_greeting(struct deadline *d, struct deadline_conn *k, const struct event *e)
{
	const struct conn *c = k->conn;
	const struct frame *site = stacks_site(d->env.stacks, e->stack);

	if (!c->process->go || k->now.phase != PHASE_IDLE || c->bytes_in || c->bytes_out || !c->connect_t1 || c->connect_err ||
	    !site || site->runtime || !peer_is_dependency(c))
		return;
	k->operation_ns = c->connect_t1;
	deadline_turn(d, k, PHASE_RESPONSE, c->connect_t1, END_DATA, e);
}

/* A non-blocking read that found nothing. */
static void tried(struct deadline *d, const struct event *e)
{
	struct conn *c = model_conn(d->env.model, e->pid, e->fd);
	struct deadline_conn *k = c ? c->slot[DEADLINE_SLOT] : NULL;

	if (k)
		go_greeting(d, k, e);
	if (k && (k->now.phase == PHASE_RESPONSE || k->now.phase == PHASE_BODY) && elapsed_ns(e->t0, e->t1) < NS_PER_MS)
		watch_try(&k->now, e);
}

/* Before it was watched, the process asked something that has not been answered; or it connected, and nobody has said anything yet. */
static void asked_before(struct deadline *d, const struct event *e)
{
	struct conn *c = model_conn(d->env.model, e->pid, e->fd);
	struct deadline_conn *k = c && peer_is_dependency(c) ? deadline_conn_of(d, c) : NULL;

	if (!k || k->now.phase != PHASE_IDLE || e->a0 == WIRE_OUTSTANDING_FRESH)
		return;
	const bool body = e->a0 == WIRE_OUTSTANDING_BODY; /* since when, nobody knows */
	k->operation_ns = body ? c->opened_ns : e->t0;
	deadline_turn(d, k, body ? PHASE_BODY : PHASE_RESPONSE, k->operation_ns, END_DATA, NULL);
	k->now.begun_before = body;
}

/* The reader saw the end before the shutdown that made it had returned. */
static void shut_down(struct deadline *d, const struct event *e)
{
	struct conn *c = model_conn(d->env.model, e->pid, e->fd);
	struct deadline_conn *k = c ? c->slot[DEADLINE_SLOT] : NULL;

	if (!k || e->ret < 0 || !k->before_open || k->before_end != END_FAILED || e->t0 > k->before.until_ns)
		return;
	k->before_end = END_GAVE_UP;
	k->before.other_thread = k->before.last_tid && k->before.last_tid != e->tid;
	k->before.announced = false; /* what a poll announced was this end */
}

/* Its wait ran out, and at once it says that it asks nothing more: so Java closes a channel that a selector still holds (SocketChannelImpl). */
static void half_closed(struct deadline *d, const struct event *e)
{
	struct conn *c = model_conn(d->env.model, e->pid, e->fd);
	struct deadline_conn *k = c ? c->slot[DEADLINE_SLOT] : NULL;
	struct watch *w = k ? &k->now : NULL;

	if (!w || e->ret < 0 || e->a0 != SHUT_WR || (w->phase != PHASE_RESPONSE && w->phase != PHASE_BODY))
		return;
	deadline_ran_out_unseen(w, e->tid, e->t0);
	w->half_closed = w->loop_timed_out && e->tid == w->last_tid && e->t0 >= w->last_t1 && e->t0 - w->last_t1 <= HALF_CLOSED_NS;
}

static void deadline_event(void *ctx, const struct event *e)
{
	struct deadline *d = ctx;

	d->event_id = e->id;
	d->event_tid = e->tid;
	d->event_t1 = e->t1;
	if (e->id == WIRE_READ && e->ret < 0 && e->err == EAGAIN)
		tried(d, e);
	if (e->id == WIRE_OUTSTANDING)
		asked_before(d, e);
	if (e->id == WIRE_THREAD_START)
		pool_born(d, e);
	if (e->id == WIRE_ITIMER || e->id == WIRE_TIMER_SETTIME || e->id == WIRE_TIMERFD_SETTIME)
		watchdog_alarm(d, e);
	if (e->id == WIRE_SHUTDOWN) {
		shut_down(d, e);
		half_closed(d, e);
	}
	if (e->id == WIRE_STOPPING && !d->stopping_ns) {
		d->stopping_ns = e->t1 > STOP_SLACK_NS ? e->t1 - STOP_SLACK_NS : 1;
		watchdog_stopping(d);
	}
}

/* Did the process itself end what ended at `t`, by an act of its own on the descriptor? */
static enum ending ending_by_us(struct deadline *d, struct deadline_conn *k, uint64_t t)
{
	bool act = d->event_id == WIRE_CLOSE || d->event_id == WIRE_SHUTDOWN || d->event_id == WIRE_DUP;

	if (!act || t != d->event_t1 || k->conn->process->exit_ns) /* what a process closes while it exits, it does not give up */
		return END_EXIT;
	k->now.other_thread = k->now.last_tid && k->now.last_tid != d->event_tid;
	return END_GAVE_UP;
}

/* -- connect -- */

/* A connect() from before anybody watched, whose thread closes or exits then: it may have failed, unless a limit of its own, or an alarm, was up. */
static bool ended_unseen(const struct deadline *d, const struct conn *c, const struct watch *w, enum ending end)
{
	return c->connect_before && !c->nonblocking && w->last_tid == (end == END_EXIT ? c->process->exit_tid : d->event_tid) &&
	       (!w->limit_ns || elapsed_ns(w->since_ns, c->connect_t1) < w->limit_ns) &&
	       (!w->alarm_due_ns || c->connect_t1 < w->alarm_due_ns);
}

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
	if (!k && !c->connect_err && c->kind == CONN_TCP)
		k = deadline_conn_of(d, c);
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
	k->now.begun_before = (end == END_GAVE_UP || end == END_EXIT) && ended_unseen(d, c, &k->now, end);
	if (k->now.begun_before && (c->user_timeout_ns > 0 || c->syncnt > 0)) {
		k->now.begun_before = false;
		end = END_FAILED; /* the socket says itself what bounds it */
	}
	deadline_turn(d, k, PHASE_IDLE, c->connect_t1, end, NULL);
	k->before.until_ns = end == END_GAVE_UP ? e->t1 : c->connect_t1;
	k->operation_ns = 0;
}

static void deadline_process_exit(void *ctx, struct process *p)
{
	struct deadline *d = ctx;

	if (!p->exit_ns)
		watchdog_killed(d, p, model_now(d->env.model));
}

/* -- requests, as a protocol sees them -- */

static void deadline_request_start(void *ctx, struct request *q)
{
	struct deadline *d = ctx;
	struct deadline_conn *k;

	if (q->server)
		caller_start(d, q);
	if (q->server || !peer_is_dependency(q->conn) || !(k = deadline_conn_of(d, q->conn)))
		return;
	call_start(d, q);
	k->asked = true;
	k->waits = q->waits;
	if (k->open_n < DEADLINE_OPEN_MAX)
		k->open[k->open_n] = q;
	k->open_n++;
	if (k->open_n == 1) {
		k->now.stated_ns = q->deadline_ns > 0 ? (uint64_t)q->deadline_ns : 0;
		k->operation_ns = q->t_start;
		k->longest_gap_ns = k->gap_limit_ns = 0;
		k->gaps = k->gaps_anew = k->timer_moves = 0;
		k->timer_due_ns = 0;
	}
}

/*
 * The process told the peer, in so many words, that it does not want the answer any more (HTTP/2 resets the stream), and keeps the connection.
 * Whatever its loop was told last, no answer was there.
 */
static bool taken_back(const struct deadline *d, struct deadline_conn *k, const struct request *q)
{
	if ((d->event_id != WIRE_WRITE && d->event_id != WIRE_TLS_WRITE && d->event_id != WIRE_SENDMMSG) ||
	    q->t_end != d->event_t1 || q->t_first_byte || k->conn->process->exit_ns)
		return false;
	k->now.announced = false;
	return true;
}

static enum ending ending_of(struct deadline *d, struct deadline_conn *k, const struct request *q)
{
	switch (q->end) {
	case REQUEST_DONE:
		return END_DATA;
	case REQUEST_ABANDONED:
		return taken_back(d, k, q) ? END_GAVE_UP : ending_by_us(d, k, q->t_end);
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

	if (q->server) {
		caller_end(d, q);
		return;
	}
	call_end(d, q);
	if (!k || !k->open_n)
		return;
	enum ending end = ending_of(d, k, q);
	if (end == END_GAVE_UP && deadline_is_stopping(d, q->t_end))
		end = END_PENDING;
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
	struct observation o;
	bool dripped = k->now.phase == PHASE_BODY && deadline_drips(d, k, &k->now, q->t_end, &o);
	if (dripped && (end == END_DATA || end == END_PENDING || end == END_EXIT))
		deadline_hold(d, k, &o);
	deadline_take_back(&k->drip);
	uint32_t tid = k->now.sender_tid;
	deadline_turn(d, k, k->open_n ? PHASE_RESPONSE : PHASE_IDLE, q->t_end, end, NULL);
	k->now.sender_tid = tid;
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
		watchdog_forget(d, c);
	}
	if (k->asked && !k->open_n)
		return;
	if (k->now.phase == PHASE_IDLE) {
		if (!k->asked || !k->operation_ns)
			k->operation_ns = e->t0;
		deadline_turn(d, k, PHASE_RESPONSE, e->t1, END_DATA, e);
	} else if (k->now.phase == PHASE_RESPONSE && !k->now.calls && !k->now.told.tally) { /* the request goes on */
		uint64_t began = k->now.operation_ns;
		const uint64_t stated = k->now.stated_ns;
		watch_begin(&k->now, PHASE_RESPONSE, e->t1, e->tid, e->stack, k->open_n && k->open[0] ? k->open[0]->id : 0);
		k->now.operation_ns = began;
		k->now.stated_ns = stated;
	}
}

static void bytes_in(struct deadline *d, struct deadline_conn *k, const struct event *e)
{
	enum ending end = e->ret > 0 ? END_DATA : END_FAILED;

	if (k->now.phase == PHASE_IDLE || e->err == EAGAIN || e->err == EINTR)
		return;
	if (!k->asked || end == END_FAILED) { /* without requests: the peer has spoken last, nothing is known to be due */
		if (!k->asked || k->open_n) {
			deadline_turn(d, k, PHASE_IDLE, e->t1, end, NULL);
			k->operation_ns = 0;
		}
		return;
	}
	if (!k->open_n || !k->open[0] || !k->open[0]->t_first_byte)
		return;
	if (k->now.phase == PHASE_BODY) {
		uint64_t gap = elapsed_ns(k->now.since_ns, e->t1);
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

/* Connected, not a byte either way, then closed: it waited for a peer that speaks first, as far as can be seen. One from before it was
 * watched that stays open may be waited for, or not: that much is told. */
static void greeting_never_came(struct deadline *d, struct deadline_conn *k, bool given_up, uint64_t now_ns)
{
	const struct conn *c = k->conn;
	uint64_t age = elapsed_ns(c->connect_t1, now_ns);

	if (k->now.phase != PHASE_IDLE || c->bytes_in || c->bytes_out || !c->connect_t1 || c->connect_err ||
	    age < GREETING_MIN_NS || c->process->exit_ns || !peer_is_dependency(c))
		return;
	given_up = given_up && !deadline_is_stopping(d, now_ns);
	if (!given_up && !c->inherited)
		return;
	const struct observation o = {
		.phase = PHASE_RESPONSE,
		.weight = given_up ? W_FINITE : W_UNDECIDED,
		.how = given_up ? HOW_GAVE_UP : HOW_SILENT,
		.limit_ns = given_up ? age : 0,
		.stack = c->connect_stack,
		.first_ns = c->connect_t1,
		.last_ns = now_ns,
		.operations = 1,
	};
	deadline_hold(d, k, &o);
}

static void deadline_conn_close(void *ctx, struct conn *c, const struct event *e)
{
	struct deadline *d = ctx;
	struct deadline_conn *k = c->slot[DEADLINE_SLOT];

	if (!k)
		return;
	uint64_t now = e ? e->t1 : model_now(d->env.model);
	bool by_us = e && e->id != WIRE_PROCESS_EXIT && e->id != WIRE_PROCESS_GONE && c->end == CONN_CLOSED_BY_US;
	const bool closed = by_us && d->event_id == WIRE_CLOSE;
	if (closed || (e && (e->id == WIRE_PROCESS_EXIT || e->id == WIRE_PROCESS_GONE)))
		greeting_never_came(d, k, closed, now);
	deadline_settle_all(d, k,
			    by_us                                        ? ending_by_us(d, k, now)
			    : c->end == CONN_EOF || c->end == CONN_RESET ? END_FAILED
									 : END_EXIT,
			    now);
	deadline_release(d, k);
	conn_forget(d, k);
}

/* -- time -- */

/* What is under way is told as pending; it is counted once, however often it is looked at. */
static void look_at_pending(struct deadline *d, uint64_t now_ns)
{
	struct deadline_conn *k;

	DL_FOREACH (d->conns, k) {
		deadline_settle_before(d, k);
		deadline_release_old(d, k, now_ns);
		if (k->now.phase == PHASE_IDLE || now_ns < k->now.since_ns + PENDING_MIN_NS || !k->conn->peer[0])
			continue;
		deadline_settle_for_now(d, k, now_ns);
	}
}

static void deadline_tick(void *ctx, uint64_t now_ns)
{
	watchdog_release(ctx, now_ns, false);
	caller_tick(ctx, now_ns);
	look_at_pending(ctx, now_ns);
	deadline_tell(ctx, now_ns, false);
}

static void deadline_finish(void *state, uint64_t now_ns)
{
	struct deadline *d = state;
	struct deadline_conn *k;

	DL_FOREACH (d->conns, k) {
		greeting_never_came(d, k, false, now_ns);
		deadline_settle_all(d, k, END_PENDING, now_ns);
		deadline_release(d, k);
	}
	watchdog_release(d, now_ns, true);
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
		     .process_exit = deadline_process_exit,
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
