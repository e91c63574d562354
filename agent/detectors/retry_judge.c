/*
 * What sequences show: bound, pace, shape, jitter, rounds inside of rounds, and what must not be tried again. Called as attempts follow each
 * other, and when a sequence ends; the operation's hits are what it finds. Works on the keys of struct retry; the session's thread.
 */
#include <string.h>

#include "core/elapsed.h"
#include "detectors/retry.h"

#define REFUSED_ATTEMPTS_MIN 3U /* refusals of the same request before it is a fault */
#define NO_BACKOFF_GAPS_MIN 3U  /* gaps before a lack of back-off is judged */
#define CONSTANT_GAPS_MIN 6U    /* gaps from which load cannot have made them alike */
#define CONSTANT_EQUAL_DIV 20U  /* with fewer, they may differ by a twentieth */
#define PACE_SETTLED_GAPS 10U   /* from so many gaps on it is judged while the sequence goes on */
#define JITTER_SEQUENCES_MIN 5U /* sequences before a lack of jitter is judged */
#define LOOK_DIV 16U
#define LAYERS_ATTEMPTS_MIN 6U         /* attempts for one call, in rounds, that are worth a word */
#define RETRY_AFTER_SLACK_DIV 20U      /* a Retry-After is kept if 19/20 of it has passed: clocks round */
#define REFUSED_GAP_MAX (5 * NS_PER_S) /* slower repeats of a refused request are polling */

static double option(const struct retry *r, enum retry_option o)
{
	return r->env.options[o];
}

uint64_t retry_option_ns(const struct retry *r, enum retry_option o)
{
	return evidence_option_ns(option(r, o));
}

void retry_note(struct retry *r, struct retry_key *k, enum retry_rule rule, const struct retry_attempt *a, enum severity severity,
		enum confidence confidence, uint64_t detail)
{
	struct retry_hit *h = &k->hits[rule];

	if (h->count == h->told)
		h->first_ns = a ? a->start_ns : k->client->seq.first_start_ns;
	h->count++;
	h->last_ns = a ? a->end_ns : k->client->seq.last_end_ns;
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

/* Attempts of one round where they come in rounds, else 0. */
static uint32_t round_of(const struct retry_key *k)
{
	return k->inner ? k->inner : k->round;
}

/* Each of its gaps was short, or an event loop waited for nothing in it. */
static bool only_busy(const struct retry *r, const struct retry_sequence *s)
{
	uint32_t hasty = 0;

	for (uint32_t i = 0; s->busy && i < s->gaps_n; i++)
		hasty += s->gaps[i] < retry_option_ns(r, RETRY_O_NO_BACKOFF);
	return s->busy && s->busy + hasty == s->gaps_n;
}

/* Shape and pace of the longest sequence stand for the operation. */
void retry_judge_shape(const struct retry *r, struct retry_key *k, uint64_t end_ns)
{
	const struct retry_sequence *s = &k->client->seq;

	if (s->attempts < k->line.attempts)
		return;
	k->line =
		(struct retry_line){.attempts = s->attempts, .gaps_n = s->gaps_n, .span_ns = elapsed_ns(s->first_start_ns, end_ns)};
	memcpy(k->line.gaps, s->gaps, sizeof k->line.gaps);
	const bool settled = k->judged_gaps == SHAPE_GAPS_MAX && s->attempts > SHAPE_GAPS_MAX + 1; /* no gap has come since */
	if (s->gaps_n < k->judged_gaps || settled)
		return;
	k->judged_gaps = s->gaps_n;
	/* Of retries inside of retries, the inner ones' shape counts. */
	k->inner = s->gaps_n < SHAPE_GAPS_MAX || !k->inner ? shape_nested(s->gaps, s->gaps_n) : k->inner;
	k->round = s->gaps_n < SHAPE_GAPS_MAX || !k->round ? shape_rounds(s->gaps, s->gaps_n) : k->round;
	uint32_t round = round_of(k);
	/* Of pairs at once the delay between them shows. */
	const bool pairs = round == 2 && s->gaps[0] < retry_option_ns(r, RETRY_O_NO_BACKOFF);
	enum backoff (*const shape)(const uint64_t *, size_t, uint64_t) = s->slept == s->gaps_n ? shape_of_asked : shape_of;
	k->backoff = shape(s->gaps, round && !pairs ? round - 1 : s->gaps_n, retry_option_ns(r, RETRY_O_NO_BACKOFF));
	k->jitter = shape_jitter_within(s->gaps, s->gaps_n, retry_option_ns(r, RETRY_O_NO_BACKOFF));
	k->median_gap_ns = shape_median(s->gaps, s->gaps_n);
	k->busy = only_busy(r, s);
	if (k->busy) {
		k->backoff = BACKOFF_NONE;
		k->jitter = JITTER_UNKNOWN;
	}
}

/* Delays drawn around one length are no fault. Few gaps that grow at random may look alike once load has lengthened the first ones: those
 * have to be equal. */
static bool surely_constant(const struct retry_sequence *s)
{
	uint64_t min = UINT64_MAX, max = 0;

	for (uint32_t i = 0; i < s->gaps_n; i++) {
		min = s->gaps[i] < min ? s->gaps[i] : min;
		max = s->gaps[i] > max ? s->gaps[i] : max;
	}
	return 2 * s->stated < s->gaps_n && shape_is_constant(s->gaps, s->gaps_n) &&
	       (s->gaps_n >= CONSTANT_GAPS_MIN || (max - min) * CONSTANT_EQUAL_DIV <= min);
}

/* Somebody who begins a process for each round, because the one before had given up, tries on. */
static bool are_processes(const struct retry_sequence *s, uint32_t round)
{
	return (s->starts + 1) * round >= s->attempts;
}

/* What lies between the attempts shows of calls; looked at anew as there is a sixteenth more of it. */
static const struct calls_shown *calls_shown(const struct retry_key *k)
{
	static const struct calls_shown nothing;
	struct retry_calls *c = k->client->calls;

	if (!c || k->client->seq.refused)
		return &nothing;
	if (c->n - c->looked > c->n / LOOK_DIV) {
		c->looked = c->n;
		c->shown = calls_look(c->gaps, c->n);
	}
	return &c->shown;
}

/* Pauses between calls count among the gaps, where there are such. */
static bool surely_hasty(const struct retry *r, const struct retry_key *k)
{
	const struct retry_sequence *s = &k->client->seq;
	uint32_t hasty = 0;

	for (uint32_t i = 0; i < s->gaps_n; i++)
		hasty += s->gaps[i] < retry_option_ns(r, RETRY_O_NO_BACKOFF);
	return 3 * hasty >= 2 * s->gaps_n || (!calls_shown(k)->hint && !calls_shown(k)->round && !calls_shown(k)->handed);
}

/* Called at the end of a short sequence, and during a long one: the first delays of a random, growing back-off may all be small. */
static void check_pace(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	if (k->client->seq.refused || retry_crowd_apart(&k->client->seq) ||
	    k->client->seq.gaps_n < (a ? PACE_SETTLED_GAPS : NO_BACKOFF_GAPS_MIN) ||
	    (!a && k->client->seq.gaps_n >= PACE_SETTLED_GAPS))
		return;
	if (k->backoff == BACKOFF_NONE && k->median_gap_ns < retry_option_ns(r, RETRY_O_NO_BACKOFF) && surely_hasty(r, k))
		retry_note(r, k, RETRY_NO_BACKOFF, a, SEVERITY_WARNING, CONFIDENCE_OBSERVED, k->client->seq.attempts);
	else if (k->backoff == BACKOFF_CONSTANT && surely_constant(&k->client->seq))
		retry_note(r, k, RETRY_NO_BACKOFF, a, SEVERITY_INFO, CONFIDENCE_OBSERVED, k->client->seq.attempts);
}

/* Rounds that may be calls of their own: their attempts; else 0. */
static uint32_t calls_round(const struct retry_key *k)
{
	const uint32_t shown = calls_shown(k)->round, round = shown ? shown : round_of(k);

	return round && !are_processes(&k->client->seq, round) ? round : 0;
}

/* Many calls one after the other, all failing: the attempts of one of them; 0 of one call. */
static uint32_t calls_of(const struct retry_key *k)
{
	const uint32_t round = calls_round(k);
	const struct retry_sequence *s = &k->client->seq;

	return round && s->attempts == k->line.attempts && (calls_shown(k)->round || s->attempts >= CALLS_MIN * round - 1) ? round
															   : 0;
}

/* The delays of the calls after the first one, as those of sequences of their own. */
static void split_calls(struct retry_key *k, uint32_t round)
{
	const struct retry_sequence *s = &k->client->seq;
	const struct calls_shown *shown = calls_shown(k);
	const bool even = shown->even || !shown->round;
	const uint32_t calls =
		even ? s->attempts / round : (uint32_t)((uint64_t)shown->calls * s->attempts / (k->client->calls->n + 1));

	for (uint32_t i = round; i < s->gaps_n && even; i++) {
		if (i % round < SHAPE_STEPS_MAX && i % round != round - 1)
			shape_step_add(&k->steps[i % round], s->gaps[i]);
	}
	k->sequences += calls - 1;
	k->retries -= calls - 1;
	k->max_attempts = round > s->max_before ? round : s->max_before;
}

/* The shape of one call's delays: at each place the median of all calls'. */
static void shape_calls(const struct retry *r, struct retry_key *k, uint32_t round)
{
	const struct retry_calls *c = k->client->calls;
	uint64_t medians[CALLS_ROUND_MAX], gaps[SHAPE_GAPS_MAX];

	for (uint32_t place = 0; place + 1 < round; place++) {
		size_t n = 0;
		for (uint32_t i = place; i < c->n && n < SHAPE_GAPS_MAX; i += round)
			gaps[n++] = (uint64_t)c->gaps[i].us * 1000;
		medians[place] = shape_median(gaps, n);
	}
	k->backoff = shape_of(medians, round - 1, retry_option_ns(r, RETRY_O_NO_BACKOFF));
}

/* Calls are told as such when the sequence is over. Each but the last has given up; that one, if `gave_up`. */
static void end_calls(const struct retry *r, struct retry_key *k, uint32_t round, bool gave_up)
{
	const uint64_t before = k->sequences;

	split_calls(k, round);
	if (calls_shown(k)->even && round <= CALLS_ROUND_MAX)
		shape_calls(r, k, round);
	k->gave_up += k->sequences - before + gave_up;
	k->bound = round > k->bound ? round : k->bound;
}

/* Workers that failed once each. */
static void split_workers(struct retry_key *k)
{
	k->sequences += k->client->seq.attempts - 1;
	k->retries -= k->client->seq.attempts - 1;
	k->gave_up += k->client->seq.attempts;
	k->bound = k->bound > 1 ? k->bound : 1;
}

static void check_jitter(struct retry *r, struct retry_key *k)
{
	if (k->client->seq.gaps_n && k->backoff != BACKOFF_NONE &&
	    shape_jitter(k->steps, SHAPE_STEPS_MAX, JITTER_SEQUENCES_MIN) == JITTER_NO)
		retry_note(r, k, RETRY_NO_JITTER, NULL, retry_rules[RETRY_NO_JITTER].severity, CONFIDENCE_OBSERVED, k->sequences);
}

/* Retries inside of retries multiply: the rounds of unlike gaps that repeat. */
static void check_layers(struct retry *r, struct retry_key *k)
{
	const struct retry_sequence *s = &k->client->seq;
	uint32_t inner = s->refused || retry_crowd_apart(s) || calls_of(k) || s->attempts < LAYERS_ATTEMPTS_MIN
				 ? 0
				 : shape_nested(s->gaps, s->gaps_n);

	if (inner)
		retry_note(r, k, RETRY_AMPLIFICATION, NULL, retry_rules[RETRY_AMPLIFICATION].severity, CONFIDENCE_OBSERVED,
			   RETRY_LAYERS(s->attempts, inner));
}

void retry_judge_end(struct retry *r, struct retry_key *k, bool gave_up)
{
	struct retry_sequence *s = &k->client->seq;

	check_pace(r, k, NULL);
	check_layers(r, k);
	if (s->attempts == k->line.attempts)
		k->line.outcome = gave_up ? RETRY_GAVE_UP : RETRY_RECOVERED;
	if (!s->refused && retry_crowd_apart(s)) {
		split_workers(k);
	} else if (!s->refused) {
		uint32_t round = calls_of(k);
		if (round)
			end_calls(r, k, round, gave_up);
		else if (s->attempts > k->max_attempts)
			k->max_attempts = s->attempts;
		if (gave_up && !round) {
			k->gave_up++;
			k->bound = s->attempts > k->bound ? s->attempts : k->bound;
		}
		k->recovered += !gave_up && s->attempts > 1;
		check_jitter(r, k);
	}
}

/* Delays drawn at random begin anew as those of another call would, now and then, and nothing shows that it is none. Past the number that
 * proves it, calls would have shown. */
static bool may_be_calls(const struct retry *r, const struct retry_key *k)
{
	const struct calls_shown *shown = calls_shown(k);
	const struct retry_sequence *s = &k->client->seq;

	if (shown->hint)
		return !are_processes(s, 2);
	/* Another thread hands over what is to be done, at times that follow no rule: jobs, as far as can be seen. */
	if (shown->handed && (k->backoff == BACKOFF_NONE || k->backoff == BACKOFF_IRREGULAR) &&
	    !shape_is_constant(s->gaps, s->gaps_n))
		return true;
	return k->jitter == JITTER_YES && !shown->one_place && s->attempts < (uint32_t)option(r, RETRY_O_PROVEN_ATTEMPTS) &&
	       (k->backoff == BACKOFF_IRREGULAR || k->backoff == BACKOFF_EXPONENTIAL) && shape_restarts(s->gaps, s->gaps_n);
}

/* During a sequence, and for one that still goes on when the session ends (a is NULL). Rounds may be calls of their own, which ends: those
 * are waited for. */
static void check_unbounded(struct retry *r, struct retry_key *k, const struct retry_attempt *a)
{
	struct retry_sequence *s = &k->client->seq;
	const uint32_t proven_at = (uint32_t)option(r, RETRY_O_PROVEN_ATTEMPTS),
		       most = (uint32_t)option(r, RETRY_O_UNBOUNDED_ATTEMPTS);
	uint64_t span = (a ? a->end_ns : s->last_end_ns) - s->first_start_ns;
	bool long_ago = span >= retry_option_ns(r, RETRY_O_UNBOUNDED_SECONDS) && s->attempts >= 3;

	if ((s->attempts <= most && !long_ago) || retry_crowd_apart(s))
		return;
	const uint32_t round = calls_round(k);
	if (calls_of(k) || (s->attempts <= most * round && s->attempts < proven_at && !long_ago) || may_be_calls(r, k))
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
	const struct retry_sequence *s = &k->client->seq;

	if (a->unsafe)
		retry_note(r, k, RETRY_NON_IDEMPOTENT, a, s->delivered ? SEVERITY_ERROR : SEVERITY_WARNING, CONFIDENCE_OBSERVED,
			   s->attempts);
	if (s->due_ns) {
		uint64_t wait = elapsed_ns(s->last_end_ns, s->due_ns);
		if (gap < wait - wait / RETRY_AFTER_SLACK_DIV)
			retry_note(r, k, RETRY_IGNORES_RETRY_AFTER, a, SEVERITY_WARNING, CONFIDENCE_OBSERVED, wait);
	}
}

/* It was no sequence after all: what was concluded from it, and has not been told yet, is not told. */
void retry_judge_nothing(struct retry_key *k)
{
	static const enum retry_rule of_sequences[] = {RETRY_UNBOUNDED, RETRY_NO_BACKOFF, RETRY_NON_IDEMPOTENT};

	for (size_t i = 0; i < sizeof of_sequences / sizeof *of_sequences; i++) {
		struct retry_hit *h = &k->hits[of_sequences[i]];
		h->count = h->told;
	}
	if (!k->hits[RETRY_UNBOUNDED].told)
		k->unbounded = false;
	k->max_attempts = k->client->seq.max_before ? k->client->seq.max_before : 1;
	k->line = (struct retry_line){0};
	k->judged_gaps = 0;
	k->backoff = BACKOFF_NONE;
}

void retry_judge_attempt(struct retry *r, struct retry_key *k, const struct retry_attempt *a, uint64_t gap)
{
	struct retry_sequence *s = &k->client->seq;

	if (s->refused) {
		if (s->attempts >= REFUSED_ATTEMPTS_MIN && shape_median(s->gaps, s->gaps_n) < REFUSED_GAP_MAX &&
		    a->result == RETRY_REFUSED)
			retry_note(r, k, RETRY_NOT_RETRYABLE, a, SEVERITY_WARNING, CONFIDENCE_OBSERVED, (uint64_t)a->status);
		return;
	}
	retry_judge_shape(r, k, a->end_ns);
	if (!retry_crowd_apart(s))
		check_retry(r, k, a, gap);
	check_pace(r, k, a);
	check_unbounded(r, k, a);
}

void retry_judge_open(struct retry *r, struct retry_key *k)
{
	check_pace(r, k, NULL);
	check_layers(r, k);
	if (k->unbounded || k->client->seq.refused)
		return;
	check_unbounded(r, k, NULL);
	const uint32_t round = calls_of(k);
	if (round)
		end_calls(r, k, round, false);
}
