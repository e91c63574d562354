/*
 * How far an event loop's timers reach while an answer is outstanding. A wait of epoll says when the loop means to wake at the latest; whose
 * timer that is, it does not say, so no wait shows a bound by itself (DETECTORS, "Deadlines", 3). But whoever bounds a call by T has a timer due
 * T after its question, at the latest, so the loop never means to sleep past that; and where it meant to sleep for longer before the
 * question and no longer than T after it, the question has brought that timer. A gate compares the two counts of two versions.
 *
 * Tells no findings: the section "hints" of the report. Loops that make their own timer descriptors sleep without a limit: nothing is known of
 * them. Owner: the session; its thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/elapsed.h"
#include "core/hash.h"
#include "detectors/detectors.h"
#include "detectors/evidence.h"
#include "detectors/peers.h"

#define LOOPS 64U                /* threads that sleep in epoll, looked at; the one that slept longest ago makes room */
#define SLEEPS 8U                /* latest sleeps of a loop that are remembered: from before a connection was made for a question */
#define ASKED 128U               /* questions followed at once; the oldest are left out, which is no loss to a share */
#define REACHES 48U              /* four to an octave, from a second on: the last begins at 56 minutes */
#define BROUGHT 8U               /* lengths of timers told apart for each peer */
#define LEAST_NS NS_PER_S        /* shorter ones are ticks and slices */
#define SAME_NS (20 * NS_PER_MS) /* timers that differ by this and a fiftieth are of one length */
#define SLACK_NS \
	(100 * NS_PER_MS) /* a loop reckons from the time when it woke last, so this and a twentieth are its own lateness */

struct sleep {
	uint64_t t0, due;
};

struct loop {
	uint32_t pid, tid, n; /* n: sleeps ever; 0: the place is free */
	struct sleep sleeps[SLEEPS];
};

struct asked {
	uint64_t id, at_ns, before_ns /* when the loop meant to wake, before the question; 0: not known */,
		due_ns /* the latest since */;
	uint32_t pid, tid;
	bool endless; /* it slept without a limit */
};

/* Timers of one length that questions brought; last: the operation that did so last. */
struct brought {
	uint64_t least_ns, most_ns, operations, last;
};

struct timers_peer {
	char name[LIMIT_PEER_TEXT];
	uint64_t operations, reaches[REACHES], longest_ns;
	struct brought brought[BROUGHT];
	UT_hash_handle hh;
};

struct timers {
	struct detector_env env;
	struct loop loops[LOOPS];
	uint32_t loops_n;
	struct asked asked[ASKED];
	uint32_t asked_n;
	struct timers_peer *peers;
};

static void *timers_create(const struct detector_env *env)
{
	struct timers *d = calloc(1, sizeof *d);

	if (d)
		d->env = *env;
	return d;
}

static void timers_destroy(void *state)
{
	struct timers *d = state;
	struct timers_peer *p, *next;

	if (!d)
		return;
	HASH_ITER (hh, d->peers, p, next) {
		HASH_DEL(d->peers, p);
		free(p);
	}
	free(d);
}

/* -- the loops -- */

static uint64_t last_sleep(const struct loop *l)
{
	return l->n ? l->sleeps[(l->n - 1) % SLEEPS].t0 : 0;
}

/* The loop of this thread; to_write: a place for it, if it has none. */
static struct loop *loop_of(struct timers *d, uint32_t pid, uint32_t tid, bool to_write)
{
	struct loop *oldest = &d->loops[0];

	for (uint32_t i = 0; i < d->loops_n; i++) {
		struct loop *l = &d->loops[i];

		if (l->tid == tid && l->pid == pid)
			return l;
		if (last_sleep(l) < last_sleep(oldest))
			oldest = l;
	}
	if (!to_write)
		return NULL;
	if (d->loops_n < LOOPS)
		oldest = &d->loops[d->loops_n++];
	*oldest = (struct loop){.pid = pid, .tid = tid};
	return oldest;
}

/* When did the loop mean to wake, of its last sleep that was begun before `t`? 0: not known. */
static uint64_t due_before(const struct loop *l, uint64_t t)
{
	for (uint32_t i = 0; l && i < SLEEPS && i < l->n; i++) {
		const struct sleep *s = &l->sleeps[(l->n - 1 - i) % SLEEPS];

		if (s->t0 < t)
			return s->due;
	}
	return 0;
}

static void timers_event(void *ctx, const struct event *e)
{
	struct timers *d = ctx;
	const int64_t limit = (int64_t)e->a1;
	const bool endless = limit < 0 || (uint64_t)limit > UINT64_MAX - e->t0;

	if (e->id != WIRE_EPOLL_WAIT || limit == 0)
		return;
	const uint64_t due = endless ? UINT64_MAX : e->t0 + (uint64_t)limit;
	struct loop *l = loop_of(d, e->pid, e->tid, true);
	l->sleeps[l->n % SLEEPS] = (struct sleep){.t0 = e->t0, .due = due};
	l->n++;
	for (uint32_t i = 0; i < d->asked_n; i++) {
		struct asked *a = &d->asked[i];

		if (a->tid != e->tid || a->pid != e->pid || e->t1 <= a->at_ns)
			continue;
		a->endless = a->endless || endless;
		if (due > a->due_ns)
			a->due_ns = due;
	}
}

/* -- questions -- */

/* The oldest question makes room: it may be one that nobody answers. */
static struct asked *place_for(struct timers *d)
{
	uint32_t oldest = 0;

	if (d->asked_n < ASKED)
		return &d->asked[d->asked_n++];
	for (uint32_t i = 1; i < ASKED; i++) {
		if (d->asked[i].id < d->asked[oldest].id)
			oldest = i;
	}
	return &d->asked[oldest];
}

static void timers_request_start(void *ctx, struct request *q)
{
	struct timers *d = ctx;
	const struct conn *c = q->conn;

	if (q->server || q->setup || !peer_is_dependency(c) || c->process->go)
		return;
	/* A timer may have been set before the connection was made. */
	const uint64_t from = !c->bytes_in && c->connect_t0 && c->connect_t0 < q->t_start ? c->connect_t0 : q->t_start;
	*place_for(d) = (struct asked){
		.id = q->id,
		.at_ns = q->t_start,
		.before_ns = due_before(loop_of(d, q->pid, q->tid, false), from),
		.pid = q->pid,
		.tid = q->tid,
	};
}

static struct timers_peer *peer_of(struct timers *d, const char *name)
{
	struct timers_peer *p;

	HASH_FIND_STR(d->peers, name, p);
	if (p)
		return p;
	if (HASH_COUNT(d->peers) >= LIMIT_PEERS || !(p = calloc(1, sizeof *p))) {
		d->env.counters->limit[LIMIT_REACHED_PEERS]++;
		return NULL;
	}
	snprintf(p->name, sizeof p->name, "%s", name);
	HASH_ADD_STR(d->peers, name, p);
	if (!p->hh.tbl) {
		free(p);
		return NULL;
	}
	return p;
}

/* Where a reach of four to an octave begins: quarters by the roots of two, in millionths. */
static uint64_t reach_from(uint32_t i)
{
	static const uint64_t root[4] = {1000000, 1189207, 1414214, 1681793};

	return (root[i % 4] << (i / 4)) * (LEAST_NS / 1000000);
}

static void reach(struct timers_peer *p, uint64_t ns)
{
	uint32_t i = REACHES - 1;

	p->operations++;
	if (ns > p->longest_ns)
		p->longest_ns = ns;
	if (ns < LEAST_NS)
		return;
	while (reach_from(i) > ns)
		i--;
	p->reaches[i]++;
}

/* A question brought a timer of this length. Where all places are taken, the one that came least often makes room, of those the oldest. */
static void brought(struct timers_peer *p, uint64_t ns)
{
	const uint64_t near = SAME_NS + ns / 50;
	uint32_t at = 0;

	for (uint32_t i = 0; i < BROUGHT; i++) {
		const struct brought *b = &p->brought[i], *least = &p->brought[at];

		if (b->operations && ns + near >= b->most_ns && ns <= b->least_ns + near) {
			at = i;
			break;
		}
		if (b->operations < least->operations || (b->operations == least->operations && b->last < least->last))
			at = i;
	}
	struct brought *b = &p->brought[at];
	if (!b->operations || ns + near < b->most_ns || ns > b->least_ns + near)
		*b = (struct brought){.least_ns = ns, .most_ns = ns};
	b->operations++;
	b->last = p->operations;
	b->least_ns = ns < b->least_ns ? ns : b->least_ns;
	b->most_ns = ns > b->most_ns ? ns : b->most_ns;
}

static void answered(struct timers *d, const struct request *q, const struct asked *a)
{
	struct timers_peer *p;

	if (!a->due_ns || a->endless || q->end != REQUEST_DONE || q->waits || !q->conn->peer[0] || !(p = peer_of(d, q->conn->peer)))
		return;
	const uint64_t ns = elapsed_ns(a->at_ns, a->due_ns), slack = SLACK_NS + ns / 20;

	reach(p, ns);
	if (ns >= LEAST_NS && a->before_ns > a->due_ns + slack)
		brought(p, ns);
}

static void timers_request_end(void *ctx, struct request *q)
{
	struct timers *d = ctx;

	if (q->server)
		return;
	for (uint32_t i = 0; i < d->asked_n; i++) {
		if (d->asked[i].id != q->id)
			continue;
		answered(d, q, &d->asked[i]);
		d->asked[i] = d->asked[--d->asked_n];
		return;
	}
}

/* -- the report -- */

static int by_name(const struct timers_peer *a, const struct timers_peer *b)
{
	return strcmp(a->name, b->name);
}

static json_t *peer_json(const struct timers_peer *p)
{
	json_t *timers = json_array(), *reaches = json_array();

	for (uint32_t i = 0; i < BROUGHT; i++) {
		if (p->brought[i].operations >= 2)
			json_array_append_new(timers, json_pack("{s:o, s:I}", "seconds", evidence_seconds(p->brought[i].most_ns),
								"operations", (json_int_t)p->brought[i].operations));
	}
	for (uint32_t i = 0; i < REACHES; i++) {
		if (p->reaches[i])
			json_array_append_new(reaches, json_pack("{s:o, s:I}", "from_s", evidence_seconds(reach_from(i)),
								 "operations", (json_int_t)p->reaches[i]));
	}
	return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "peer", p->name, "phase", "response", "operations",
			 (json_int_t)p->operations, "longest_s", evidence_seconds(p->longest_ns), "timers", timers, "reaches",
			 reaches);
}

static json_t *timers_report(void *state, json_t *not_exercised)
{
	struct timers *d = state;
	json_t *section = NULL;

	(void)not_exercised;
	HASH_SORT(d->peers, by_name);
	for (const struct timers_peer *p = d->peers; p; p = p->hh.next) {
		if (p->longest_ns < LEAST_NS)
			continue;
		section = section ? section : json_array();
		json_array_append_new(section, peer_json(p));
	}
	return section;
}

static const struct rule rules[] = {{0}};

const struct detector timers_detector = {
	.name = "timers",
	.doc = "no findings: how far an event loop's timers reach while an answer is outstanding, for a gate to compare",
	.rules = rules,
	.section = "hints",
	.create = timers_create,
	.destroy = timers_destroy,
	.observer = {.event = timers_event, .request_start = timers_request_start, .request_end = timers_request_end},
	.report = timers_report,
};
