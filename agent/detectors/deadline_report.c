/*
 * What the deadline detector says: rules and options, the findings' sentences, and the report's "deadlines". The session's thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "detectors/deadline_caller.h"

const struct rule deadline_rules[] = {
	[DEADLINE_CONNECT] =
		{.id = "deadline.connect.missing",
		 .severity = SEVERITY_WARNING,
		 .title = "no deadline on connecting",
		 .doc = "The program connects without a limit of its own: only the kernel's applies, about 134 s. An error once a "
			"connect really took {60 s}.",
		 .remedy = "Connect on a non-blocking socket and wait with a deadline of a few seconds, or set SO_SNDTIMEO or "
			   "TCP_USER_TIMEOUT before connect()."},
	[DEADLINE_RESPONSE] =
		{.id = "deadline.response.missing",
		 .severity = SEVERITY_WARNING,
		 .title = "no deadline on the response",
		 .doc = "A request was sent, and the wait for the first byte of the answer has no limit. Suspected from the calls' "
			"arguments, observed once such a wait lasted {30 s}, an error at {60 s}. An idle connection is no finding.",
		 .remedy = "Set SO_RCVTIMEO, or poll with what is left of a deadline, and close the connection when it passes."},
	[DEADLINE_BODY] = {.id = "deadline.body.missing",
			   .severity = SEVERITY_WARNING,
			   .title = "no deadline on the body",
			   .doc = "The answer has begun, and the wait for its next bytes has no limit.",
			   .remedy = "Bound each read of the body, and better the whole transfer."},
	[DEADLINE_WRITE] = {.id = "deadline.write.missing",
			    .severity = SEVERITY_WARNING,
			    .title = "no deadline on sending",
			    .doc = "A send waited for {1 s} or longer, and had no limit. Sends that never waited are not reported.",
			    .remedy = "Set SO_SNDTIMEO, or send on a non-blocking socket and poll for writing with a deadline."},
	[DEADLINE_RESOLVE] =
		{.id = "deadline.resolve.missing",
		 .severity = SEVERITY_WARNING,
		 .title = "a slow name look-up held its caller",
		 .doc = "A look-up took {5 s} or longer. getaddrinfo() takes no deadline: only resolv.conf's timeout and attempts "
			"bound it.",
		 .remedy = "Resolve with a deadline (getaddrinfo_a, c-ares, a resolver thread), and set `options timeout:1 "
			   "attempts:2` in resolv.conf."},
	[DEADLINE_TOTAL] =
		{.id = "deadline.total.missing",
		 .severity = SEVERITY_WARNING,
		 .title = "no deadline on the whole operation",
		 .doc = "Each gap between bytes is bounded, but the body dripped and the whole took longer than that bound: a peer "
			"that sends a byte now and then holds the caller for ever.",
		 .remedy = "Give the operation a deadline of its own, and pass what is left of it to each wait."},
	[DEADLINE_BUDGET] =
		{.id = "deadline.budget.exceeded",
		 .severity = SEVERITY_INFO,
		 .title = "a deadline is very long",
		 .doc = "The answer is bounded, but by more than {30 s}: longer than callers usually wait.",
		 .remedy = "Choose a limit near the peer's slowest normal answer (its p99.9), below the caller's own deadline."},
	[DEADLINE_SERVER] = {.id = "deadline.server.missing",
			     .severity = SEVERITY_WARNING,
			     .title = "a silent client holds a worker",
			     .doc = "A thread of the service waited, without a limit, for the rest of a client's first request: "
				    "suspected from 5 s on, "
				    "observed from {30 s}. So does one whose reads have a limit each, while a few bytes now and "
				    "then keep it going.",
			     .remedy = "Set a read timeout on accepted connections (SO_RCVTIMEO, or the server's header timeout)."},
	[DEADLINE_INVERSION] =
		{.id = "deadline.inversion",
		 .severity = SEVERITY_WARNING,
		 .title = "a call outlives its caller",
		 .doc = "A call that an incoming request waits for went on after that request's caller had gone (observed), or is "
			"bounded "
			"by more than the caller said that it would wait (suspected). The call's work is for nobody.",
		 .remedy = "Give the call what is left of the incoming request's deadline, and cancel it when the caller goes."},
	[DEADLINE_ABANDONED] =
		{.id = "deadline.abandoned",
		 .severity = SEVERITY_WARNING,
		 .title = "abandoned work lives on",
		 .doc = "The caller gave up, and the call that was made for it kept its connection for a second or longer.",
		 .remedy = "Cancel calls whose caller has gone: close or reset the connection instead of waiting for the answer."},
	{0},
};

const struct option deadline_options[] = {
	[DEADLINE_O_WARN] = {"warn_seconds", 30, 0.001, 86400, "s", "a wait this long counts as observed"},
	[DEADLINE_O_ERROR] = {"error_seconds", 60, 0.001, 86400, "s", "a wait this long is an error"},
	[DEADLINE_O_BUDGET] = {"budget_seconds", 30, 0.001, 86400, "s", "a bound longer than this is reported"},
	[DEADLINE_O_NO_GIVE_UP] = {"no_give_up_seconds", 12, 1, 86400, "s",
				   "after waiting this long in an event loop, no bound is assumed"},
	[DEADLINE_O_RESOLVE] = {"resolve_seconds", 5, 0.001, 86400, "s", "a look-up this long is reported"},
	[DEADLINE_O_WRITE] = {"write_seconds", 1, 0.001, 86400, "s", "a send that waited this long is looked at"},
	[DEADLINE_O_SETTLE] = {"settle_seconds", 60, 0, 86400, "s",
			       "a suspicion is told this long after its first evidence, or at the session's end"},
	{0},
};

static const char *const how_texts[HOWS] = {
	[HOW_NOTHING] = "not seen",
	[HOW_CALL_LIMIT] = "blocking call with a socket timeout",
	[HOW_POLL_LIMIT] = "poll on the descriptor with a timeout",
	[HOW_REMAINDER] = "waits that fall towards one moment",
	[HOW_ALARM] = "an interval timer whose SIGALRM interrupts",
	[HOW_GAVE_UP] = "the process gave up and closed it",
	[HOW_TIMED_OUT] = "the wait ran out and the process stopped",
	[HOW_SYN_COUNT] = "TCP_SYNCNT",
	[HOW_USER_TIMEOUT] = "TCP_USER_TIMEOUT",
	[HOW_KERNEL] = "kernel, ~134 s (tcp_syn_retries)",
	[HOW_CALL_FOREVER] = "blocking call on a socket without a timeout",
	[HOW_POLL_FOREVER] = "poll on the descriptor without a timeout",
	[HOW_SLICES] = "slices re-armed without an end",
	[HOW_LOOP_FOREVER] = "event loop waiting without a timeout or timer",
	[HOW_NO_GIVE_UP] = "waited long, and nobody gave up",
	[HOW_DRIPPED] = "the body dripped past the bound of each gap",
	[HOW_ONE_SLICE] = "undecided: one slice of at most a second",
	[HOW_LOOP_TIMER] = "undecided: an event loop's timer may be anybody's",
	[HOW_REARMED] = "undecided: a limit ran out and was armed again",
	[HOW_OTHER_THREAD] = "undecided: another thread was asleep or a timer set, and may be a watchdog",
	[HOW_BUSY] = "undecided: reads tried again and again",
	[HOW_UNKNOWN_LIMIT] = "undecided: no wait of its own was seen",
	[HOW_CALLER_GONE] = "the caller had gone, and the call went on",
	[HOW_CALLER_FIRST] = "the caller's own deadline comes first",
	[HOW_GO_TIMER] = "undecided: Go's timers are its runtime's own, and one may cover it",
	[HOW_CLOCK] = "undecided: the clock ticks by which the client library ends what takes too long",
	[HOW_STATED] = "the request says how long its sender waits",
	[HOW_RUNTIME] = "the runtime of the language was given this deadline",
	[HOW_RUNTIME_NONE] = "the runtime of the language has no deadline and no timer that might end it",
	[HOW_BEGUN_BEFORE] = "undecided: it was under way before it was watched, and nobody knows since when",
	[HOW_SILENT] = "undecided: nobody has said anything on it yet; a peer that is to speak first, or a connection for later",
	[HOW_NEXT_BEGAN] =
		"undecided: others were begun at an even pace while it waited, and who asked for it may have left before",
	[HOW_SET_UP] = "undecided: the peer has not spoken yet, and a connect deadline may be looked at between slices",
};

static const char *const phase_names[PHASES] = {
	[PHASE_CONNECT] = "connect", [PHASE_RESPONSE] = "response", [PHASE_BODY] = "body",
	[PHASE_TOTAL] = "total",     [PHASE_WRITE] = "write",
};

static uint64_t option_ns(const struct deadline *d, enum deadline_option o)
{
	return evidence_option_ns(d->env.options[o]);
}

static uint32_t stack_of(const struct bound *b)
{
	for (int i = WEIGHTS - 1; b->tally && i >= 0; i--) {
		if (b->tally->by_weight[i].count && b->tally->by_weight[i].how == b->how)
			return b->tally->by_weight[i].stack;
	}
	return b->tally ? b->tally->stack : 0;
}

static json_t *evidence_of(const struct tally *t, const struct bound *b, const char *phase)
{
	json_t *limit = b->kind == BOUND_FINITE ? evidence_seconds(b->limit_ns) : json_null();

	return json_pack("{s:s, s:s, s:o, s:I, s:I, s:o}", "phase", phase, "how", how_texts[b->how], "limit_s", limit, "calls",
			 (json_int_t)t->calls, "operations", (json_int_t)t->operations, "longest_wait_s",
			 evidence_seconds(t->waited_ns));
}

void deadline_tell_one(struct deadline *d, struct tally *t, const struct bound *b, const struct deadline_telling *say,
		       const char *message)
{
	uint64_t occurred = t->operations ? t->operations : 1;
	enum confidence confidence = b->confidence;

	if (t->told && occurred <= t->told && say->severity == t->told_severity && confidence == t->told_confidence)
		return;
	const struct finding f = {
		.rule = &deadline_rules[say->rule],
		.severity = say->severity,
		.confidence = confidence,
		.peer = say->peer,
		.operation = say->operation,
		.stack = stack_of(b),
		.key = say->key,
		.count = occurred > t->told ? occurred - t->told : 0,
		.first_seen_ns = t->first_ns,
		.last_seen_ns = t->last_ns,
		.evidence = evidence_of(t, b, say->operation),
		.message = message,
		.remedy = remedy_for(d->env.stacks, stack_of(b), say->remedy),
		.request_id = t->request_id,
	};
	d->env.emit(d->env.emit_ctx, &f);
	t->told = occurred;
	t->told_severity = say->severity;
	t->told_confidence = confidence;
}

static enum severity severity_of(const struct deadline *d, enum deadline_rule rule, const struct tally *t)
{
	return t->waited_ns >= option_ns(d, DEADLINE_O_ERROR) ? SEVERITY_ERROR : deadline_rules[rule].severity;
}

/* Which rule does this bound of a phase break? False if none. */
static bool broken_rule(const struct deadline *d, enum phase phase, const struct bound *b, enum deadline_rule *ret)
{
	static const enum deadline_rule rules[PHASES] = {
		[PHASE_CONNECT] = DEADLINE_CONNECT, [PHASE_RESPONSE] = DEADLINE_RESPONSE, [PHASE_BODY] = DEADLINE_BODY,
		[PHASE_TOTAL] = DEADLINE_TOTAL,     [PHASE_WRITE] = DEADLINE_WRITE,
	};

	*ret = rules[phase];
	if (b->kind == BOUND_NONE || b->kind == BOUND_KERNEL)
		return true;
	*ret = DEADLINE_BUDGET;
	return b->kind == BOUND_FINITE && phase != PHASE_CONNECT && phase != PHASE_WRITE &&
	       b->limit_ns > option_ns(d, DEADLINE_O_BUDGET);
}

static void tell_site(struct deadline *d, struct deadline_peer *p, enum phase phase, struct tally *t, uint64_t now_ns, bool settled)
{
	struct bound b = tally_bound(t, option_ns(d, DEADLINE_O_WARN));
	struct bound total = peer_bound(p, PHASE_TOTAL, option_ns(d, DEADLINE_O_WARN));
	char message[1024], site[SITE_TEXT_SIZE], wait[32], limit[32], key[LIMIT_PEER_TEXT + 32];
	enum deadline_rule rule;

	if (tally_empty(t) || !broken_rule(d, phase, &b, &rule))
		return;
	/* A bound of the whole covers the response and the body. */
	if ((phase == PHASE_RESPONSE || phase == PHASE_BODY) && total.kind == BOUND_FINITE && rule != DEADLINE_BUDGET)
		return;
	if (!settled && b.confidence == CONFIDENCE_SUSPECTED && now_ns < t->first_ns + option_ns(d, DEADLINE_O_SETTLE))
		return;
	evidence_site(d->env.stacks, stack_of(&b), site, sizeof site);
	evidence_duration(t->waited_ns, wait, sizeof wait);
	evidence_duration(b.limit_ns, limit, sizeof limit);
	if (rule == DEADLINE_BUDGET)
		snprintf(message, sizeof message, "%s — the %s is bounded by %s only, from %s", p->name, phase_names[phase], limit,
			 site);
	else if (rule == DEADLINE_CONNECT)
		snprintf(message, sizeof message,
			 "%s — no connect deadline of its own (the kernel gives up after about 134 s): %" PRIu64
			 " connects from %s; longest %s",
			 p->name, t->operations, site, wait);
	else
		snprintf(message, sizeof message, "%s — no %s deadline: %s, %" PRIu64 " calls from %s; longest wait %s", p->name,
			 phase_names[phase], how_texts[b.how], t->calls, site, wait);
	snprintf(key, sizeof key, "%s %s", p->name, phase_names[phase]);
	const struct deadline_telling say = {
		.rule = rule,
		.severity = rule == DEADLINE_BUDGET ? deadline_rules[rule].severity : severity_of(d, rule, t),
		.peer = p->name,
		.operation = phase_names[phase],
		.key = key,
		.remedy = phase == PHASE_CONNECT ? REMEDY_CONNECT : REMEDY_RESPONSE,
	};
	deadline_tell_one(d, t, &b, &say, message);
}

static void tell_slow(struct deadline *d, struct deadline_slow *s, enum deadline_rule rule)
{
	const bool server = rule == DEADLINE_SERVER;
	const bool seen = !server || s->tally.waited_ns >= option_ns(d, DEADLINE_O_WARN);
	const struct bound b = {
		.kind = BOUND_NONE,
		.how = server ? s->tally.by_weight[W_NONE].how : HOW_UNKNOWN_LIMIT,
		.confidence = seen ? CONFIDENCE_OBSERVED : CONFIDENCE_SUSPECTED,
		.tally = &s->tally,
	};
	const struct deadline_telling say = {
		.rule = rule,
		.severity = severity_of(d, rule, &s->tally),
		.peer = server ? "" : s->name,
		.operation = server ? "accepted connection" : "resolve",
		.key = s->name,
		.remedy = REMEDY_RESPONSE,
	};
	char message[1024], wait[32];

	evidence_duration(s->tally.waited_ns, wait, sizeof wait);
	if (server)
		snprintf(message, sizeof message, "a client that did not finish its request held %s for %s", s->name, wait);
	else
		snprintf(message, sizeof message, "%s — the look-up took %s; getaddrinfo() has no deadline", s->name, wait);
	deadline_tell_one(d, &s->tally, &b, &say, message);
}

void deadline_tell(struct deadline *d, uint64_t now_ns, bool settled)
{
	for (struct deadline_peer *p = d->peers; p; p = p->hh.next) {
		for (unsigned int phase = 0; phase < PHASES; phase++) {
			for (uint32_t i = 0; i < p->sites_n[phase]; i++)
				tell_site(d, p, (enum phase)phase, &p->sites[phase][i], now_ns, settled);
		}
	}
	for (struct deadline_slow *s = d->names; s; s = s->hh.next)
		tell_slow(d, s, DEADLINE_RESOLVE);
	for (struct deadline_slow *s = d->clients; s; s = s->hh.next)
		tell_slow(d, s, DEADLINE_SERVER);
	chains_tell(d, settled);
}

/* -- the report's section -- */

static json_t *bound_json(const struct bound *b)
{
	static const char to_decide[] = "; a peer that stays silent for longer decides it, or `gapscope gate --prove`";
	static const char *const kinds[] = {
		[BOUND_UNKNOWN] = "unknown", [BOUND_FINITE] = "finite", [BOUND_KERNEL] = "kernel", [BOUND_NONE] = "none"};
	char evidence[512], wait[32];
	json_t *seconds = b->kind == BOUND_FINITE   ? evidence_seconds(b->limit_ns)
			  : b->kind == BOUND_KERNEL ? evidence_seconds(DEADLINE_KERNEL_NS)
						    : json_null();

	if (b->tally)
		snprintf(evidence, sizeof evidence, "%s; %" PRIu64 " calls in %" PRIu64 " operations, longest wait %s%s",
			 how_texts[b->how], b->tally->calls, b->tally->operations,
			 evidence_duration(b->tally->waited_ns, wait, sizeof wait), b->kind == BOUND_UNKNOWN ? to_decide : "");
	else
		snprintf(evidence, sizeof evidence, "not exercised");
	return json_pack("{s:s, s:o, s:s, s:s}", "bound", kinds[b->kind], "seconds", seconds, "confidence",
			 confidence_name(b->confidence), "evidence", evidence);
}

/* DETECTORS' words for what holds; "undecided" where the evidence does not reach. */
static const char *verdict_of(const struct bound *bounds)
{
	const bool connect = bounds[PHASE_CONNECT].kind == BOUND_FINITE;

	if (bounds[PHASE_TOTAL].kind == BOUND_FINITE)
		return "total";
	switch (bounds[PHASE_RESPONSE].kind) {
	case BOUND_FINITE:
		if (bounds[PHASE_BODY].kind == BOUND_NONE)
			return "connect+header";
		return connect ? "connect+read" : "read";
	case BOUND_NONE:
		return connect ? "connect-only" : "none";
	default:
		return bounds[PHASE_BODY].kind == BOUND_NONE ? (connect ? "connect-only" : "none") : "undecided";
	}
}

static void say_unexercised(const struct deadline_peer *p, const struct bound *bounds, json_t *not_exercised)
{
	char text[LIMIT_PEER_TEXT + 64];

	for (unsigned int phase = PHASE_CONNECT; phase <= PHASE_BODY; phase++) {
		if (bounds[phase].tally)
			continue;
		snprintf(text, sizeof text, "deadline: %s: %s was not exercised", p->name, phase_names[phase]);
		json_array_append_new(not_exercised, json_string(text));
	}
}

static int by_name(const struct deadline_peer *a, const struct deadline_peer *b)
{
	return strcmp(a->name, b->name);
}

json_t *deadline_section(struct deadline *d, json_t *not_exercised)
{
	json_t *section = json_array();
	char site[SITE_TEXT_SIZE];

	HASH_SORT(d->peers, by_name);
	for (struct deadline_peer *p = d->peers; p; p = p->hh.next) {
		struct bound bounds[PHASES];
		peer_bounds(p, 0, option_ns(d, DEADLINE_O_WARN), bounds);
		const struct bound *at = bounds[PHASE_RESPONSE].tally ? &bounds[PHASE_RESPONSE] : &bounds[PHASE_CONNECT];
		json_array_append_new(section,
				      json_pack("{s:s, s:s, s:{s:o, s:o, s:o, s:o}, s:s, s:s}", "peer", p->name, "protocol",
						p->protocol, "phase", "connect", bound_json(&bounds[PHASE_CONNECT]), "response",
						bound_json(&bounds[PHASE_RESPONSE]), "body", bound_json(&bounds[PHASE_BODY]),
						"total", bound_json(&bounds[PHASE_TOTAL]), "verdict", verdict_of(bounds),
						"call_site", evidence_site(d->env.stacks, stack_of(at), site, sizeof site)));
		say_unexercised(p, bounds, not_exercised);
	}
	if (!d->peers)
		json_array_append_new(not_exercised, json_string("deadline: no client connection was seen"));
	return section;
}
