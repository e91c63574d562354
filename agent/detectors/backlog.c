/*
 * Backlogs that overflow: connections that came faster than they were accepted, and were dropped by the kernel. What it counts for one
 * listener (SAMPLE_SOCKET) are drops of any cause, with TCP_DEFER_ACCEPT one for each connection; that a queue was full it counts for all
 * listeners of a network namespace. What rose in both at the same time was dropped here for that cause, if the queue was seen full or no other
 * listener there dropped anything then or by the next look. Owner: the session; its thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/hash.h"
#include "core/samples.h"
#include "detectors/detectors.h"
#include "detectors/evidence.h"

static const struct rule rules[] = {
	{
		.id = "resource.backlog.overflow",
		.severity = SEVERITY_ERROR,
		.title = "connections were dropped because the backlog was full",
		.doc = "Given where the kernel dropped connections of a listener while it was watched, since its queue of "
		       "connections that wait to be accepted was full (seen so, if other listeners of the host dropped some, too). "
		       "Clients try again after a second, then two, or time out.",
		.remedy = "Accept faster (do no work between accepts, use more workers), or give listen() a longer backlog; "
			  "net.core.somaxconn caps it.",
	},
	{0},
};

struct listener {
	uint64_t inode; /* the key */
	struct sample_socket last;
	uint64_t overflow; /* of the last look, without a drop: that is read first */
	uint64_t pending;  /* dropped by the last look, if the next shows no drop of another listener either */
	uint64_t dropped;  /* for want of room */
	uint64_t longest, first_ns;
	UT_hash_handle hh;
};

struct backlog {
	struct detector_env env;
	struct listener *listeners;
};

static void *backlog_create(const struct detector_env *env)
{
	struct backlog *d = calloc(1, sizeof *d);

	if (d)
		d->env = *env;
	return d;
}

static struct listener *listener_of(struct backlog *d, const struct event *e, const struct sample_socket *s)
{
	const struct conn *c = model_conn(d->env.model, e->pid, e->fd);
	struct listener *l;

	HASH_FIND(hh, d->listeners, &e->a1, sizeof e->a1, l);
	if (l || HASH_COUNT(d->listeners) >= LIMIT_PEERS || !(l = calloc(1, sizeof *l)))
		return l;
	*l = (struct listener){.inode = e->a1, .first_ns = e->t1};
	/* What was dropped before the session is not of it. */
	if (!c || c->inherited)
		l->last.drops = s->drops;
	l->last.net_overflows = s->net_overflows;
	l->last.net_drops = s->net_drops;
	HASH_ADD(hh, d->listeners, inode, sizeof l->inode, l);
	if (!l->hh.tbl) {
		free(l);
		return NULL;
	}
	return l;
}

static uint64_t risen(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Connections dropped since they were last told because the queue was full. */
static uint64_t dropped_now(struct listener *l, const struct sample_socket *s)
{
	const bool seen_full = s->queue > s->queue_max;
	const bool others_too = s->net_drops - s->drops != l->last.net_drops - l->last.drops;
	const uint64_t drops = risen(l->last.drops, s->drops), overflows = risen(l->last.net_overflows, s->net_overflows);
	const uint64_t here = lesser(drops, overflows + l->overflow);
	uint64_t n = 0;

	l->last = *s;
	if (s->net_overflows == SAMPLE_UNKNOWN)
		return l->longest > s->queue_max ? drops : 0;
	if (seen_full)
		n = here;
	if (!others_too)
		n += l->pending;
	l->pending = seen_full || others_too ? 0 : here;
	l->overflow = !seen_full && others_too ? 0 : lesser(overflows, overflows + l->overflow - here);
	return n;
}

static void tell(const struct backlog *d, const struct listener *l, const struct event *e, const struct sample_socket *s,
		 uint64_t now)
{
	const struct conn *c = model_conn(d->env.model, e->pid, e->fd);
	char message[256], key[32];

	snprintf(key, sizeof key, "port %" PRIu64, s->port);
	snprintf(message, sizeof message, "%s: %" PRIu64 " connections dropped, its queue of %" PRIu64 " was full", key, l->dropped,
		 s->queue_max);
	const struct finding f = {
		.rule = &rules[0],
		.severity = rules[0].severity,
		.confidence = CONFIDENCE_OBSERVED,
		.peer = "",
		.operation = "accept",
		.stack = c ? c->open_stack : 0,
		.key = key,
		.count = now,
		.first_seen_ns = l->first_ns,
		.last_seen_ns = e->t1,
		.evidence = json_pack("{s:I, s:I, s:I, s:I}", "port", (json_int_t)s->port, "dropped", (json_int_t)l->dropped,
				      "queue_max", (json_int_t)s->queue_max, "longest_queue_sampled", (json_int_t)l->longest),
		.message = message,
	};
	d->env.emit(d->env.emit_ctx, &f);
}

static void backlog_event(void *ctx, const struct event *e)
{
	struct backlog *d = ctx;
	struct sample_socket s;
	struct listener *l;
	uint64_t now;

	if (e->id != WIRE_SAMPLE_SOCKET || e->a0 != SAMPLE_LISTEN || !sample_socket_of(&s, e->data, e->data_len))
		return;
	if (s.drops == SAMPLE_UNKNOWN || !(l = listener_of(d, e, &s)))
		return;
	l->longest = s.queue > l->longest ? s.queue : l->longest;
	now = dropped_now(l, &s);
	l->dropped += now;
	if (now > 0)
		tell(d, l, e, &s, now);
}

static void backlog_destroy(void *state)
{
	struct backlog *d = state;
	struct listener *l, *next;

	HASH_ITER (hh, d->listeners, l, next) {
		HASH_DEL(d->listeners, l);
		free(l);
	}
	free(d);
}

const struct detector backlog_detector = {
	.name = "backlog",
	.doc = "listeners whose queue was full",
	.rules = rules,
	.create = backlog_create,
	.destroy = backlog_destroy,
	.observer = {.rare_event = backlog_event},
};
