/*
 * Connection churn: a connection for each request or few, where one that is kept would do.
 *
 * Counted by process and peer in windows of ten seconds: connects that succeeded, connections that ended, requests that were answered. A pool
 * that fills has no ends; a peer that fails has no answers; a program that does one request and exits has few. Owner: the session; its thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "detectors/detectors.h"
#include "detectors/evidence.h"
#include "detectors/peers.h"

#define WINDOW_NS (10 * NS_PER_S)
#define WINDOW_MIN 10U /* connects in a window: one a second */

enum { O_MIN, O_REQUESTS, OPTIONS };
static const struct option options[] = {
	[O_MIN] =
		{.name = "min", .value = 30, .min = 2, .max = 1e6, .unit = "connects", .doc = "to one peer, in windows that count"},
	[O_REQUESTS] = {.name = "requests",
			.value = 2,
			.min = 1,
			.max = 1e4,
			.unit = "requests",
			.doc = "a connection; fewer than so many, on average, are churn"},
	[OPTIONS] = {0},
};

static const struct rule rules[] = {
	{
		.id = "resource.connection.churn",
		.severity = SEVERITY_WARNING,
		.title = "a new connection for every request",
		.doc = "Given where a process connected {30} times or more to one peer, at least ten times in ten seconds, ended "
		       "most of these connections, "
		       "and had fewer than {2} requests answered on each, on average. Each connect costs a round trip (more with "
		       "TLS), a port for a "
		       "minute, and work of the peer.",
		.remedy = "Keep connections and use them again: one client or pool for the whole process, not one for each call.",
	},
	{0},
};

struct window {
	uint64_t connects, ends, by_us, answers;
};

struct pair {
	struct pair_key {
		uint32_t pid;
		char peer[LIMIT_PEER_TEXT];
	} key;
	uint64_t window_ns;     /* when the present one began */
	struct window now, bad; /* bad: all windows that count */
	uint64_t told, first_ns, last_ns, connect_ns;
	uint32_t stack;
	UT_hash_handle hh;
};

struct churn {
	struct detector_env env;
	struct pair *pairs;
};

static void *churn_create(const struct detector_env *env)
{
	struct churn *d = calloc(1, sizeof *d);

	if (d)
		d->env = *env;
	return d;
}

/* The window is over: does it count? */
static void settle(const struct churn *d, struct pair *p)
{
	const struct window *w = &p->now;
	const double few = d->env.options[O_REQUESTS] * (double)w->connects;

	if (w->connects >= WINDOW_MIN && w->ends * 10 >= w->connects * 8 && w->answers * 2 >= w->connects &&
	    (double)w->answers < few) {
		p->first_ns = p->bad.connects ? p->first_ns : p->window_ns;
		p->bad.connects += w->connects;
		p->bad.ends += w->ends;
		p->bad.by_us += w->by_us;
		p->bad.answers += w->answers;
		p->last_ns = p->connect_ns;
	}
	p->now = (struct window){0};
}

static void tell(const struct churn *d, struct pair *p)
{
	char message[768];

	if ((double)p->bad.connects < d->env.options[O_MIN] || p->bad.connects == p->told)
		return;
	snprintf(message, sizeof message, "%s: %" PRIu64 " connections for %" PRIu64 " requests", p->key.peer, p->bad.connects,
		 p->bad.answers);
	const bool peer_ends = p->bad.by_us * 2 < p->bad.ends;
	const struct finding f = {
		.rule = &rules[0],
		.severity = rules[0].severity,
		.confidence = CONFIDENCE_OBSERVED,
		.peer = p->key.peer,
		.operation = "connect",
		.stack = p->stack,
		.key = p->key.peer,
		.count = p->bad.connects - p->told,
		.first_seen_ns = p->first_ns,
		.last_seen_ns = p->last_ns > p->first_ns ? p->last_ns : p->first_ns,
		.evidence = json_pack("{s:I, s:I, s:o, s:s}", "connects", (json_int_t)p->bad.connects, "requests",
				      (json_int_t)p->bad.answers, "requests_a_connection",
				      evidence_number((double)p->bad.answers / (double)p->bad.connects), "ended_by",
				      peer_ends ? "peer" : "service"),
		.message = message,
		.remedy = peer_ends ? "Have the peer keep connections open (keep-alive), then keep and use them again: it ends "
				      "them now."
				    : NULL,
	};
	d->env.emit(d->env.emit_ctx, &f);
	p->told = p->bad.connects;
}

static void advance(const struct churn *d, struct pair *p, uint64_t now_ns)
{
	if (now_ns < p->window_ns + WINDOW_NS)
		return;
	settle(d, p);
	tell(d, p);
	p->window_ns = now_ns;
}

static struct pair *pair_of(struct churn *d, const struct conn *c, bool make)
{
	struct pair_key key = {.pid = c->process ? c->process->pid : 0};
	struct pair *p;

	if (c->kind != CONN_TCP || c->connect_t0 == 0 || !peer_is_dependency(c))
		return NULL;
	/* The name without what follows it: most are short. */
	const size_t name = strnlen(c->peer, sizeof key.peer - 1), len = offsetof(struct pair_key, peer) + name;
	memcpy(key.peer, c->peer, name);
	HASH_FIND(hh, d->pairs, &key, len, p);
	if (p || !make || HASH_COUNT(d->pairs) >= LIMIT_PEERS || !(p = calloc(1, sizeof *p)))
		return p;
	p->key = key;
	HASH_ADD_KEYPTR(hh, d->pairs, &p->key, len, p);
	if (!p->hh.tbl) {
		free(p);
		return NULL;
	}
	return p;
}

static void churn_connect(void *ctx, struct conn *c, const struct event *e)
{
	struct churn *d = ctx;
	struct pair *p = c->connect_err == 0 ? pair_of(d, c, true) : NULL;

	(void)e;
	if (!p)
		return;
	p->window_ns = p->window_ns ? p->window_ns : c->connect_t1;
	advance(d, p, c->connect_t1);
	p->now.connects++;
	p->connect_ns = c->connect_t1;
	p->stack = c->connect_stack;
}

static void churn_close(void *ctx, struct conn *c, const struct event *e)
{
	/* What a process that exits leaves open did not end one by one. */
	struct pair *p = e && c->connect_err == 0 && c->process && !c->process->exit_ns ? pair_of(ctx, c, false) : NULL;

	if (!p)
		return;
	p->now.ends++;
	p->now.by_us += !c->eof_in && !c->peer_ends && c->end == CONN_CLOSED_BY_US;
}

/* What fails is asked again on a new connection: a matter of retries. */
static bool went_well(const struct request *r)
{
	return r->end == REQUEST_DONE && (r->area == AREA_HTTP ? r->status < 400 : !r->failed);
}

static void churn_request_end(void *ctx, struct request *r)
{
	struct pair *p = r->conn && !r->server && went_well(r) ? pair_of(ctx, r->conn, false) : NULL;

	if (p)
		p->now.answers++;
}

static void churn_tick(void *ctx, uint64_t now_ns)
{
	struct churn *d = ctx;

	for (struct pair *p = d->pairs; p; p = p->hh.next)
		advance(d, p, now_ns);
}

static void churn_finish(void *state, uint64_t now_ns)
{
	struct churn *d = state;

	(void)now_ns;
	for (struct pair *p = d->pairs; p; p = p->hh.next) {
		settle(d, p);
		tell(d, p);
	}
}

static void churn_destroy(void *state)
{
	struct churn *d = state;
	struct pair *p, *next;

	HASH_ITER (hh, d->pairs, p, next) {
		HASH_DEL(d->pairs, p);
		free(p);
	}
	free(d);
}

const struct detector churn_detector = {
	.name = "churn",
	.doc = "a new connection for every request or two",
	.rules = rules,
	.options = options,
	.create = churn_create,
	.destroy = churn_destroy,
	.observer = {.conn_connect = churn_connect,
		     .conn_close = churn_close,
		     .request_end = churn_request_end,
		     .tick = churn_tick},
	.finish = churn_finish,
};
