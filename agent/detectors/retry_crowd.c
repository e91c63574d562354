/*
 * Many at once: attempts that only look like a sequence because several threads, or several tasks of one thread, do the same thing.
 * Threads are told apart by their ids. Tasks of one event loop are not: there, only what no number of tasks explains is said.
 *
 * A crowd is owned by its key. The session's thread.
 */
#include <stdlib.h>
#include <string.h>

#include "detectors/retry.h"

#define WORKERS_MIN 3U  /* attempts, each of a thread of its own, that are not one client's */
#define BETWEEN_MIN 3U  /* other threads between two attempts of one */
#define OVERLAPS_MIN 3U /* attempts beside another before they are given up telling apart */
#define OVERLAPS_DIV 4U /* and the share of the failures that they have to be: one more connection now and then is no crowd */

struct retry_crowd {
	uint64_t ends[RETRY_LANES_MAX]; /* of the latest attempts, newest over oldest */
	uint32_t next, lanes;           /* lanes: most attempts that were seen at once */
	uint32_t failed;                /* since the last good one */
};

void retry_crowd_begin(struct retry_sequence *s, const struct retry_attempt *a)
{
	s->tids[0] = a->tid;
	s->tids_n = 1;
	s->each_new = true;
}

void retry_crowd_event(struct retry *r, const struct event *e)
{
	if (e->id == WIRE_THREAD_MADE && !e->ret)
		r->made[r->made_n++ % RETRY_MADE_MAX] = (struct retry_made){.pid = e->pid, .tid = e->tid, .now_ns = e->t0};
}

/* Did the thread that failed make the one that tries next, as a timer's does? A server's threads are made by another. */
static bool made_for(const struct retry *r, const struct retry_sequence *s, const struct retry_attempt *a)
{
	for (uint32_t i = 1; i <= RETRY_MADE_MAX && i <= r->made_n; i++) {
		const struct retry_made *m = &r->made[(r->made_n - i) % RETRY_MADE_MAX];
		if (m->pid == a->pid && m->now_ns <= a->start_ns)
			return m->tid == s->tid && m->now_ns >= s->last_end_ns;
	}
	return false;
}

/* One client's attempts may move from thread to thread of a pool; that one comes back after several others were at it shows workers. */
bool retry_crowd_join(const struct retry *r, struct retry_sequence *s, const struct retry_attempt *a)
{
	uint32_t at = 0;

	while (at < s->tids_n && s->tids[at] != a->tid)
		at++;
	if (at < s->tids_n && s->each_new && at >= (a->pid == s->pid ? BETWEEN_MIN : 1))
		return false;
	/* A process started after the failure was started for another try. */
	if (at < s->tids_n || (a->pid != s->pid && a->process_ns > s->last_end_ns) || made_for(r, s, a))
		s->each_new = false;
	if (at == RETRY_TIDS_MAX)
		at--;
	else if (at == s->tids_n)
		s->tids_n++;
	memmove(s->tids + 1, s->tids, at * sizeof *s->tids);
	s->tids[0] = a->tid;
	return true;
}

bool retry_crowd_apart(const struct retry_sequence *s)
{
	return s->each_new && s->attempts >= WORKERS_MIN;
}

bool retry_crowd_overlap(struct retry_key *k, const struct retry_attempt *a)
{
	/* Who gave up early may close late: only answers show that two were under way. Addresses of one look-up are tried side by side. */
	if (a->address != k->client->seq.addresses[0] || a->tid != k->client->seq.tid || a->pid != k->client->seq.pid ||
	    !a->answered || !k->client->seq.answered)
		return false;
	if (++k->client->overlaps < OVERLAPS_MIN || k->client->overlaps * OVERLAPS_DIV < k->failures)
		return false;
	k->client->crowd = calloc(1, sizeof *k->client->crowd);
	return k->client->crowd != NULL;
}

void retry_crowd_attempt(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_crowd *c = k->client->crowd;
	uint32_t lanes = 1;

	for (uint32_t i = 0; i < RETRY_LANES_MAX; i++)
		lanes += c->ends[i] > a->start_ns;
	c->lanes = lanes > c->lanes ? lanes : c->lanes;
	c->ends[c->next++ % RETRY_LANES_MAX] = a->end_ns;
	c->failed = a->result == RETRY_FAILED ? c->failed + 1 : a->result == RETRY_OK ? 0 : c->failed;
	if (c->lanes >= RETRY_LANES_MAX || c->failed <= (uint32_t)r->env.options[RETRY_O_PROVEN_ATTEMPTS] * c->lanes)
		return;
	k->unbounded = true;
	retry_note(r, k, RETRY_UNBOUNDED, a, SEVERITY_WARNING, CONFIDENCE_OBSERVED, c->failed / c->lanes);
}

uint32_t retry_crowd_asked(struct retry *r, const struct retry_key *k, const struct request *q, uint64_t end_ns)
{
	const uint64_t id = (k->id.peer ^ q->tid) * 0x9e3779b97f4a7c15ULL;
	struct retry_thread *t = &r->threads[(id >> 32) & (RETRY_THREADS_MAX - 1)];

	if (t->id != id)
		*t = (struct retry_thread){.id = id};
	t->loop = t->loop || q->t_start < t->last_end_ns;
	t->last_end_ns = end_ns;
	t->asked += !q->setup;
	return t->loop ? 0 : t->asked;
}
