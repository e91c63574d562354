/*
 * Backlogs that overflow: connections that came faster than they were accepted, and were dropped by the kernel. Its own count for the
 * listener says so (SAMPLE_SOCKET): a drop is a drop, so nothing is guessed. Owner: the session; its thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/samples.h"
#include "detectors/detectors.h"
#include "detectors/evidence.h"

static const struct rule rules[] = {
	{
		.id = "resource.backlog.overflow",
		.severity = SEVERITY_ERROR,
		.title = "connections were dropped because the backlog was full",
		.doc = "Given where the kernel dropped connections of a listener while it was watched: its queue of connections "
		       "that wait to be accepted "
		       "was full. Clients try again after a second, then two, or time out.",
		.remedy = "Accept faster (do no work between accepts, use more workers), or give listen() a longer backlog; "
			  "net.core.somaxconn caps it.",
	},
	{0},
};

struct listener {
	uint64_t inode; /* the key */
	uint64_t drops, first_drops;
	uint64_t longest, max, first_ns;
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
		l->drops = l->first_drops = s->drops;
	HASH_ADD(hh, d->listeners, inode, sizeof l->inode, l);
	if (!l->hh.tbl) {
		free(l);
		return NULL;
	}
	return l;
}

static void tell(const struct backlog *d, const struct listener *l, const struct event *e, const struct sample_socket *s)
{
	const struct conn *c = model_conn(d->env.model, e->pid, e->fd);
	char message[256], key[32];

	snprintf(key, sizeof key, "port %" PRIu64, s->port);
	snprintf(message, sizeof message, "%s: %" PRIu64 " connections dropped, its queue of %" PRIu64 " was full", key,
		 s->drops - l->first_drops, s->queue_max);
	const struct finding f = {
		.rule = &rules[0],
		.severity = rules[0].severity,
		.confidence = CONFIDENCE_OBSERVED,
		.peer = "",
		.operation = "accept",
		.stack = c ? c->open_stack : 0,
		.key = key,
		.count = s->drops - l->drops,
		.first_seen_ns = l->first_ns,
		.last_seen_ns = e->t1,
		.evidence = json_pack("{s:I, s:I, s:I, s:I}", "port", (json_int_t)s->port, "dropped",
				      (json_int_t)(s->drops - l->first_drops), "queue_max", (json_int_t)s->queue_max,
				      "longest_queue_sampled", (json_int_t)l->longest),
		.message = message,
	};
	d->env.emit(d->env.emit_ctx, &f);
}

static void backlog_event(void *ctx, const struct event *e)
{
	struct backlog *d = ctx;
	struct sample_socket s;
	struct listener *l;

	if (e->id != WIRE_SAMPLE_SOCKET || e->a0 != SAMPLE_LISTEN || e->data_len < sizeof s)
		return;
	memcpy(&s, e->data, sizeof s);
	if (s.drops == SAMPLE_UNKNOWN || !(l = listener_of(d, e, &s)))
		return;
	l->longest = s.queue > l->longest ? s.queue : l->longest;
	if (s.drops > l->drops)
		tell(d, l, e, &s);
	l->drops = s.drops;
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
	.observer = {.event = backlog_event},
};
