/*
 * The retry detector's entry: turns requests into attempts at operations, and hands them to the sequences (retry_sequence.c);
 * connections are retry_talk.c's, look-ups of names retry_lookup.c's.
 *
 * Owns its keys, peers and callers. The session's thread.
 */
#include <stdlib.h>

#include "core/elapsed.h"
#include "detectors/detectors.h"
#include "detectors/peers.h"
#include "detectors/retry.h"

#define TIMEOUT_MIN_NS (50 * NS_PER_MS) /* a request abandoned sooner was no timeout */

static void *retry_create(const struct detector_env *env)
{
	struct retry *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->env = *env;
	retry_incoming_init(r);
	return r;
}

static void retry_destroy(void *state)
{
	struct retry *r = state;

	if (!r)
		return;
	retry_incoming_free(r);
	retry_talks_free(r);
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
		if (q->area != AREA_HTTP)
			return !q->failed ? RETRY_OK : q->transient ? RETRY_FAILED : q->setup ? RETRY_NEUTRAL : RETRY_REFUSED;
		return result_of_status(q->status);
	case REQUEST_PENDING:
		return RETRY_PENDING;
	case REQUEST_ABANDONED: /* closed with the head in hand: the caller had its answer; or it gave up after a while */
		if (q->area == AREA_HTTP && q->t_first_byte && q->status)
			return q->status < 400 ? RETRY_NEUTRAL : result_of_status(q->status);
		return elapsed_ns(q->t_start, q->t_end) >= TIMEOUT_MIN_NS ? RETRY_FAILED : RETRY_NEUTRAL;
	case REQUEST_EOF:
	case REQUEST_RESET:
	case REQUEST_REFUSED:
		return RETRY_FAILED;
	}
	return RETRY_NEUTRAL;
}

/* Clients close after their back-off: a timeout ended when the wait for the answer did. */
static uint64_t end_of(const struct request *q)
{
	uint64_t end = q->t_end > q->t_start ? q->t_end : q->t_start;

	if (q->end == REQUEST_ABANDONED)
		end = retry_timed_out_ns(q->conn, end);
	return end > q->t_start ? end : q->t_start;
}

static void retry_request_start(void *ctx, struct request *q)
{
	if (q->server)
		retry_incoming_start(ctx, q);
}

static void retry_request_end(void *ctx, struct request *q)
{
	struct retry *r = ctx;
	char operation[LIMIT_PEER_TEXT];

	if (q->server) {
		retry_incoming_end(r, q);
		return;
	}
	retry_work_request(r, q);
	if (!peer_is_dependency(q->conn))
		return;
	const uint64_t hash = retry_request_hash(q);
	struct retry_key *k = retry_key_find(r, q->conn->peer, hash);
	if (!k)
		k = retry_key_get(r, RETRY_OF_REQUEST, q->conn->peer, retry_operation_text(q, operation, sizeof operation), hash,
				  q->stack);
	if (!k)
		return;
	const uint64_t end_ns = end_of(q);
	const struct retry_attempt a = {
		.start_ns = q->t_start,
		.connect_ns = retry_connect_ns(q->conn, q->t_start),
		.end_ns = end_ns,
		.result = result_of(q),
		.status = q->status,
		.retry_after_ns = q->retry_after_ns > 0 ? (uint64_t)q->retry_after_ns : 0,
		.delivered = !q->status && !q->answered,
		.unsafe = retry_repeats_work(q),
		.caller = retry_caller_of(r, q),
		.request_id = q->id,
		.process_ns = retry_process_ns(r, q->conn->process),
		.pid = q->pid,
		.tid = q->tid,
		.parent = q->conn->process ? q->conn->process->parent : 0,
		.stack = q->stack,
		.asked = retry_crowd_asked(r, k, q, end_ns),
		.number = q->attempt,
		.answered = q->end == REQUEST_DONE || q->end == REQUEST_EOF || q->end == REQUEST_RESET,
	};
	q->resend_count = retry_attempt(r, k, &a);
	q->resend_of = q->resend_count > 0 ? k->client->seq.repeats : 0;
	r->env.counters->retries_out += q->resend_count > 0;
	if (a.result == RETRY_FAILED)
		retry_caller_failed(r, q, k);
	retry_budget_count(r, k, q->t_start, q->resend_count > 0, q->stack);
}

static void retry_conn_connect(void *ctx, struct conn *c, const struct event *e)
{
	if (peer_is_dependency(c))
		retry_connect_ended(ctx, c, e ? e->tid : 0);
}

static void retry_conn_data(void *ctx, struct conn *c, enum direction d, const struct event *e)
{
	retry_work_read(ctx, c, d, e);
	if (peer_is_dependency(c))
		retry_talk_data(ctx, c, d, e);
}

static void retry_wait(void *ctx, const struct wait *w)
{
	if (w->conn)
		retry_talk_wait(w);
	else
		retry_slept(ctx, w);
}

static void retry_log(void *ctx, const struct log_write *l)
{
	retry_logged(ctx, l);
}

static void retry_conn_close(void *ctx, struct conn *c, const struct event *e)
{
	retry_talk_close(ctx, c, e);
}

static void retry_resolve(void *ctx, const struct resolve *l)
{
	retry_lookup(ctx, l);
}

static void retry_event(void *ctx, const struct event *e)
{
	if (e->id == WIRE_READ || e->id == WIRE_WRITE) /* as most are, and none of these wants them */
		return;
	retry_process_event(ctx, e);
	retry_asked_event(ctx, e);
	retry_work_event(ctx, e);
	retry_crowd_event(ctx, e);
}

static void retry_exit(void *ctx, struct process *p)
{
	retry_process_gone(ctx, p);
}

static void retry_tick(void *ctx, uint64_t now_ns)
{
	retry_expire(ctx, now_ns);
	retry_incoming_tick(ctx, now_ns);
	retry_tell(ctx, false);
}

static void retry_finish(void *state, uint64_t now_ns)
{
	retry_end_all(state, now_ns);
	retry_tell(state, true);
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
		     .process_exit = retry_exit,
		     .conn_connect = retry_conn_connect,
		     .conn_data = retry_conn_data,
		     .conn_close = retry_conn_close,
		     .wait = retry_wait,
		     .log = retry_log,
		     .resolve = retry_resolve,
		     .request_start = retry_request_start,
		     .request_end = retry_request_end,
		     .tick = retry_tick},
	.finish = retry_finish,
	.report = retry_report,
};
