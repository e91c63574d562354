/*
 * What the retry detector says: its rules and options, the findings' sentences, and the report's "retries". The session's thread.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "detectors/remedies.h"
#include "detectors/retry.h"

#define ID_LENGTH 20U /* of a part of a path that is taken for an id */

const struct rule retry_rules[] = {
	[RETRY_UNBOUNDED] =
		{.id = "retry.unbounded",
		 .severity = SEVERITY_WARNING,
		 .title = "retries without a bound",
		 .doc = "One operation was tried more than {20} times, or for longer than {5 min}, every attempt failed, and the "
			"client did not give up. Proven from 90 attempts on. An exponential reconnect loop of a connection is "
			"information only; without any back-off it is an error.",
		 .remedy = "Give up after a few attempts (three is common) or after a total time, and report the failure."},
	[RETRY_NO_BACKOFF] =
		{.id = "retry.no_backoff",
		 .severity = SEVERITY_WARNING,
		 .title = "retries without back-off",
		 .doc = "At least three retries followed the failure before them within a median of less than {60 ms}. Gaps that "
			"are all alike are reported as information: they should grow.",
		 .remedy = "Wait before a retry, twice as long each time, up to a cap, with a random part."},
	[RETRY_NO_JITTER] =
		{.id = "retry.no_jitter",
		 .severity = SEVERITY_INFO,
		 .title = "back-off without jitter",
		 .doc = "Across at least five sequences the same step waited for the same time (within 5 %). Clients that failed "
			"together come back together.",
		 .remedy = "Draw each delay at random between zero and the back-off's current value."},
	[RETRY_BUDGET] = {.id = "retry.budget",
			  .severity = SEVERITY_WARNING,
			  .title = "retries are a large share of the requests",
			  .doc = "Over ten seconds with at least {10} requests a second, more than {10 %} of the requests to a "
				 "peer were retries; "
				 "an error above {20 %}.",
			  .remedy = "Limit retries to a share of the requests (a token bucket), so that a failing peer is not "
				    "loaded further."},
	[RETRY_STORM] =
		{.id = "retry.storm",
		 .severity = SEVERITY_ERROR,
		 .title = "incoming retries rise while good answers fall",
		 .doc = "Within eight seconds a fifth or more of the incoming requests came to be repetitions of requests that "
			"had failed, and fewer were answered well than before: the load that the failures cause keeps them "
			"going.",
		 .remedy = "Shed load early (429 or 503 with Retry-After), and bound the clients' retries by a budget."},
	[RETRY_AMPLIFICATION] =
		{.id = "retry.amplification",
		 .severity = SEVERITY_WARNING,
		 .title = "retries inside of retries",
		 .doc = "One call became many attempts because more than one layer retries: 3 times around 4 makes 12. Seen by "
			"rounds "
			"of gaps that repeat, or by attempts made for an incoming request that is itself repeated.",
		 .remedy = "Retry in one layer only, the one nearest to the failing peer or the outermost, and let the others fail "
			   "fast."},
	[RETRY_NON_IDEMPOTENT] =
		{.id = "retry.non_idempotent",
		 .severity = SEVERITY_WARNING,
		 .title = "a request that is not idempotent was repeated",
		 .doc = "A POST or PATCH was sent again without an idempotency key. An error when the first one may have been "
			"carried out: it was sent, and no answer came.",
		 .remedy = "Send an Idempotency-Key that the server checks, or do not retry such requests."},
	[RETRY_IGNORES_RETRY_AFTER] = {.id = "retry.ignores_retry_after",
				       .severity = SEVERITY_WARNING,
				       .title = "Retry-After was ignored",
				       .doc = "The peer said when to come back (Retry-After), and the next attempt came earlier.",
				       .remedy = "Wait for at least as long as Retry-After says before the next attempt."},
	[RETRY_NOT_RETRYABLE] =
		{.id = "retry.not_retryable",
		 .severity = SEVERITY_WARNING,
		 .title = "an answer that retrying cannot change was retried",
		 .doc = "The same request was sent at least three times although the peer answered 400, 401, 403, 404, 422 or the "
			"like.",
		 .remedy = "Retry only what may pass by itself: 408, 425, 429, 5xx, timeouts, broken connections."},
	{0},
};

const struct option retry_options[] = {
	[RETRY_O_UNBOUNDED_ATTEMPTS] = {"unbounded_attempts", 20, 2, 10000, "attempts",
					"failed attempts after which a client should have "
					"given up"},
	[RETRY_O_UNBOUNDED_SECONDS] = {"unbounded_seconds", 300, 1, 86400, "s", "time after which a client should have given up"},
	[RETRY_O_PROVEN_ATTEMPTS] = {"proven_attempts", 90, 3, 100000, "attempts",
				     "failed attempts that prove the lack of a bound"},
	[RETRY_O_WINDOW] = {"window_seconds", 60, 1, 86400, "s", "an attempt this long after a failure is no retry of it"},
	[RETRY_O_NO_BACKOFF] = {"no_backoff_seconds", 0.06, 0, 60, "s", "a median gap below this is no back-off"},
	[RETRY_O_BUDGET_WARN] = {"budget_warn_percent", 10, 0, 100, "%", "share of retries to warn at"},
	[RETRY_O_BUDGET_ERROR] = {"budget_error_percent", 20, 0, 100, "%", "share of retries that is an error"},
	[RETRY_O_BUDGET_RATE] = {"budget_min_rate", 10, 0, 1000000, "1/s", "requests a second below which the share says nothing"},
	{0},
};

static const char *class_of(const struct retry_key *k)
{
	if (k->unbounded)
		return "unbounded";
	if (k->bound > 1)
		return "bounded";
	if (k->gave_up && k->max_attempts <= 1)
		return "none";
	return "undecided";
}

static enum jitter jitter_of(const struct retry_key *k)
{
	enum jitter across = shape_jitter(k->steps, SHAPE_STEPS_MAX, 5);

	return across == JITTER_UNKNOWN ? k->jitter : across;
}

static json_t *gaps_json(const struct retry_key *k)
{
	json_t *gaps = json_array();

	for (uint32_t i = 0; i < k->client->seq.gaps_n && i < 8; i++)
		json_array_append_new(gaps, evidence_seconds(k->client->seq.gaps[i]));
	return gaps;
}

static json_t *evidence_of(const struct retry_key *k, const struct retry_hit *h, enum retry_rule rule)
{
	char line[256];
	json_t *e = json_pack("{s:I, s:I, s:I, s:I, s:s, s:s, s:o, s:s*}", "attempts", (json_int_t)k->attempts, "retries",
			      (json_int_t)k->retries, "sequences", (json_int_t)k->sequences, "max_attempts",
			      (json_int_t)k->max_attempts, "backoff", backoff_name(k->backoff), "jitter", jitter_name(jitter_of(k)),
			      "median_gap_s", evidence_seconds(k->median_gap_ns), "timeline",
			      k->line.attempts ? retry_timeline(&k->line, line, sizeof line) : NULL);

	switch (rule) {
	case RETRY_IGNORES_RETRY_AFTER:
		json_object_set_new(e, "retry_after_s", evidence_seconds(h->detail));
		break;
	case RETRY_NOT_RETRYABLE:
		json_object_set_new(e, "status", json_integer((json_int_t)h->detail));
		break;
	case RETRY_AMPLIFICATION:
		json_object_set_new(e, "attempts_of_one_call", json_integer((json_int_t)(h->detail >> 16)));
		json_object_set_new(e, "attempts_of_a_round", json_integer((json_int_t)(h->detail & 0xffffU)));
		break;
	default:
		json_object_set_new(e, "gaps_s", gaps_json(k));
		break;
	}
	return e;
}

static const char *message_of(const struct retry_key *k, const struct retry_hit *h, enum retry_rule rule, char *buf, size_t size)
{
	char gap[32], detail[32], line[256];

	evidence_duration(k->median_gap_ns, gap, sizeof gap);
	switch (rule) {
	case RETRY_UNBOUNDED:
		snprintf(buf, size, "%s to %s: %" PRIu64 " failed attempts in a row, about %s apart, and no giving up (%s)",
			 k->operation, k->peer, h->detail, gap, retry_timeline(&k->line, line, sizeof line));
		break;
	case RETRY_NO_BACKOFF:
		if (k->backoff == BACKOFF_CONSTANT)
			snprintf(buf, size, "%s to %s: retries come every %s and never slow down", k->operation, k->peer, gap);
		else
			snprintf(buf, size, "%s to %s: retries follow a failure after only %s (median); %s", k->operation, k->peer,
				 gap, retry_timeline(&k->line, line, sizeof line));
		break;
	case RETRY_NO_JITTER:
		snprintf(buf, size, "%s to %s: the delays of %" PRIu64 " sequences are the same to within 5 %%", k->operation,
			 k->peer, h->detail);
		break;
	case RETRY_AMPLIFICATION:
		snprintf(buf, size, "%s to %s: one call became %" PRIu64 " attempts, in rounds of %" PRIu64 "; %s", k->operation,
			 k->peer, h->detail >> 16, h->detail & 0xffffU, retry_timeline(&k->line, line, sizeof line));
		break;
	case RETRY_NON_IDEMPOTENT:
		snprintf(buf, size, "%s to %s: repeated %" PRIu64 " times without an idempotency key%s", k->operation, k->peer,
			 h->count, h->severity == SEVERITY_ERROR ? ", though the first one may have been carried out" : "");
		break;
	case RETRY_IGNORES_RETRY_AFTER:
		evidence_duration(h->detail, detail, sizeof detail);
		snprintf(buf, size, "%s to %s: tried again after %s though the peer asked for %s", k->operation, k->peer, gap,
			 detail);
		break;
	default:
		snprintf(buf, size, "%s to %s: sent again although the answer was %" PRIu64, k->operation, k->peer, h->detail);
		break;
	}
	return buf;
}

/* One finding for all of /orders/17, /orders/18 …: parts of a path that begin with a digit, or are as long as ids are, count as one. */
static void general_form(const char *operation, char *buf, size_t size)
{
	size_t n = 0;

	for (const char *at = operation; *at && n + 4 < size;) {
		size_t len = strcspn(at, "/ ");
		bool id = len && (isdigit((unsigned char)*at) || len >= ID_LENGTH);
		if (!id && n + len + 1 >= size)
			break;
		if (!id)
			memcpy(buf + n, at, len);
		else
			buf[n] = '#';
		n += id ? 1 : len;
		at += len;
		if (*at)
			buf[n++] = *at++;
	}
	buf[n] = '\0';
}

static void tell(struct retry *r, const struct retry_key *k, struct retry_hit *h, enum retry_rule rule)
{
	char message[1024], key[2 * LIMIT_PEER_TEXT + 32], general[LIMIT_PEER_TEXT];

	if (h->count == h->told)
		return;
	general_form(k->operation, general, sizeof general);
	snprintf(key, sizeof key, "%s %s %016" PRIx64, k->peer, general, k->kind == RETRY_OF_BYTES ? k->id.operation : 0);
	const struct finding f = {
		.rule = &retry_rules[rule],
		.severity = h->severity,
		.confidence = h->confidence,
		.peer = k->peer,
		.operation = k->operation,
		.stack = k->stack,
		.key = key,
		.count = h->count - h->told,
		.first_seen_ns = h->first_ns,
		.last_seen_ns = h->last_ns,
		.evidence = evidence_of(k, h, rule),
		.message = message_of(k, h, rule, message, sizeof message),
		.remedy = remedy_for(r->env.stacks, k->stack, REMEDY_RETRY),
		.request_id = h->request_id,
	};
	r->env.emit(r->env.emit_ctx, &f);
	h->told = h->count;
}

static void tell_budget(struct retry *r, struct retry_peer *p)
{
	char message[512];
	struct retry_hit *h = &p->hit;

	if (h->count == h->told)
		return;
	if (p->key && retry_was_pace(p->key)) { /* a poll that fails, as it turned out */
		h->count = h->told;
		return;
	}
	snprintf(message, sizeof message, "%s: up to %.1f %% of the requests of ten seconds were retries", p->name,
		 (double)h->detail / 10.0);
	const struct finding f = {
		.rule = &retry_rules[RETRY_BUDGET],
		.severity = h->severity,
		.confidence = h->confidence,
		.peer = p->name,
		.operation = "",
		.stack = p->stack,
		.key = p->name,
		.count = h->count - h->told,
		.first_seen_ns = h->first_ns,
		.last_seen_ns = h->last_ns,
		.evidence = json_pack("{s:o}", "retry_share", evidence_number((double)h->detail / 1000.0)),
		.message = message,
	};
	r->env.emit(r->env.emit_ctx, &f);
	h->told = h->count;
}

static void tell_storm(struct retry *r)
{
	char message[512];
	struct retry_storm *s = &r->storm;
	struct retry_hit *h = &s->hit;

	if (h->count == h->told)
		return;
	snprintf(message, sizeof message,
		 "%.1f %% of %" PRIu32 " incoming requests were repetitions of failed ones, while good answers fell from %" PRIu32
		 " to %" PRIu32 " in four seconds",
		 (double)h->detail / 10.0, s->requests, s->good_before, s->good_after);
	const struct finding f = {
		.rule = &retry_rules[RETRY_STORM],
		.severity = h->severity,
		.confidence = h->confidence,
		.peer = "",
		.operation = "",
		.stack = s->stack,
		.key = "",
		.count = h->count - h->told,
		.first_seen_ns = h->first_ns,
		.last_seen_ns = h->last_ns,
		.evidence = json_pack("{s:o, s:I, s:I, s:I}", "retry_share", evidence_number((double)h->detail / 1000.0),
				      "requests", (json_int_t)s->requests, "good_before", (json_int_t)s->good_before, "good_after",
				      (json_int_t)s->good_after),
		.message = message,
	};
	r->env.emit(r->env.emit_ctx, &f);
	h->told = h->count;
}

/* A constant pace may turn out to be that of a poll, once good answers show how it goes on after those. */
static bool waits(const struct retry_key *k, enum retry_rule rule)
{
	return (rule == RETRY_NO_BACKOFF && k->hits[rule].severity == SEVERITY_INFO) ||
	       (rule == RETRY_NO_JITTER && k->backoff == BACKOFF_CONSTANT);
}

/* What waited until all was known. */
static void tell_waiting(struct retry *r)
{
	static const enum retry_rule waiting[] = {RETRY_NO_BACKOFF, RETRY_NO_JITTER};

	for (struct retry_key *k = r->keys; k; k = k->hh.next) {
		for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++) {
			if (waits(k, waiting[i]) && !retry_was_pace(k))
				tell(r, k, &k->hits[waiting[i]], waiting[i]);
		}
	}
}

void retry_tell(struct retry *r, bool last)
{
	struct retry_key *k = r->dirty;

	while (k) {
		struct retry_key *next = k->dirty_next;
		for (unsigned int rule = 0; rule < RETRY_RULES; rule++) {
			if (!waits(k, (enum retry_rule)rule))
				tell(r, k, &k->hits[rule], (enum retry_rule)rule);
		}
		k->dirty = false;
		k->dirty_next = NULL;
		k = next;
	}
	r->dirty = NULL;
	if (last)
		tell_waiting(r);
	for (struct retry_peer *p = r->peers; p; p = p->hh.next)
		tell_budget(r, p);
	tell_storm(r);
}

static int by_peer_operation(const struct retry_key *a, const struct retry_key *b)
{
	int c = strcmp(a->peer, b->peer);

	if (!c)
		c = strcmp(a->operation, b->operation);
	if (!c)
		c = a->id.operation < b->id.operation ? -1 : a->id.operation > b->id.operation;
	return c;
}

/* Why nothing is said of a long sequence. */
static void say_undecided(const struct retry *r, const struct retry_key *k, json_t *not_exercised)
{
	char text[LIMIT_PEER_TEXT * 2 + 256];

	if (k->max_attempts <= (uint32_t)r->env.options[RETRY_O_UNBOUNDED_ATTEMPTS])
		return;
	snprintf(text, sizeof text,
		 "retry: %s to %s: %" PRIu32
		 " failed attempts in a row: one call without a bound, or several with one, and nothing tells "
		 "them apart",
		 k->operation, k->peer, k->max_attempts);
	json_array_append_new(not_exercised, json_string(text));
}

json_t *retry_section(struct retry *r, json_t *not_exercised)
{
	json_t *section = json_array();
	char site[SITE_TEXT_SIZE];

	HASH_SORT(r->keys, by_peer_operation);
	for (struct retry_key *k = r->keys; k; k = k->hh.next) {
		if (!k->sequences)
			continue;
		const char *class = class_of(k);
		bool bounded = k->bound > 1 && !k->unbounded;
		if (!bounded && !k->unbounded)
			say_undecided(r, k, not_exercised);
		json_array_append_new(
			section,
			json_pack("{s:s, s:s, s:I, s:I, s:s, s:o, s:s, s:s, s:o, s:I, s:s}", "peer", k->peer, "operation",
				  k->operation, "sequences", (json_int_t)k->sequences, "max_attempts", (json_int_t)k->max_attempts,
				  "class", class, "bound", bounded ? json_integer(k->bound) : json_null(), "backoff",
				  backoff_name(k->backoff), "jitter", jitter_name(jitter_of(k)), "retry_ratio",
				  evidence_number((double)k->retries / (double)(k->attempts ? k->attempts : 1)), "gave_up",
				  (json_int_t)k->gave_up, "call_site", evidence_site(r->env.stacks, k->stack, site, sizeof site)));
	}
	if (!r->attempts)
		json_array_append_new(not_exercised, json_string("retry: no request and no connection was seen"));
	else if (!r->failures)
		json_array_append_new(not_exercised, json_string("retry: no failed request was seen"));
	return section;
}
