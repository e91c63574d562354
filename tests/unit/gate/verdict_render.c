/* A verdict as text, JUnit and SARIF. */
#include "gate/verdict_render.h"

#include <stdlib.h>

#include "sample.h"

struct made {
	struct gate_policy policy;
	json_t *report, *verdict;
	char *text;
};

static void make(struct made *m, const char *how)
{
	size_t len = 0;
	FILE *out = open_memstream(&m->text, &len);

	policy_defaults(&m->policy);
	m->report = sample_session();
	sample_add(m->report, sample_finding("retry.unbounded", "error", "aa"));
	sample_add(m->report, sample_finding("data.log.<e&mail>", "error", "bb"));
	m->policy.requests = 1000;
	m->policy.rules_n = 1;
	m->policy.rules[0] = (struct rule_policy){.pattern = "retry.*", .action = ACTION_IGNORE};

	const struct gate_input in = {.policy = &m->policy, .report = m->report, .baseline = m->report, .today = "2026-11-21"};

	m->policy.fail_on = SEVERITY_WARNING;
	m->verdict = gate_judge(&in);
	if (strcmp(how, "text") == 0)
		verdict_text(m->verdict, out, false);
	else if (strcmp(how, "junit") == 0)
		verdict_junit(m->verdict, out);
	else
		verdict_sarif(m->verdict, m->report, out);
	assert_int_equal(fclose(out), 0);
}

static void done(struct made *m)
{
	json_decref(m->report);
	json_decref(m->verdict);
	free(m->text);
}

static void text(void **state)
{
	struct made m;
	(void)state;

	make(&m, "text");
	assert_int_equal(strncmp(m.text, "inconclusive  shop: 100 requests", 32), 0);
	assert_non_null(strstr(m.text, "? requests   100 requests, 1000 wanted"));
	assert_non_null(strstr(m.text, "1 finding is known from the baseline"));
	done(&m);
}

static void junit(void **state)
{
	struct made m;
	(void)state;

	make(&m, "junit");
	assert_non_null(strstr(m.text, "errors=\"2\"")); /* the session's requests, and the baseline's */
	assert_non_null(strstr(m.text, "<error type=\"inconclusive\""));
	assert_null(strstr(m.text, "<e&mail>"));
	done(&m);
}

static void sarif(void **state)
{
	struct made m;
	(void)state;

	make(&m, "sarif");
	json_t *o = json_loads(m.text, 0, NULL);
	const json_t *results = json_object_get(json_array_get(json_object_get(o, "runs"), 0), "results");
	assert_int_equal(json_array_size(results), 1); /* the ignored one is not shown */
	assert_string_equal(json_string_value(json_object_get(json_array_get(results, 0), "baselineState")), "unchanged");
	json_decref(o);
	done(&m);
}

TEST_MAIN(cmocka_unit_test(text), cmocka_unit_test(junit), cmocka_unit_test(sarif))
