/*
 * What is told of calls that outlive their callers: inversions and abandoned work that were seen, and bounds that are longer than what
 * a caller said it would wait. The session's thread.
 */
#include <stdio.h>

#include "detectors/deadline_caller.h"

static void tell_seen(struct deadline *d, struct deadline_chain *c, enum deadline_rule rule, struct tally *t)
{
	const struct bound b = {.kind = BOUND_NONE, .how = HOW_CALLER_GONE, .confidence = CONFIDENCE_OBSERVED, .tally = t};
	const struct deadline_telling say = {
		.rule = rule,
		.severity = deadline_rules[rule].severity,
		.peer = c->peer,
		.operation = c->operation,
		.key = c->name,
		.remedy = REMEDY_RESPONSE,
	};
	char message[1024], waited[32], on[32];

	if (!t->operations)
		return;
	evidence_duration(c->caller_waited_ns, waited, sizeof waited);
	evidence_duration(t->waited_ns, on, sizeof on);
	if (rule == DEADLINE_ABANDONED)
		snprintf(message, sizeof message, "%s — the caller gave up after %s; the call lived on for %s", c->name, waited,
			 on);
	else
		snprintf(message, sizeof message, "%s — the caller waited %s and went; the call took %s", c->name, waited, on);
	deadline_tell_one(d, t, &b, &say, message);
}

/* Callers said how long they wait: is the call's bound longer? */
static void tell_stated(struct deadline *d, struct deadline_chain *c)
{
	struct deadline_peer *p;
	struct bound bounds[PHASES];
	char message[1024], left[32], limit[32];

	HASH_FIND_STR(d->peers, c->peer, p);
	if (!p || !c->stated_n)
		return;
	/* Of this very call, if its waits are known: others of the same peer may be allowed to take longer. */
	const uint64_t warn_ns = evidence_option_ns(d->env.options[DEADLINE_O_WARN]);
	peer_bounds(p, evidence_site_hash(d->env.stacks, c->stack), warn_ns, bounds);
	if (!bounds[PHASE_RESPONSE].tally && !bounds[PHASE_TOTAL].tally)
		peer_bounds(p, 0, warn_ns, bounds);
	const struct bound *b = bounds[PHASE_TOTAL].kind == BOUND_FINITE ? &bounds[PHASE_TOTAL] : &bounds[PHASE_RESPONSE];
	const bool finite = b->kind == BOUND_FINITE;
	if (!b->tally || b->kind == BOUND_UNKNOWN || (finite && b->limit_ns <= c->left_ns))
		return;
	struct tally *tallies[] = {&c->stated_inversion, &c->stated_budget};
	for (unsigned int i = 0; i < (finite ? 2U : 1U); i++) {
		struct tally *t = tallies[i];
		t->operations = t->calls = c->stated_n;
		t->first_ns = c->first_ns;
		t->last_ns = c->last_ns;
		t->waited_ns = b->tally->waited_ns;
		t->stack = c->stack;
	}
	evidence_duration(c->left_ns, left, sizeof left);
	evidence_duration(b->limit_ns, limit, sizeof limit);
	const struct bound said = {.kind = b->kind,
				   .how = HOW_CALLER_FIRST,
				   .confidence = CONFIDENCE_SUSPECTED,
				   .limit_ns = b->limit_ns,
				   .tally = &c->stated_inversion};
	struct deadline_telling say = {
		.rule = DEADLINE_INVERSION,
		.severity = deadline_rules[DEADLINE_INVERSION].severity,
		.peer = c->peer,
		.operation = c->operation,
		.key = c->name,
		.remedy = REMEDY_RESPONSE,
	};
	snprintf(message, sizeof message, "%s — the caller waits %s more, the call %s%s", c->name, left,
		 finite ? "up to " : "without a bound", finite ? limit : "");
	if (!c->inversion.operations)
		deadline_tell_one(d, &c->stated_inversion, &said, &say, message);
	if (!finite)
		return;
	say.rule = DEADLINE_BUDGET;
	say.severity = SEVERITY_WARNING;
	snprintf(message, sizeof message, "%s — bounded by %s, and the caller's own deadline leaves %s", c->name, limit, left);
	deadline_tell_one(d, &c->stated_budget, &said, &say, message);
}

void chains_tell(struct deadline *d, bool settled)
{
	for (struct deadline_chain *c = d->chains; c; c = c->hh.next) {
		tell_seen(d, c, DEADLINE_INVERSION, &c->inversion);
		tell_seen(d, c, DEADLINE_ABANDONED, &c->abandoned);
		if (settled)
			tell_stated(d, c);
	}
}
