/*
 * Sequences of attempts: which attempt follows which, and when a sequence ends (DETECTORS' definition of a retry: the same
 * operation starting after a failed attempt ended, within a window). Works on the keys of struct retry; the session's thread.
 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "core/elapsed.h"
#include "detectors/retry.h"

#define SILENCE_MIN_NS (12 * NS_PER_S) /* the session's last seconds in which nothing was tried again */
#define STATED_EARLY_DIV 20U           /* how far a delay may be from the Retry-After that it keeps */
#define STATED_LATE_DIV 4U
#define STATED_LATE_NS (100 * NS_PER_MS)
#define SILENCE_FACTOR 4U /* and how many times the longest delay they have to last */
#define OTHERS_MAX 3U     /* other requests of the thread to the peer between two attempts: a login, a step before it */

static uint64_t window_ns(const struct retry *r, const struct retry_sequence *s)
{
	uint64_t window = retry_option_ns(r, RETRY_O_WINDOW);

	return 3 * s->last_gap_ns > window ? 3 * s->last_gap_ns : window;
}

static void link_active(struct retry *r, struct retry_client *c)
{
	c->active_prev = NULL;
	c->active_next = r->active;
	if (r->active)
		r->active->active_prev = c;
	r->active = c;
}

static void unlink_active(struct retry *r, struct retry_client *c)
{
	if (c->active_prev)
		c->active_prev->active_next = c->active_next;
	else
		r->active = c->active_next;
	if (c->active_next)
		c->active_next->active_prev = c->active_prev;
	c->active_prev = c->active_next = NULL;
	c->seq.active = false;
}

static void start_sequence(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_sequence *s = &k->client->seq;

	memset(s, 0, sizeof *s);
	s->active = true;
	s->refused = a->result == RETRY_REFUSED;
	s->attempts = 1;
	s->first_start_ns = a->start_ns;
	s->caller = a->caller;
	s->addresses[0] = a->address;
	s->addresses_n = 1;
	s->max_before = k->max_attempts;
	if (k->client->calls)
		*k->client->calls = (struct retry_calls){0};
	retry_crowd_begin(s, a);
	link_active(r, k->client);
	if (!s->refused)
		k->sequences++;
	if (!s->refused && !k->max_attempts)
		k->max_attempts = 1;
}

static void end_sequence(struct retry *r, struct retry_key *k, bool gave_up)
{
	retry_judge_end(r, k, gave_up);
	unlink_active(r, k->client);
}

/* Was a process begun for the attempt? Who starts it waits for the one before to end first. */
static bool process_for(const struct retry_sequence *s, const struct retry_attempt *a, uint64_t begin_ns)
{
	return a->pid != s->pid && a->process_ns > s->last_end_ns && a->process_ns < begin_ns;
}

uint64_t retry_begin_ns(const struct retry_attempt *a, uint64_t after_ns)
{
	return a->connect_ns > after_ns && a->connect_ns < a->start_ns ? a->connect_ns : a->start_ns;
}

/* The time that was waited. A connection made for the attempt belongs to the attempt, and so does a process started for it. */
static uint64_t gap_of(struct retry_sequence *s, const struct retry_attempt *a)
{
	uint64_t begin = retry_begin_ns(a, s->last_end_ns);

	s->gap_ns = 0;
	if (!process_for(s, a, begin))
		return begin - s->last_end_ns;
	s->starts++;
	s->gap_ns = s->exit_ns > s->last_end_ns && s->exit_ns < a->process_ns ? s->exit_ns : s->last_end_ns;
	return a->process_ns - s->gap_ns;
}

/* Keeps what lay before an attempt that follows another. */
static void note_gap(struct retry *r, struct retry_client *c, const struct retry_attempt *a, uint64_t gap)
{
	if (!c->calls && !(c->calls = calloc(1, sizeof *c->calls)))
		return;
	if (c->calls->n < CALLS_GAPS_MAX)
		c->calls->gaps[c->calls->n++] = retry_gap_seen(r, &c->seq, a, gap);
}

/* It came when the peer had said that it might: the delay is the peer's choice, not a shape of the client's. */
static bool is_stated(const struct retry_sequence *s, uint64_t gap)
{
	const uint64_t wait = s->due_ns ? elapsed_ns(s->last_end_ns, s->due_ns) : 0;

	return wait && gap + wait / STATED_EARLY_DIV >= wait && gap <= wait + wait / STATED_LATE_DIV + STATED_LATE_NS;
}

static void follow(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_sequence *s = &k->client->seq;
	bool exact = false;
	const uint64_t gap = gap_of(s, a), meant = s->gap_ns ? gap : retry_asked_gap(r, s, a, gap, &exact);

	const bool stated = is_stated(s, gap);

	note_gap(r, k->client, a, meant);
	s->stated += stated;
	s->attempts++;
	s->repeats = s->request_id;
	s->last_gap_ns = gap;
	s->exited = false;
	s->boss = 0;
	s->addresses[0] = a->address;
	s->addresses_n = 1;
	if (s->gaps_n < SHAPE_GAPS_MAX) {
		if (s->gaps_n < SHAPE_STEPS_MAX && !s->refused && !stated)
			shape_step_add(&k->steps[s->gaps_n], meant);
		s->gaps[s->gaps_n++] = meant;
		s->slept += exact;
		s->busy += meant >= retry_option_ns(r, RETRY_O_NO_BACKOFF) && retry_asked_nothing(r, s, a, gap);
	}
	if (!s->refused) {
		k->retries++;
		if (s->attempts > k->max_attempts && !s->each_new)
			k->max_attempts = s->attempts;
	}
	retry_judge_attempt(r, k, a, gap);
}

static void remember_end(struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_sequence *s = &k->client->seq;

	s->last_start_ns = a->start_ns;
	s->last_end_ns = a->end_ns;
	s->due_ns = a->retry_after_ns ? a->end_ns + a->retry_after_ns : 0;
	s->delivered = a->delivered;
	s->status = a->status;
	s->pid = a->pid;
	s->tid = a->tid;
	s->stack = a->stack;
	s->exit_ns = 0;
	s->request_id = a->request_id;
	s->asked = a->asked;
	s->answered = a->answered;
	s->number = a->number;
	s->open = a->result == RETRY_PENDING;
}

/* Another address of the same look-up belongs to the attempt under way. */
static bool other_address(const struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_sequence *s = (struct retry_sequence *)&k->client->seq;

	if (k->kind != RETRY_OF_CONNECT || !a->address || s->addresses_n >= RETRY_ADDRESSES_MAX)
		return false;
	for (uint32_t i = 0; i < s->addresses_n; i++) {
		if (s->addresses[i] == a->address)
			return false;
	}
	s->addresses[s->addresses_n++] = a->address;
	return true;
}

/* It is made for a job that was taken since. Of another worker, for any job that it has taken. */
static bool took_work(struct retry *r, const struct retry_sequence *s, const struct retry_attempt *a)
{
	const bool same = a->tid == s->tid && a->pid == s->pid;

	return retry_work_taken(r, a->tid, same ? s->last_end_ns : 0, retry_begin_ns(a, s->last_end_ns));
}

/* Libraries that count their attempts begin at one with each call; gRPC says nothing of the first. */
static bool begins_call(const struct retry_sequence *s, const struct retry_attempt *a)
{
	return a->number == 1 || (!a->number && s->number > 1);
}

enum relation { FOLLOWS, OVERLAPS, SAME_ATTEMPT, UNRELATED, PERIODIC };

static enum relation relate(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	const struct retry_sequence *s = &k->client->seq;

	if (k->client->concurrent && a->tid != s->tid)
		return OVERLAPS;
	if (a->result != RETRY_OK && other_address(k, a))
		return SAME_ATTEMPT;
	if (a->start_ns < s->last_end_ns) {
		k->client->concurrent = k->client->concurrent || (a->pid == s->pid && a->tid != s->tid);
		return OVERLAPS;
	}
	/* A thread that did other work for this peer since has turned to something else. */
	if (a->asked && s->asked && a->tid == s->tid && a->asked - s->asked > OTHERS_MAX + 1)
		return UNRELATED;
	if (took_work(r, s, a) || begins_call(s, a))
		return UNRELATED;
	if (a->caller != s->caller || elapsed_ns(s->last_end_ns, a->start_ns) > window_ns(r, s))
		return UNRELATED;
	if (retry_keeps_period(k, elapsed_ns(s->last_start_ns, a->start_ns)) || retry_keeps_schedule(k, a) ||
	    (a->tid == s->tid && retry_keeps_pace(k, elapsed_ns(s->last_end_ns, a->start_ns))))
		return PERIODIC;
	return FOLLOWS;
}

static void take_back(struct retry *r, struct retry_key *k)
{
	retry_judge_nothing(k);
	unlink_active(r, k->client);
}

static void count(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	bool failed = a->result == RETRY_FAILED || a->result == RETRY_REFUSED;

	k->attempts++;
	r->attempts++;
	k->failures += failed;
	r->failures += failed;
}

/* An attempt of the key's present client, in its place. */
static unsigned int place(struct retry *r, struct retry_key *k, const struct retry_attempt *a, enum relation rel)
{
	struct retry_sequence *s = &k->client->seq;
	unsigned int before = 0;
	bool failed = a->result == RETRY_FAILED || a->result == RETRY_REFUSED;

	retry_learn_pace(k, a);
	if (k->client->crowd) {
		retry_crowd_attempt(r, k, a);
		return 0;
	}
	if (rel == OVERLAPS) {
		/* What several threads had to do with was not one client's, either. */
		if (retry_crowd_overlap(k, a) || (k->client->concurrent && s->tids_n > 1))
			take_back(r, k);
		return 0;
	}
	if (rel == FOLLOWS) {
		retry_client_hand(k, a);
		if (!retry_crowd_join(r, s, a)) {
			k->client->concurrent = true;
			take_back(r, k);
		}
	}
	if (s->active && (rel == UNRELATED || rel == PERIODIC))
		end_sequence(r, k, rel == UNRELATED || s->attempts == 1);
	/* An attempt that is told no for good ends the sequence, and repeats the one before all the same. */
	unsigned int last = 0;
	const uint64_t previous = s->request_id;
	if (s->active && failed && s->refused != (a->result == RETRY_REFUSED)) {
		last = rel == FOLLOWS && !s->refused && !retry_crowd_apart(s) ? s->attempts : 0;
		end_sequence(r, k, true);
	}
	if (s->active && a->result == RETRY_NEUTRAL)
		end_sequence(r, k, false);
	if (s->active) {
		before = s->attempts;
		follow(r, k, a);
		if (a->result == RETRY_OK)
			end_sequence(r, k, false);
		else
			remember_end(k, a);
	} else if (failed) {
		start_sequence(r, k, a);
		remember_end(k, a);
		s->repeats = last ? previous : 0;
	}
	return s->refused || retry_crowd_apart(s) ? last : before;
}

/* The first address failed, and the next one of the same look-up took the connection: nothing was tried again. */
static bool took_other_address(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_sequence *s = &k->client->seq;

	if (a->result != RETRY_OK || a->tid != s->tid || a->start_ns < s->last_end_ns ||
	    elapsed_ns(s->last_end_ns, a->start_ns) > retry_option_ns(r, RETRY_O_NO_BACKOFF) || !other_address(k, a))
		return false;
	if (s->attempts > 1) {
		end_sequence(r, k, false);
		return true;
	}
	k->sequences -= !s->refused;
	unlink_active(r, k->client);
	return true;
}

static enum relation relation_of(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	if (k->client->seq.active && took_other_address(r, k, a))
		return SAME_ATTEMPT;
	enum relation rel = k->client->seq.active ? relate(r, k, a) : UNRELATED;

	if (rel == SAME_ATTEMPT && a->end_ns > k->client->seq.last_end_ns)
		k->client->seq.last_end_ns = a->end_ns;
	return rel;
}

/* Each process has its own sequence from now on: what seemed to be one of all of them is gone through again. */
static void split(struct retry *r, struct retry_key *k)
{
	struct retry_sequence before;
	const struct retry_attempt *since = NULL;
	uint32_t n;

	k->client = &k->first;
	if (!retry_client_split(k, &before, &since, &n)) {
		take_back(r, k);
		return;
	}
	k->retries -= k->first.seq.attempts - before.attempts;
	retry_judge_nothing(k);
	k->first.seq = before;
	k->max_attempts = before.attempts > k->max_attempts ? before.attempts : k->max_attempts;
	retry_judge_shape(r, k, before.last_end_ns);
	for (uint32_t i = 0; i < n; i++) {
		enum relation rel;
		if (retry_client_choose(r, k, &since[i]) && (rel = relation_of(r, k, &since[i])) != SAME_ATTEMPT)
			place(r, k, &since[i], rel);
	}
}

unsigned int retry_attempt(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	unsigned int before = 0;
	enum relation rel = UNRELATED;

	if (retry_client_beside(k, a))
		split(r, k);
	bool followed = retry_client_choose(r, k, a);
	if (followed && (rel = relation_of(r, k, a)) == SAME_ATTEMPT)
		return 0;
	count(r, k, a);
	if (followed) {
		before = place(r, k, a, rel);
		retry_client_settled(k, a);
	}
	return before;
}

static void call_over(struct retry *r, struct retry_client *c, uint64_t caller)
{
	if (!c->seq.active || c->seq.open || c->seq.caller != caller)
		return;
	c->key->client = c;
	end_sequence(r, c->key, true);
}

void retry_call_over(struct retry *r, struct retry_key *k, uint64_t caller)
{
	struct retry_client *c;

	call_over(r, &k->first, caller);
	LL_FOREACH (k->others, c)
		call_over(r, c, caller);
}

void retry_process_exit(struct retry *r, uint32_t pid, uint32_t parent)
{
	for (struct retry_client *c = r->active; c; c = c->active_next) {
		struct retry_sequence *s = &c->seq;
		if (s->pid == pid && !s->open)
			s->exited = true;
		if (s->exited && (s->pid == pid || s->boss == pid))
			s->boss = parent;
	}
}

void retry_expire(struct retry *r, uint64_t now_ns)
{
	for (struct retry_client *c = r->active, *next; c; c = next) {
		struct retry_key *k = c->key;
		next = c->active_next;
		k->client = c;
		if (now_ns > k->client->seq.last_end_ns &&
		    elapsed_ns(k->client->seq.last_end_ns, now_ns) > window_ns(r, &k->client->seq))
			end_sequence(r, k, true);
	}
}

/* Nothing came for far longer than any delay so far: it gave up. */
static bool fell_silent(const struct retry_key *k, uint64_t now_ns)
{
	uint64_t longest = SILENCE_MIN_NS / SILENCE_FACTOR;

	for (uint32_t i = 0; i < k->client->seq.gaps_n; i++)
		longest = k->client->seq.gaps[i] > longest ? k->client->seq.gaps[i] : longest;
	return !k->client->seq.open && now_ns > k->client->seq.last_end_ns &&
	       elapsed_ns(k->client->seq.last_end_ns, now_ns) > SILENCE_FACTOR * longest;
}

void retry_end_all(struct retry *r, uint64_t now_ns)
{
	retry_expire(r, now_ns);
	for (struct retry_client *c = r->active, *next; c; c = next) {
		struct retry_key *k = c->key;
		next = c->active_next;
		k->client = c;
		if ((k->client->seq.exited && !k->client->seq.boss) || fell_silent(k, now_ns))
			end_sequence(r, k, true);
		else
			retry_judge_open(r, k);
	}
}
