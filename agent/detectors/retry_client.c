/*
 * Who makes the attempts at one operation. At first that is the service as a whole: a loop may start a process for each attempt, and a job
 * may go from worker to worker. Once processes are seen side by side (workers of one server, instances started together), each has a
 * sequence, a pace and threads of its own, and the operation keeps what they have in common.
 *
 * A key owns its clients; RETRY_CLIENTS_MAX of them, over all keys, are more than the first. The session's thread.
 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "detectors/retry.h"

#define HANDED_MAX 8U /* attempts from process to process after which it is a chain, and none can show otherwise */

/* What one process had done when another seemed to go on with it, and the attempts since. */
struct retry_handed {
	struct retry_sequence before;
	uint32_t parent;
	struct shape_step steps[SHAPE_STEPS_MAX];
	uint32_t n;
	struct retry_attempt attempts[HANDED_MAX];
};

void retry_client_init(struct retry_key *k)
{
	k->client = &k->first;
	k->first.key = k;
}

static void forget_handed(struct retry_key *k)
{
	free(k->handed);
	k->handed = NULL;
}

void retry_client_done(struct retry *r, struct retry_key *k)
{
	struct retry_client *c, *next;

	LL_FOREACH_SAFE(k->others, c, next)
	{
		free(c->crowd);
		free(c->calls);
		free(c);
		r->clients--;
	}
	free(k->first.crowd);
	free(k->first.calls);
	forget_handed(k);
}

static struct retry_client *find(const struct retry_key *k, uint32_t pid)
{
	struct retry_client *c;

	LL_SEARCH_SCALAR(k->others, c, pid, pid);
	return c;
}

/* A process that was started after a failure, by who had started the one that failed, was started for another try. */
static bool takes_over(const struct retry_client *c, const struct retry_attempt *a)
{
	return c->seq.active && a->parent && c->parent == a->parent && a->process_ns > c->seq.last_end_ns;
}

static struct retry_client *heir(struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_client *c, *latest = takes_over(&k->first, a) ? &k->first : NULL;

	LL_FOREACH (k->others, c) {
		if (takes_over(c, a) && (!latest || c->seq.last_end_ns > latest->seq.last_end_ns))
			latest = c;
	}
	return latest;
}

static struct retry_client *add(struct retry *r, struct retry_key *k)
{
	struct retry_client *c, *idle = NULL;

	if (k->others_n < RETRY_SIDE_MAX && r->clients < RETRY_CLIENTS_MAX && (c = calloc(1, sizeof *c))) {
		r->clients++;
		k->others_n++;
		c->key = k;
		LL_PREPEND(k->others, c);
		return c;
	}
	LL_FOREACH (k->others, c) { /* the oldest that has nothing under way makes room */
		if (!c->seq.active)
			idle = c;
	}
	r->env.counters->limit[LIMIT_REACHED_OPERATIONS]++;
	if (!idle)
		return NULL;
	LL_DELETE(k->others, idle);
	free(idle->crowd);
	free(idle->calls);
	*idle = (struct retry_client){.key = k};
	LL_PREPEND(k->others, idle);
	return idle;
}

bool retry_client_choose(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_client *c = &k->first;

	if (k->side_by_side && c->pid != a->pid) {
		c = find(k, a->pid);
		c = c ? c : heir(k, a);
		c = c ? c : add(r, k);
		if (!c)
			return false;
		c->pid = a->pid;
		c->parent = a->parent;
	}
	k->client = c;
	return true;
}

void retry_client_hand(struct retry_key *k, const struct retry_attempt *a)
{
	const struct retry_sequence *s = &k->first.seq;
	struct retry_handed *h = k->handed;

	if (k->side_by_side)
		return;
	if (h && h->before.first_start_ns != s->first_start_ns)
		h->n = 0; /* of a sequence that has ended */
	if (!h || !h->n) {
		if (a->pid == s->pid || (!h && !(h = k->handed = calloc(1, sizeof *h))))
			return;
		h->before = *s;
		h->parent = k->first.parent;
		memcpy(h->steps, k->steps, sizeof h->steps);
	}
	if (h->n < HANDED_MAX)
		h->attempts[h->n] = *a;
	h->n += h->n <= HANDED_MAX;
}

/* Was it handed on in the sequence under way? */
static bool was_handed(const struct retry_key *k)
{
	return k->handed && k->handed->n && k->handed->before.first_start_ns == k->first.seq.first_start_ns;
}

bool retry_client_beside(const struct retry_key *k, const struct retry_attempt *a)
{
	const struct retry_sequence *s = &k->first.seq;

	if (k->side_by_side || !s->active || a->pid == s->pid)
		return false;
	if (a->start_ns < s->last_end_ns)
		return true;
	if (!was_handed(k))
		return false;
	bool back = k->handed->before.pid == a->pid;
	for (uint32_t i = 0; i < k->handed->n && i < HANDED_MAX; i++)
		back = back || k->handed->attempts[i].pid == a->pid;
	return back;
}

bool retry_client_split(struct retry_key *k, struct retry_sequence *ret_before, const struct retry_attempt **ret_since,
			uint32_t *ret_n)
{
	struct retry_handed *h = k->handed;

	k->side_by_side = true;
	*ret_n = 0;
	if (k->first.calls)
		*k->first.calls = (struct retry_calls){0};
	if (!was_handed(k)) { /* all of it was one process's */
		*ret_before = k->first.seq;
		return true;
	}
	if (h->n > HANDED_MAX)
		return false;
	*ret_before = h->before;
	*ret_since = h->attempts;
	*ret_n = h->n;
	k->first.pid = h->before.pid;
	k->first.parent = h->parent;
	memcpy(k->steps, h->steps, sizeof h->steps);
	return true;
}

void retry_client_settled(struct retry_key *k, const struct retry_attempt *a)
{
	if (k->side_by_side) {
		forget_handed(k);
		return;
	}
	k->first.pid = a->pid;
	k->first.parent = a->parent;
}
