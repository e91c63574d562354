/*
 * Sockets in CLOSE_WAIT: the peer has closed, the service has not. Samples of sock_diag say which; the model says whose they are.
 *
 * A pool may hold what its server closed until it is used next, and a request may go on after its client has left. So of accepted connections
 * several must lie there unused, and of the service's own ones they must come in all the time. Owner: the session; its thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/elapsed.h"
#include "core/hash.h"
#include "core/samples.h"
#include "detectors/detectors.h"
#include "detectors/evidence.h"
#include "detectors/growth.h"

#define UNANSWERED 4U /* times longer, where the last that happened was that bytes came: they may be worked on */
#define STALE_NS (5 * NS_PER_S)

enum { O_SECONDS, O_MIN, O_CLIENT_MIN, OPTIONS };
static const struct option options[] = {
	[O_SECONDS] =
		{.name = "seconds", .value = 15, .min = 1, .max = 86400, .unit = "s", .doc = "unused in CLOSE_WAIT for so long"},
	[O_MIN] = {.name = "min", .value = 3, .min = 1, .max = 1e6, .unit = "sockets", .doc = "accepted ones at the same time"},
	[O_CLIENT_MIN] = {.name = "client_min",
			  .value = 12,
			  .min = 1,
			  .max = 1e6,
			  .unit = "sockets",
			  .doc = "connections of the service's own at the same time"},
	[OPTIONS] = {0},
};

static const struct rule rules[] = {
	{
		.id = "resource.close_wait",
		.severity = SEVERITY_WARNING,
		.title = "connections that the peer closed are not closed",
		.doc = "Given where {3} accepted connections of one listener were in CLOSE_WAIT at once, unused for {15 s} (four "
		       "times as long where "
		       "the last that happened was that bytes came), or {12} of the service's own to one peer, which came in over "
		       "all of the time. "
		       "Each holds a descriptor and memory until the process ends.",
		.remedy = "Close the connection when a read returns 0 or an error, whatever is under way on it.",
	},
	{0},
};

struct waiting {
	uint64_t inode; /* of the socket: the key */
	uint32_t pid;
	int fd;
	uint64_t first_ns, last_ns; /* when it was seen in CLOSE_WAIT */
	UT_hash_handle hh;
};

/* Sockets that count as one finding. */
struct group {
	uint32_t pid, stack;
	enum conn_role role;
	char peer[LIMIT_PEER_TEXT];
	uint64_t n, first_ns, last_ns, longest_ns;
	uint64_t *times;
	struct group *next;
};

struct close_wait {
	struct detector_env env;
	struct waiting *by_inode;
	uint64_t round_ns; /* of the latest samples */
	struct told {
		uint64_t key, n;
		UT_hash_handle hh;
	} * told;
};

static void *cw_create(const struct detector_env *env)
{
	struct close_wait *d = calloc(1, sizeof *d);

	if (d)
		d->env = *env;
	return d;
}

static void cw_event(void *ctx, const struct event *e)
{
	struct close_wait *d = ctx;
	struct waiting *w;

	if (e->id == WIRE_SAMPLE_PROCESS)
		d->round_ns = e->t1;
	if (e->id != WIRE_SAMPLE_SOCKET || e->a0 != SAMPLE_CLOSE_WAIT)
		return;
	HASH_FIND(hh, d->by_inode, &e->a1, sizeof e->a1, w);
	if (!w) {
		if (HASH_COUNT(d->by_inode) >= LIMIT_CONNECTIONS || !(w = calloc(1, sizeof *w)))
			return;
		*w = (struct waiting){.inode = e->a1, .pid = e->pid, .fd = e->fd, .first_ns = e->t1};
		HASH_ADD(hh, d->by_inode, inode, sizeof w->inode, w);
		if (!w->hh.tbl) {
			free(w);
			return;
		}
	}
	w->last_ns = e->t1;
}

/* Unused for long enough? */
static bool is_left(const struct close_wait *d, const struct waiting *w, const struct conn *c, uint64_t now_ns)
{
	const uint64_t limit = evidence_option_ns(d->env.options[O_SECONDS]);
	const uint64_t used = c->last_out_ns > w->first_ns ? c->last_out_ns : w->first_ns;
	const bool unanswered = c->last_in_ns > c->last_out_ns;

	return now_ns >= used + (unanswered ? UNANSWERED * limit : limit);
}

static bool same_group(const struct group *g, const struct waiting *w, const struct conn *c, uint32_t stack)
{
	return g->pid == w->pid && g->role == c->role && g->stack == stack && (c->role == CONN_SERVER || !strcmp(g->peer, c->peer));
}

static void add(struct group **groups, const struct waiting *w, const struct conn *c, uint64_t now_ns)
{
	const uint32_t stack = c->role == CONN_SERVER && c->last_in_stack ? c->last_in_stack : c->open_stack;
	struct group *g = *groups;

	while (g && !same_group(g, w, c, stack))
		g = g->next;
	if (!g) {
		g = calloc(1, sizeof *g);
		if (!g)
			return;
		*g = (struct group){.pid = w->pid, .stack = stack, .role = c->role, .first_ns = w->first_ns, .next = *groups};
		snprintf(g->peer, sizeof g->peer, "%s", c->role == CONN_SERVER ? "" : c->peer);
		*groups = g;
	}
	uint64_t *times = reallocarray(g->times, g->n + 1, sizeof *times);
	if (!times)
		return;
	g->times = times;
	times[g->n++] = w->first_ns;
	g->first_ns = w->first_ns < g->first_ns ? w->first_ns : g->first_ns;
	g->last_ns = w->first_ns > g->last_ns ? w->first_ns : g->last_ns;
	g->longest_ns = elapsed_ns(w->first_ns, now_ns) > g->longest_ns ? elapsed_ns(w->first_ns, now_ns) : g->longest_ns;
}

static bool is_leak(const struct close_wait *d, const struct group *g)
{
	if (g->role == CONN_SERVER)
		return (double)g->n >= d->env.options[O_MIN];
	return (double)g->n >= d->env.options[O_CLIENT_MIN] &&
	       elapsed_ns(g->first_ns, g->last_ns) >= evidence_option_ns(d->env.options[O_SECONDS]) &&
	       growth_spread(g->times, g->n, g->first_ns, g->last_ns);
}

/* How many more than were told. */
static uint64_t news(struct close_wait *d, const struct group *g)
{
	const uint64_t key = evidence_hash(evidence_hash(EVIDENCE_HASH_SEED, g->peer, strlen(g->peer)),
					   &(uint64_t){(uint64_t)g->pid << 32 | g->stack}, sizeof(uint64_t));
	struct told *t;

	HASH_FIND(hh, d->told, &key, sizeof key, t);
	if (!t) {
		t = calloc(1, sizeof *t);
		if (!t)
			return 0;
		t->key = key;
		HASH_ADD(hh, d->told, key, sizeof t->key, t);
		if (!t->hh.tbl) {
			free(t);
			return 0;
		}
	}
	const uint64_t more = g->n > t->n ? g->n - t->n : 0;
	t->n += more;
	return more;
}

static void tell(struct close_wait *d, const struct group *g, uint64_t now_ns)
{
	char message[512], site[SITE_TEXT_SIZE], longest[32];
	const uint64_t more = news(d, g);

	if (more == 0)
		return;
	snprintf(message, sizeof message,
		 "%" PRIu64 " connections%s%s in CLOSE_WAIT: the peer closed, %s did not; the longest for %s", g->n,
		 g->peer[0] ? " to " : "", g->peer, evidence_site(d->env.stacks, g->stack, site, sizeof site),
		 evidence_duration(g->longest_ns, longest, sizeof longest));
	const struct finding f = {
		.rule = &rules[0],
		.severity = SEVERITY_WARNING,
		.confidence = CONFIDENCE_OBSERVED,
		.peer = g->peer,
		.operation = "close",
		.stack = g->stack,
		.key = g->role == CONN_SERVER ? "accepted" : g->peer,
		.count = more,
		.first_seen_ns = g->first_ns,
		.last_seen_ns = now_ns,
		.evidence = json_pack("{s:s, s:I, s:o}", "side", g->role == CONN_SERVER ? "accepted" : "connected", "sockets",
				      (json_int_t)g->n, "longest_s", evidence_seconds(g->longest_ns)),
		.message = message,
	};
	d->env.emit(d->env.emit_ctx, &f);
}

static void judge(struct close_wait *d, uint64_t now_ns)
{
	struct group *groups = NULL, *g;
	struct waiting *w, *next;

	HASH_ITER (hh, d->by_inode, w, next) {
		const struct conn *c = model_conn(d->env.model, w->pid, w->fd);

		if (w->last_ns + STALE_NS < d->round_ns) {
			HASH_DEL(d->by_inode, w); /* closed since */
			free(w);
		} else if (c && w->last_ns == d->round_ns && is_left(d, w, c, now_ns)) {
			add(&groups, w, c, now_ns);
		}
	}
	while ((g = groups)) {
		groups = g->next;
		if (is_leak(d, g))
			tell(d, g, now_ns);
		free(g->times);
		free(g);
	}
}

static void cw_tick(void *ctx, uint64_t now_ns)
{
	judge(ctx, now_ns);
}

static void cw_destroy(void *state)
{
	struct close_wait *d = state;
	struct waiting *w, *next;
	struct told *t, *t_next;

	HASH_ITER (hh, d->by_inode, w, next) {
		HASH_DEL(d->by_inode, w);
		free(w);
	}
	HASH_ITER (hh, d->told, t, t_next) {
		HASH_DEL(d->told, t);
		free(t);
	}
	free(d);
}

const struct detector close_wait_detector = {
	.name = "close_wait",
	.doc = "connections that the peer closed and the service did not",
	.rules = rules,
	.options = options,
	.create = cw_create,
	.destroy = cw_destroy,
	.observer = {.rare_event = cw_event, .tick = cw_tick},
};
