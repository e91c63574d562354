/* Pass, fail or inconclusive. */
#include "gate/verdict.h"

#include "sample.h"

static struct gate_policy policy;

/* The verdict over a report, which is given up. */
static const char *judged(json_t *report, json_t *baseline, const char *ended, int *ret_status)
{
	static char name[32];
	const struct gate_input in = {
		.policy = &policy, .report = report, .baseline = baseline, .today = "2026-11-21", .ended = ended};
	json_t *v = gate_judge(&in);

	snprintf(name, sizeof(name), "%s", json_string_value(json_object_get(v, "verdict")));
	assert_int_equal(json_is_true(json_object_get(v, "ok")), strcmp(name, "pass") == 0);
	*ret_status = gate_exit_status(v);
	json_decref(v);
	json_decref(report);
	return name;
}

static void is(json_t *report, json_t *baseline, const char *ended, const char *verdict, int status)
{
	int s;

	assert_string_equal(judged(report, baseline, ended, &s), verdict);
	assert_int_equal(s, status);
}

static json_t *with_finding(const char *severity)
{
	json_t *r = sample_session();

	sample_add(r, sample_finding("retry.unbounded", severity, "aa"));
	return r;
}

static json_t *with_number(const char *section, const char *key, int value)
{
	json_t *r = sample_session();

	json_object_set_new(json_object_get(r, section), key, json_integer(value));
	return r;
}

static void findings_fail(void **state)
{
	(void)state;
	policy_defaults(&policy);
	is(sample_session(), NULL, NULL, "pass", 0);
	is(with_finding("warning"), NULL, NULL, "fail", 1);
	is(with_finding("info"), NULL, NULL, "pass", 0);
	is(sample_session(), NULL, "the service ended by itself with status 3", "fail", 1);
}

/* A session that died says less than it could: neither a pass, nor is what it lacks new elsewhere. */
static void half_a_stage_is_inconclusive(void **state)
{
	json_t *report = with_finding("warning"), *clean = sample_session(), *baseline = sample_session();
	struct gate_input in = {.policy = &policy, .report = clean, .baseline = baseline, .today = "2026-11-21"};
	static const struct {
		const char *unwatched, *baseline_unwatched;
		int clean, found; /* exit statuses */
	} cases[] = {{NULL, NULL, 0, 1}, {"it died", NULL, 3, 1}, {NULL, "it died", 3, 3}};
	(void)state;

	policy_defaults(&policy);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		in.unwatched = cases[i].unwatched;
		in.baseline_unwatched = cases[i].baseline_unwatched;
		for (int found = 0; found < 2; found++) {
			in.report = found ? report : clean;
			json_t *v = gate_judge(&in);

			assert_int_equal(gate_exit_status(v), found ? cases[i].found : cases[i].clean);
			json_decref(v);
		}
	}
	json_decref(report);
	json_decref(clean);
	json_decref(baseline);
}

static void too_little_is_inconclusive(void **state)
{
	(void)state;
	policy_defaults(&policy);
	is(with_number("service", "server_requests", -21), NULL, NULL, "inconclusive", 3);
	is(with_number("loss", "lost", 50), NULL, NULL, "inconclusive", 3);
	is(with_number("loss", "published", 0), NULL, NULL, "inconclusive", 3);
	is(with_number("loss", "log_bytes_scanned", 100), NULL, NULL, "inconclusive", 3);
	policy.seconds = 61;
	is(sample_session(), NULL, NULL, "inconclusive", 3);
	policy.seconds = 60;
	is(sample_session(), NULL, NULL, "pass", 0);
	/* what failed failed, however little was seen */
	json_t *r = with_finding("error");
	json_object_set_new(json_object_get(r, "loss"), "lost", json_integer(900));
	is(r, NULL, NULL, "fail", 1);
}

static void only_new_findings_fail(void **state)
{
	json_t *same = with_finding("error"), *poor = with_number("service", "server_requests", -40);
	(void)state;

	policy_defaults(&policy);
	is(with_finding("error"), same, NULL, "pass", 0);
	json_t *r = with_finding("error");
	sample_add(r, sample_finding("data.log.email", "warning", "bb"));
	is(r, same, NULL, "fail", 1);
	is(with_finding("error"), poor, NULL, "inconclusive", 3); /* it may be as old */
	is(sample_session(), poor, NULL, "inconclusive", 3);      /* a baseline of nothing compares with nothing */
	json_decref(same);
	json_decref(poor);
}

static void exceptions_hold_until_their_day(void **state)
{
	static const char text[] = "exceptions:\n- {rule: retry.unbounded, until: 2026-11-21, reason: OPS-1}\n";
	static const char old[] = "exceptions:\n- {rule: retry.unbounded, until: 2026-11-20, reason: OPS-1}\n";
	char err[256];
	(void)state;

	policy_defaults(&policy);
	assert_int_equal(policy_parse("p", text, strlen(text), &policy, err, sizeof(err)), 0);
	is(with_finding("error"), NULL, NULL, "pass", 0);
	policy_defaults(&policy);
	assert_int_equal(policy_parse("p", old, strlen(old), &policy, err, sizeof(err)), 0);
	is(with_finding("error"), NULL, NULL, "fail", 1);
}

TEST_MAIN(cmocka_unit_test(findings_fail), cmocka_unit_test(half_a_stage_is_inconclusive),
	  cmocka_unit_test(too_little_is_inconclusive), cmocka_unit_test(only_new_findings_fail),
	  cmocka_unit_test(exceptions_hold_until_their_day))
