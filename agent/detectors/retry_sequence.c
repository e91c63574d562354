/*
 * Sequences of attempts: which attempt follows which, when a sequence ends, and what it shows (DETECTORS' definition of a retry: the same
 * operation starting after a failed attempt ended, within a window). Works on the keys of struct retry; the session's thread.
 */
#include <string.h>

#include "core/elapsed.h"
#include "detectors/retry.h"

#define REFUSED_ATTEMPTS_MIN 3U        /* refusals of the same request before it is a fault */
#define NO_BACKOFF_GAPS_MIN 3U         /* gaps before a lack of back-off is judged */
#define CONSTANT_GAPS_MIN 6U           /* gaps from which load cannot have made them alike */
#define CONSTANT_EQUAL_DIV 20U         /* with fewer, they may differ by a twentieth */
#define PACE_SETTLED_GAPS 10U          /* from so many gaps on it is judged while the sequence goes on */
#define JITTER_SEQUENCES_MIN 5U        /* sequences before a lack of jitter is judged */
#define SILENCE_MIN_NS (12 * NS_PER_S) /* the session's last seconds in which nothing was tried again */
#define SILENCE_FACTOR 4U              /* and how many times the longest delay they have to last */
#define LAYERS_ATTEMPTS_MIN 6U         /* attempts for one call, in rounds, that are worth a word */
#define CALLS_MIN 6U                   /* rounds from which they are calls of their own: no layer tries so often around others */
#define OTHERS_MAX 3U             /* other requests of the thread to the peer between two attempts: a login, a step before it */
#define RETRY_AFTER_SLACK_DIV 20U /* a Retry-After is kept if 19/20 of it has passed: clocks round */
#define REFUSED_GAP_MAX (5 * NS_PER_S) /* slower repeats of a refused request are polling */

static double option(const struct retry *r, enum retry_option o)
{
	return r->env.options[o];
}

static uint64_t option_ns(const struct retry *r, enum retry_option o)
{
	return evidence_option_ns(option(r, o));
}

void retry_note(struct retry *r, struct retry_key *k, enum retry_rule rule, const struct retry_attempt *a, enum severity severity,
		enum confidence confidence, uint64_t detail)
{
	struct retry_hit *h = &k->hits[rule];

	if (h->count == h->told)
		h->first_ns = a ? a->start_ns : k->seq.first_start_ns;
	h->count++;
	h->last_ns = a ? a->end_ns : k->seq.last_end_ns;
	if (severity > h->severity)
		h->severity = severity;
	if (confidence > h->confidence)
		h->confidence = confidence;
	if (a && a->request_id)
		h->request_id = a->request_id;
	h->detail = detail > h->detail ? detail : h->detail;
	if (!k->dirty) {
		k->dirty = true;
		k->dirty_next = r->dirty;
		r->dirty = k;
	}
}

static uint64_t window_ns(const struct retry *r, const struct retry_sequence *s)
{
	uint64_t window = option_ns(r, RETRY_O_WINDOW);

	return 3 * s->last_gap_ns > window ? 3 * s->last_gap_ns : window;
}

/* Attempts of one round where they come in rounds, else 0. */
static uint32_t round_of(const struct retry_key *k)
{
	return k->inner ? k->inner : k->round;
}

/* Shape and pace of the longest sequence stand for the operation. */
static void judge_shape(const struct retry *r, struct retry_key *k, uint64_t end_ns)
{
	const struct retry_sequence *s = &k->seq;

	if (s->attempts < k->line.attempts)
		return;
	k->line =
		(struct retry_line){.attempts = s->attempts, .gaps_n = s->gaps_n, .span_ns = elapsed_ns(s->first_start_ns, end_ns)};
	memcpy(k->line.gaps, s->gaps, sizeof k->line.gaps);
	if (s->gaps_n < k->judged_gaps)
		return;
	k->judged_gaps = s->gaps_n;
	/* Of retries inside of retries, the inner ones' shape counts. */
	k->inner = s->gaps_n < SHAPE_GAPS_MAX || !k->inner ? shape_nested(s->gaps, s->gaps_n) : k->inner;
	k->round = s->gaps_n < SHAPE_GAPS_MAX || !k->round ? shape_rounds(s->gaps, s->gaps_n) : k->round;
	uint32_t round = round_of(k);
	k->backoff = shape_of(s->gaps, round ? round - 1 : s->gaps_n, option_ns(r, RETRY_O_NO_BACKOFF));
	k->jitter = shape_jitter_within(s->gaps, s->gaps_n, option_ns(r, RETRY_O_NO_BACKOFF));
	k->median_gap_ns = shape_median(s->gaps, s->gaps_n);
}

static void start_sequence(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_sequence *s = &k->seq;

	memset(s, 0, sizeof *s);
	s->active = true;
	s->refused = a->result == RETRY_REFUSED;
	s->attempts = 1;
	s->first_start_ns = a->start_ns;
	s->caller = a->caller;
	s->addresses[0] = a->address;
	s->addresses_n = 1;
	s->max_before = k->max_attempts;
	retry_crowd_begin(s, a);
	k->active_prev = NULL;
	k->active_next = r->active;
	if (r->active)
		r->active->active_prev = k;
	r->active = k;
	if (!s->refused)
		k->sequences++;
	if (!s->refused && !k->max_attempts)
		k->max_attempts = 1;
}

static void unlink_active(struct retry *r, struct retry_key *k)
{
	if (k->active_prev)
		k->active_prev->active_next = k->active_next;
	else
		r->active = k->active_next;
	if (k->active_next)
		k->active_next->active_prev = k->active_prev;
	k->active_prev = k->active_next = NULL;
	k->seq.active = false;
}

/* Few gaps that grow at random may look alike once load has lengthened the first ones: those have to be equal. */
static bool surely_constant(const struct retry_sequence *s)
{
	uint64_t min = UINT64_MAX, max = 0;

	for (uint32_t i = 0; i < s->gaps_n; i++) {
		min = s->gaps[i] < min ? s->gaps[i] : min;
		max = s->gaps[i] > max ? s->gaps[i] : max;
	}
	return s->gaps_n >= CONSTANT_GAPS_MIN || (max - min) * CONSTANT_EQUAL_DIV <= min;
}

/* Called at the end of a short sequence, and during a long one: the first delays of a random, growing back-off may all be small. */
static void check_pace(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	if (k->seq.refused || retry_crowd_apart(&k->seq) || k->seq.gaps_n < (a ? PACE_SETTLED_GAPS : NO_BACKOFF_GAPS_MIN) ||
	    (!a && k->seq.gaps_n >= PACE_SETTLED_GAPS))
		return;
	if (k->backoff == BACKOFF_NONE)
		retry_note(r, k, RETRY_NO_BACKOFF, a, SEVERITY_WARNING, CONFIDENCE_OBSERVED, k->seq.attempts);
	else if (k->backoff == BACKOFF_CONSTANT && surely_constant(&k->seq))
		retry_note(r, k, RETRY_NO_BACKOFF, a, SEVERITY_INFO, CONFIDENCE_OBSERVED, k->seq.attempts);
}

/* Many calls one after the other, all failing: the attempts of one of them; 0 of one call. */
static uint32_t calls_of(const struct retry_key *k)
{
	uint32_t round = round_of(k);

	return round && k->seq.attempts >= CALLS_MIN * round - 1 && k->seq.attempts == k->line.attempts ? round : 0;
}

/* The delays of the calls after the first one, as those of sequences of their own. */
static void split_calls(struct retry_key *k, uint32_t round)
{
	const struct retry_sequence *s = &k->seq;

	for (uint32_t i = round; i < s->gaps_n; i++) {
		if (i % round < SHAPE_STEPS_MAX && i % round != round - 1)
			shape_step_add(&k->steps[i % round], s->gaps[i]);
	}
	k->sequences += s->attempts / round - 1;
	k->retries -= s->attempts / round - 1;
	k->max_attempts = round > s->max_before ? round : s->max_before;
}

/* Workers that failed once each. */
static void split_workers(struct retry_key *k)
{
	k->sequences += k->seq.attempts - 1;
	k->retries -= k->seq.attempts - 1;
	k->gave_up += k->seq.attempts;
	k->bound = k->bound > 1 ? k->bound : 1;
}

static void check_jitter(struct retry *r, struct retry_key *k)
{
	if (k->seq.gaps_n && k->backoff != BACKOFF_NONE &&
	    shape_jitter(k->steps, SHAPE_STEPS_MAX, JITTER_SEQUENCES_MIN) == JITTER_NO)
		retry_note(r, k, RETRY_NO_JITTER, NULL, retry_rules[RETRY_NO_JITTER].severity, CONFIDENCE_OBSERVED, k->sequences);
}

/* Retries inside of retries multiply: the rounds of unlike gaps that repeat. */
static void check_layers(struct retry *r, struct retry_key *k)
{
	const struct retry_sequence *s = &k->seq;
	uint32_t inner = s->refused || retry_crowd_apart(s) || calls_of(k) || s->attempts < LAYERS_ATTEMPTS_MIN
				 ? 0
				 : shape_nested(s->gaps, s->gaps_n);

	if (inner)
		retry_note(r, k, RETRY_AMPLIFICATION, NULL, retry_rules[RETRY_AMPLIFICATION].severity, CONFIDENCE_OBSERVED,
			   RETRY_LAYERS(s->attempts, inner));
}

static void end_sequence(struct retry *r, struct retry_key *k, bool gave_up)
{
	struct retry_sequence *s = &k->seq;

	check_pace(r, k, NULL);
	check_layers(r, k);
	if (s->attempts == k->line.attempts)
		k->line.outcome = gave_up ? RETRY_GAVE_UP : RETRY_RECOVERED;
	if (!s->refused && retry_crowd_apart(s)) {
		split_workers(k);
	} else if (!s->refused) {
		uint32_t round = calls_of(k), bound = round ? round : s->attempts;
		if (round)
			split_calls(k, round);
		else if (s->attempts > k->max_attempts)
			k->max_attempts = s->attempts;
		if (gave_up) {
			k->gave_up += round ? s->attempts / round : 1;
			if (bound > k->bound)
				k->bound = bound;
		} else if (s->attempts > 1) {
			k->recovered++;
		}
		check_jitter(r, k);
	}
	unlink_active(r, k);
}

/* During a sequence, and for one that still goes on when the session ends (a is NULL). Rounds may be calls of their own, which ends: those
 * are waited for. */
static void check_unbounded(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_sequence *s = &k->seq;
	const uint32_t proven_at = (uint32_t)option(r, RETRY_O_PROVEN_ATTEMPTS);
	uint64_t span = (a ? a->end_ns : s->last_end_ns) - s->first_start_ns;
	const uint32_t most = (uint32_t)option(r, RETRY_O_UNBOUNDED_ATTEMPTS),
		       round = a && s->attempts < proven_at ? round_of(k) : 0;
	bool many = s->attempts > (round ? most * round : most);
	bool long_ago = span >= option_ns(r, RETRY_O_UNBOUNDED_SECONDS) && s->attempts >= 3;

	if ((!many && !long_ago) || retry_crowd_apart(s))
		return;
	bool proven = s->attempts >= proven_at;
	bool polite = k->kind != RETRY_OF_REQUEST && (k->backoff == BACKOFF_EXPONENTIAL || k->backoff == BACKOFF_IRREGULAR);
	enum severity severity = polite ? SEVERITY_INFO : k->backoff == BACKOFF_NONE ? SEVERITY_ERROR : SEVERITY_WARNING;
	k->unbounded = true;
	retry_note(r, k, RETRY_UNBOUNDED, a, severity, proven ? CONFIDENCE_PROVEN : CONFIDENCE_OBSERVED, s->attempts);
}

/* Rules about one retry, that is, about attempt `a` coming after the failure that the sequence ends in. */
static void check_retry(struct retry *r, struct retry_key *k, const struct retry_attempt *a, uint64_t gap)
{
	const struct retry_sequence *s = &k->seq;

	if (a->unsafe)
		retry_note(r, k, RETRY_NON_IDEMPOTENT, a, s->delivered ? SEVERITY_ERROR : SEVERITY_WARNING, CONFIDENCE_OBSERVED,
			   s->attempts);
	if (s->due_ns) {
		uint64_t wait = elapsed_ns(s->last_end_ns, s->due_ns);
		if (gap < wait - wait / RETRY_AFTER_SLACK_DIV)
			retry_note(r, k, RETRY_IGNORES_RETRY_AFTER, a, SEVERITY_WARNING, CONFIDENCE_OBSERVED, wait);
	}
}

/* The time that was waited. A connection made for the attempt belongs to the attempt, and so does
 * a process started for it; who starts it waits for the one before to end first. */
static uint64_t gap_of(const struct retry_sequence *s, const struct retry_attempt *a)
{
	uint64_t begin = a->connect_ns > s->last_end_ns && a->connect_ns < a->start_ns ? a->connect_ns : a->start_ns;

	if (a->pid == s->pid || a->process_ns <= s->last_end_ns || a->process_ns >= begin)
		return begin - s->last_end_ns;
	return a->process_ns - (s->exit_ns > s->last_end_ns && s->exit_ns < a->process_ns ? s->exit_ns : s->last_end_ns);
}

static void follow(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_sequence *s = &k->seq;
	uint64_t gap = gap_of(s, a);

	s->attempts++;
	s->last_gap_ns = gap;
	s->exited = false;
	s->addresses[0] = a->address;
	s->addresses_n = 1;
	if (s->gaps_n < SHAPE_GAPS_MAX) {
		if (s->gaps_n < SHAPE_STEPS_MAX && !s->refused)
			shape_step_add(&k->steps[s->gaps_n], gap);
		s->gaps[s->gaps_n++] = gap;
	}
	if (s->refused) {
		if (s->attempts >= REFUSED_ATTEMPTS_MIN && shape_median(s->gaps, s->gaps_n) < REFUSED_GAP_MAX &&
		    a->result == RETRY_REFUSED)
			retry_note(r, k, RETRY_NOT_RETRYABLE, a, SEVERITY_WARNING, CONFIDENCE_OBSERVED, (uint64_t)a->status);
		return;
	}
	k->retries++;
	if (s->attempts > k->max_attempts && !s->each_new)
		k->max_attempts = s->attempts;
	judge_shape(r, k, a->end_ns);
	if (!retry_crowd_apart(s))
		check_retry(r, k, a, gap);
	check_pace(r, k, a);
	check_unbounded(r, k, a);
}

static void remember_end(struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_sequence *s = &k->seq;

	s->last_start_ns = a->start_ns;
	s->last_end_ns = a->end_ns;
	s->due_ns = a->retry_after_ns ? a->end_ns + a->retry_after_ns : 0;
	s->delivered = a->delivered;
	s->status = a->status;
	s->pid = a->pid;
	s->tid = a->tid;
	s->exit_ns = 0;
	s->request_id = a->request_id;
	s->asked = a->asked;
	s->answered = a->answered;
	s->open = a->result == RETRY_PENDING;
}

/* Another address of the same look-up belongs to the attempt under way. */
static bool other_address(const struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_sequence *s = (struct retry_sequence *)&k->seq;

	if (k->kind != RETRY_OF_CONNECT || !a->address || s->addresses_n >= RETRY_ADDRESSES_MAX)
		return false;
	for (uint32_t i = 0; i < s->addresses_n; i++) {
		if (s->addresses[i] == a->address)
			return false;
	}
	s->addresses[s->addresses_n++] = a->address;
	return true;
}

enum relation { FOLLOWS, OVERLAPS, SAME_ATTEMPT, UNRELATED, PERIODIC };

static enum relation relate(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	const struct retry_sequence *s = &k->seq;

	if (k->concurrent && a->tid != s->tid)
		return OVERLAPS;
	if (a->result != RETRY_OK && other_address(k, a))
		return SAME_ATTEMPT;
	if (a->start_ns < s->last_end_ns) {
		k->concurrent = k->concurrent || (a->pid == s->pid && a->tid != s->tid);
		return OVERLAPS;
	}
	/* A thread that did other work for this peer since has turned to something else. */
	if (a->asked && s->asked && a->tid == s->tid && a->asked - s->asked > OTHERS_MAX + 1)
		return UNRELATED;
	if (a->caller != s->caller || elapsed_ns(s->last_end_ns, a->start_ns) > window_ns(r, s))
		return UNRELATED;
	if (retry_keeps_period(k, elapsed_ns(s->last_start_ns, a->start_ns)) ||
	    (a->tid == s->tid && retry_keeps_pace(k, elapsed_ns(s->last_end_ns, a->start_ns))))
		return PERIODIC;
	return FOLLOWS;
}

/* It was no sequence after all: what was concluded from it, and has not been told yet, is not told. */
static void take_back(struct retry *r, struct retry_key *k)
{
	static const enum retry_rule of_sequences[] = {RETRY_UNBOUNDED, RETRY_NO_BACKOFF, RETRY_NON_IDEMPOTENT};

	for (size_t i = 0; i < sizeof of_sequences / sizeof *of_sequences; i++) {
		struct retry_hit *h = &k->hits[of_sequences[i]];
		h->count = h->told;
	}
	if (!k->hits[RETRY_UNBOUNDED].told)
		k->unbounded = false;
	k->max_attempts = k->seq.max_before ? k->seq.max_before : 1;
	k->line = (struct retry_line){0};
	k->judged_gaps = 0;
	k->backoff = BACKOFF_NONE;
	unlink_active(r, k);
}

unsigned int retry_attempt(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_sequence *s = &k->seq;
	unsigned int before = 0;
	bool failed = a->result == RETRY_FAILED || a->result == RETRY_REFUSED;

	enum relation rel = s->active ? relate(r, k, a) : UNRELATED;
	if (rel == SAME_ATTEMPT) {
		if (a->end_ns > s->last_end_ns)
			s->last_end_ns = a->end_ns;
		return 0;
	}
	k->attempts++;
	r->attempts++;
	if (failed) {
		k->failures++;
		r->failures++;
	}
	retry_learn_pace(k, a);
	if (k->crowd) {
		retry_crowd_attempt(r, k, a);
		return 0;
	}
	if (rel == OVERLAPS) {
		/* What several threads had to do with was not one client's, either. */
		if (retry_crowd_overlap(k, a) || (k->concurrent && s->tids_n > 1))
			take_back(r, k);
		return 0;
	}
	if (rel == FOLLOWS && !retry_crowd_join(s, a)) {
		k->concurrent = true;
		take_back(r, k);
	}
	if (s->active && (rel == UNRELATED || rel == PERIODIC))
		end_sequence(r, k, rel == UNRELATED || s->attempts == 1);
	/* An attempt that is told no for good ends the sequence, and repeats the one before all the same. */
	unsigned int last = 0;
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
	}
	return s->refused || retry_crowd_apart(s) ? last : before;
}

void retry_process_exit(struct retry *r, uint32_t pid)
{
	for (struct retry_key *k = r->active; k; k = k->active_next) {
		if (k->seq.pid == pid && !k->seq.open)
			k->seq.exited = true;
	}
}

void retry_expire(struct retry *r, uint64_t now_ns)
{
	for (struct retry_key *k = r->active, *next; k; k = next) {
		next = k->active_next;
		if (now_ns > k->seq.last_end_ns && elapsed_ns(k->seq.last_end_ns, now_ns) > window_ns(r, &k->seq))
			end_sequence(r, k, true);
	}
}

/* Nothing came for far longer than any delay so far: it gave up. */
static bool fell_silent(const struct retry_key *k, uint64_t now_ns)
{
	uint64_t longest = SILENCE_MIN_NS / SILENCE_FACTOR;

	for (uint32_t i = 0; i < k->seq.gaps_n; i++)
		longest = k->seq.gaps[i] > longest ? k->seq.gaps[i] : longest;
	return !k->seq.open && now_ns > k->seq.last_end_ns && elapsed_ns(k->seq.last_end_ns, now_ns) > SILENCE_FACTOR * longest;
}

void retry_end_all(struct retry *r, uint64_t now_ns)
{
	retry_expire(r, now_ns);
	for (struct retry_key *k = r->active, *next; k; k = next) {
		next = k->active_next;
		if (k->seq.exited || fell_silent(k, now_ns))
			end_sequence(r, k, true);
		else {
			check_pace(r, k, NULL);
			check_layers(r, k);
			if (!k->unbounded && !k->seq.refused)
				check_unbounded(r, k, NULL);
		}
	}
}
