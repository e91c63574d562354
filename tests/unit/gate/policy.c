/* The policy: what it reads, what it refuses, and what it says of a finding. */
#include "gate/policy.h"

#include <errno.h>

#include "sample.h"

static char err[512];

static int parse(struct gate_policy *p, const char *text)
{
	policy_defaults(p);
	err[0] = '\0';
	return policy_parse("p.yaml", text, strlen(text), p, err, sizeof(err));
}

static enum rule_action action(const struct gate_policy *p, const char *rule, const char *severity)
{
	json_t *f = sample_finding(rule, severity, "0123");
	const enum rule_action a = policy_action(p, f);

	json_decref(f);
	return a;
}

static void reads_everything(void **state)
{
	struct gate_policy p;
	(void)state;

	assert_int_equal(parse(&p,
			       "evidence: {requests: 7, lost_share: 0.5}\nfail_on: critical\ntier: critical\nconfidence: proven\n"
			       "rules: {data.log.email: ignore, 'data.*': warn}\nlatency: {ratio: 2}\nerrors: {increase: 0.2}\n"
			       "exceptions:\n- {rule: 'retry.*', peer: 'legacy:*', until: 2027-01-31, reason: OPS-1}\n"),
			 0);
	assert_string_equal(p.tier, "critical");
	assert_int_equal(p.fail_on, SEVERITY_CRITICAL); /* wins over the tier, wherever it stands */
	assert_true(p.requests == 7 && p.lost_share == 0.5 && p.latency_ratio == 2 && p.errors_increase == 0.2);
	assert_true(p.latency_alpha == 0.001);
	assert_int_equal(p.rules_n, 2);
	assert_int_equal(p.exceptions_n, 1);
	assert_int_equal(parse(&p, ""), 0);
	assert_string_equal(p.tier, "standard");
}

static void refuses_with_file_line_and_key(void **state)
{
	static const struct {
		const char *text, *message;
	} wrong[] = {
		{"speed: 1\n", "p.yaml:1: speed: unknown key"},
		{"tier: gold\n", "p.yaml:1: tier: must be standard, critical or internal"},
		{"fail_on: never\n", "p.yaml:1: fail_on: must be info"},
		{"confidence: 1\n", "p.yaml:1: confidence: must be suspected"},
		{"evidence:\n  minutes: 1\n", "p.yaml:2: evidence.minutes: unknown key of 'evidence'"},
		{"evidence:\n  requests: -1\n", "p.yaml:2: evidence.requests: must be a number"},
		{"latency:\n  alpha: nan\n", "p.yaml:2: latency.alpha: must be a number"},
		{"rules:\n  data.*: allow\n", "p.yaml:2: rules.data.*: must be fail, warn or ignore"},
		{"exceptions:\n- rule: x\n  until: 2027-13-01\n  reason: y\n", "p.yaml:3: exceptions.until: must be a day"},
		{"exceptions:\n- rule: x\n  reason: y\n", "exceptions: each needs a rule or fingerprint, 'until' and 'reason'"},
		{"exceptions:\n- owner: x\n", "p.yaml:2: exceptions.owner: unknown key"},
		{"exceptions: 3\n", "p.yaml:1: exceptions: must be a list"},
	};
	struct gate_policy p;
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(parse(&p, wrong[i].text), -EINVAL);
		if (!strstr(err, wrong[i].message))
			fail_msg("'%s' is not in '%s'", wrong[i].message, err);
	}
	assert_int_equal(policy_load("/nonexistent.yaml", &p, err, sizeof(err)), -ENOENT);
}

static void decides(void **state)
{
	struct gate_policy p;
	(void)state;

	policy_defaults(&p);
	assert_int_equal(action(&p, "data.log.email", "warning"), ACTION_FAIL);
	assert_int_equal(action(&p, "data.log.email", "info"), ACTION_WARN);
	assert_int_equal(action(&p, "data.log.email", "apocalypse"), ACTION_FAIL); /* of a newer version */
	assert_int_equal(parse(&p, "tier: internal\nrules: {data.log.email: ignore, 'data.*': fail}\n"), 0);
	assert_int_equal(action(&p, "data.log.email", "critical"), ACTION_IGNORE);
	assert_int_equal(action(&p, "data.log.iban", "info"), ACTION_FAIL);
	assert_int_equal(action(&p, "retry.budget", "warning"), ACTION_WARN);
	assert_int_equal(parse(&p, "confidence: proven\n"), 0);
	assert_int_equal(action(&p, "retry.budget", "error"), ACTION_WARN); /* observed only */
}

static void excepts_until_the_day(void **state)
{
	struct gate_policy p;
	const struct policy_exception *expired;
	json_t *f = sample_finding("retry.unbounded", "error", "0123");
	(void)state;

	assert_int_equal(parse(&p, "exceptions:\n- {rule: 'retry.*', peer: 'payments:*', call_site: 'charge*', until: 2026-11-21, "
				   "reason: OPS}\n"),
			 0);
	assert_non_null(policy_excepts(&p, f, "2026-11-21", &expired));
	assert_null(policy_excepts(&p, f, "2026-11-22", &expired));
	assert_string_equal(expired->reason, "OPS");
	assert_int_equal(parse(&p, "exceptions:\n- {fingerprint: '0124', until: 2026-11-21, reason: OPS}\n"), 0);
	assert_null(policy_excepts(&p, f, "2026-11-21", &expired));
	assert_null(expired);
	json_decref(f);
}

TEST_MAIN(cmocka_unit_test(reads_everything), cmocka_unit_test(refuses_with_file_line_and_key), cmocka_unit_test(decides),
	  cmocka_unit_test(excepts_until_the_day))
