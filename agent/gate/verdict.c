/*
 * The verdict of a gate (verdict.h): checks one after the other, the worst of them is the verdict.
 */
#include "gate/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gate/compare.h"
#include "gate/proof.h"
#include "gate/timers.h"
#include "report/render_util.h"
#include "report/report.h"

static const char *const state_names[] = {
	[CHECK_PASS] = "pass", [CHECK_WARN] = "warn", [CHECK_INCONCLUSIVE] = "inconclusive", [CHECK_FAIL] = "fail"};

void gate_check(json_t *checks, const char *name, enum check_state state, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(checks, json_pack("{s:s, s:s, s:s}", "check", name, "state", state_names[state], "text", text));
}

/* -- is there enough to judge by? -- */

static void check_evidence(const struct gate_input *in, const json_t *report, const char *whose, json_t *checks)
{
	const struct gate_policy *p = in->policy;
	const json_t *loss = json_object_get(report, "loss");
	const double requests = (double)report_requests(report), published = (double)json_number(loss, "published");
	const double lost = (double)json_number(loss, "lost"), all = published + lost;
	const double written = (double)json_number(loss, "log_bytes_seen"), read = (double)json_number(loss, "log_bytes_scanned");
	const double seconds = report_seconds(report), wanted = p->seconds > in->settle_s ? p->seconds : in->settle_s;

	gate_check(checks, "requests", requests >= p->requests ? CHECK_PASS : CHECK_INCONCLUSIVE, "%s%.0f requests, %.0f wanted",
		   whose, requests, p->requests);
	if (wanted > 0)
		gate_check(checks, "seconds", seconds >= wanted ? CHECK_PASS : CHECK_INCONCLUSIVE,
			   "%swatched for %.1f s, %.1f s wanted", whose, seconds, wanted);
	if (published <= 0)
		gate_check(checks, "watched", CHECK_INCONCLUSIVE, "%snothing was seen: the service was not watched", whose);
	gate_check(checks, "lost", all <= 0 || lost / all <= p->lost_share ? CHECK_PASS : CHECK_INCONCLUSIVE,
		   "%s%.0f of %.0f records lost (%.3g %%), %.3g %% allowed", whose, lost, all, all > 0 ? lost / all * 100 : 0,
		   p->lost_share * 100);
	if (written > 0)
		gate_check(checks, "log", read / written >= p->log_share ? CHECK_PASS : CHECK_INCONCLUSIVE,
			   "%s%.3g %% of what was logged was read, %.3g %% wanted", whose, read / written * 100,
			   p->log_share * 100);
}

/* -- findings -- */

static void finding_say(json_t *checks, enum check_state state, const json_t *f, const char *why)
{
	const char *message = json_text(f, "message");

	gate_check(checks, "finding", state, "%s%s: %s", json_text(f, "rule"), why, *message ? message : json_text(f, "title"));
}

/* What a finding does to the verdict; its name goes into the finding's copy. */
static const char *judge_finding(const struct gate_input *in, const json_t *f, json_t *checks)
{
	const struct policy_exception *expired;
	const struct policy_exception *x = policy_excepts(in->policy, f, in->today, &expired);
	const enum rule_action action = policy_action(in->policy, f);
	const bool known = in->baseline && baseline_has(in->baseline, f);

	if (action == ACTION_IGNORE)
		return "ignored";
	if (x) {
		char why[POLICY_TEXT + 64];

		snprintf(why, sizeof(why), " (allowed until %s: %s)", x->until, x->reason);
		finding_say(checks, CHECK_PASS, f, why);
		return "excepted";
	}
	if (known)
		return "known";
	if (action == ACTION_WARN) {
		finding_say(checks, CHECK_WARN, f, "");
		return "warned";
	}
	char why[256] = "", blind[192];
	if (in->baseline && !baseline_would_show(in, f, blind, sizeof(blind))) {
		snprintf(why, sizeof(why), " (new or not, cannot be known: %s)", blind);
		finding_say(checks, CHECK_INCONCLUSIVE, f, why);
		return "undecided";
	}
	if (expired)
		snprintf(why, sizeof(why), " (its exception ended on %s)", expired->until);
	else if (in->baseline)
		snprintf(why, sizeof(why), " (new)");
	finding_say(checks, CHECK_FAIL, f, why);
	return "failed";
}

struct tally {
	json_int_t failed, known, excepted;
};

static json_t *judge_findings(const struct gate_input *in, json_t *checks, struct tally *ret)
{
	json_t *out = json_array();
	size_t i;
	const json_t *f;

	*ret = (struct tally){0};
	json_array_foreach (json_object_get(in->report, "findings"), i, f) {
		json_t *copy = json_deep_copy(f);
		const char *what = judge_finding(in, f, checks);

		ret->failed += strcmp(what, "failed") == 0;
		ret->known += strcmp(what, "known") == 0;
		ret->excepted += strcmp(what, "excepted") == 0;
		json_object_set_new(copy, "gate", json_string(what));
		if (in->baseline)
			json_object_set_new(copy, "baseline_state",
					    json_string(baseline_has(in->baseline, f) ? "unchanged" : "new"));
		json_array_append_new(out, copy);
	}
	if (ret->failed == 0)
		gate_check(checks, "findings", CHECK_PASS, "no finding fails the gate");
	return out;
}

/* -- the verdict -- */

static enum check_state worst(const json_t *checks)
{
	enum check_state state = CHECK_PASS;
	size_t i;
	const json_t *check;

	json_array_foreach (checks, i, check)
		for (enum check_state s = CHECK_PASS; s <= CHECK_FAIL; s++)
			if (s > state && strcmp(json_text(check, "state"), state_names[s]) == 0)
				state = s;
	return state;
}

json_t *gate_judge(const struct gate_input *in)
{
	const json_t *loss = json_object_get(in->report, "loss");
	json_t *checks = json_array();
	struct tally tally;

	if (!checks)
		return NULL;
	if (in->ended)
		gate_check(checks, "service", CHECK_FAIL, "%s", in->ended);
	json_t *findings = judge_findings(in, checks, &tally);
	proof_checks(in->report, in->prove, checks);
	if (in->baseline) {
		if (!proof_injected(in->report))
			compare_traffic(in, checks);
		compare_dependencies(in, checks);
		/* What was proven needs no hints, and faults make sleeps of their own. */
		if (!proof_injected(in->report))
			compare_timers(in, checks);
	}
	if (in->unwatched)
		gate_check(checks, "watched", CHECK_INCONCLUSIVE, "not watched now (%s)", in->unwatched);
	if (in->baseline && in->baseline_unwatched)
		gate_check(checks, "watched", CHECK_INCONCLUSIVE, "baseline: not watched to the end (%s)", in->baseline_unwatched);
	check_evidence(in, in->report, "", checks);
	if (in->baseline)
		check_evidence(in, in->baseline, "baseline: ", checks);
	const enum check_state state = worst(checks);
	const char *verdict = state == CHECK_FAIL ? "fail" : state == CHECK_INCONCLUSIVE ? "inconclusive" : "pass";

	return json_pack("{s:s, s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:O*}", "schema", GATE_SCHEMA,
			 "verdict", verdict, "ok", strcmp(verdict, "pass") == 0, "service",
			 json_text(json_object_get(in->report, "service"), "name"), "tier", in->policy->tier, "critical",
			 (json_int_t)report_count(in->report, "critical"), "requests", report_requests(in->report), "events_lost",
			 json_number(loss, "lost"), "new", tally.failed, "known", tally.known, "excepted", tally.excepted, "checks",
			 checks, "findings", findings, "proofs", json_object_get(in->report, "proofs"));
}

int gate_exit_status(const json_t *verdict)
{
	const char *v = json_text(verdict, "verdict");

	return strcmp(v, "pass") == 0 ? 0 : strcmp(v, "fail") == 0 ? 1 : 3;
}
