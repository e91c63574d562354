/* The store of findings: merging, order, rendering, the limit, and what is told when. */
#include <stdio.h>

#include "sample.h"

struct world {
	struct counters counters;
	struct stacks *stacks;
	struct findings *findings;
	unsigned int told;
	uint64_t told_request;
};

static int make(void **state)
{
	static struct world w;
	memset(&w, 0, sizeof w);
	w.stacks = stacks_new();
	w.findings = findings_new(w.stacks, &w.counters);
	*state = &w;
	return w.findings != NULL ? 0 : -1;
}

static int clear(void **state)
{
	struct world *w = *state;
	findings_free(w->findings);
	stacks_free(w->stacks);
	return 0;
}

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void renders_what_the_report_fixes(void **state)
{
	struct world *w = *state;
	struct finding f = sample_finding(sample_stack(w->stacks, "charge", "app", 0x1234, 88));
	f.evidence = json_pack("{s:i}", "waited_s", 30);
	findings_emit(w->findings, &f);
	const json_t *o = findings_json(w->findings, 0), *site = json_object_get(o, "call_site");
	assert_string_equal(text(o, "rule"), "deadline.response.missing");
	assert_string_equal(text(o, "severity"), "error");
	assert_string_equal(text(o, "confidence"), "suspected");
	assert_string_equal(text(o, "peer"), "payments:443");
	assert_string_equal(text(o, "operation"), "GET /charge");
	assert_string_equal(text(o, "first_seen"), "2023-11-14T22:13:20.123Z");
	assert_string_equal(text(o, "last_seen"), "2023-11-14T22:13:21.000Z");
	assert_string_equal(text(o, "remedy"), "set a read timeout");
	assert_string_equal(text(o, "message"), "charge() waits without a deadline");
	assert_int_equal(strlen(text(o, "fingerprint")), 16);
	assert_int_equal(json_integer_value(json_object_get(o, "count")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "evidence"), "waited_s")), 30);
	assert_string_equal(text(site, "function"), "charge");
	assert_string_equal(text(site, "module"), "app");
	assert_string_equal(text(site, "file"), "src/app.c");
	assert_int_equal(json_integer_value(json_object_get(site, "line")), 88);
	assert_int_equal(json_array_size(json_object_get(site, "stack")), 2);
}

static void same_rule_site_and_key_are_one_finding(void **state)
{
	struct world *w = *state;
	struct finding f = sample_finding(sample_stack(w->stacks, "charge", "app", 0x1234, 88));
	f.evidence = json_pack("{s:i}", "waited_s", 1);
	findings_emit(w->findings, &f);
	f.stack = sample_stack(w->stacks, "charge", "app", 0x1299, 91); /* the same function, another line */
	f.count = 4;
	f.first_seen_ns -= 5000000000ULL;
	f.last_seen_ns += 5000000000ULL;
	f.message = "later sentence";
	f.evidence = json_pack("{s:i}", "waited_s", 2);
	findings_emit(w->findings, &f);
	assert_int_equal(findings_count(w->findings), 1);
	const json_t *o = findings_json(w->findings, 0);
	assert_int_equal(json_integer_value(json_object_get(o, "count")), 5);
	assert_string_equal(text(o, "first_seen"), "2023-11-14T22:13:15.123Z");
	assert_string_equal(text(o, "last_seen"), "2023-11-14T22:13:26.000Z");
	assert_string_equal(text(o, "message"), "later sentence");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "evidence"), "waited_s")), 2);
}

static void another_key_or_site_is_another_finding(void **state)
{
	struct world *w = *state;
	struct finding f = sample_finding(sample_stack(w->stacks, "charge", "app", 0x1234, 88));
	findings_emit(w->findings, &f);
	f.key = "ledger:443";
	findings_emit(w->findings, &f);
	f.stack = sample_stack(w->stacks, "refund", "app", 0x4321, 99);
	findings_emit(w->findings, &f);
	/* where no function is known, the place inside the module tells them apart */
	f.stack = sample_stack(w->stacks, NULL, "app", 0x10, 0);
	findings_emit(w->findings, &f);
	f.stack = sample_stack(w->stacks, NULL, "app", 0x20, 0);
	findings_emit(w->findings, &f);
	assert_int_equal(findings_count(w->findings), 5);
}

static void worst_comes_first(void **state)
{
	struct world *w = *state;
	static const enum severity order[] = {SEVERITY_INFO, SEVERITY_CRITICAL, SEVERITY_WARNING, SEVERITY_ERROR};
	for (size_t i = 0; i < 4; i++) {
		struct finding f = sample_finding(0);
		char key[2] = {(char)('a' + (int)i), '\0'};
		f.key = key;
		f.severity = order[i];
		findings_emit(w->findings, &f);
	}
	assert_string_equal(text(findings_json(w->findings, 0), "severity"), "critical");
	assert_string_equal(text(findings_json(w->findings, 1), "severity"), "error");
	assert_string_equal(text(findings_json(w->findings, 2), "severity"), "warning");
	assert_string_equal(text(findings_json(w->findings, 3), "severity"), "info");
	assert_int_equal(findings_severity(w->findings, 0), SEVERITY_CRITICAL);
	assert_string_equal(findings_rule(w->findings, 0), "deadline.response.missing");
}

static void note(void *ctx, const json_t *finding, uint64_t request_id, uint64_t time_ns)
{
	struct world *w = ctx;
	w->told++;
	w->told_request = request_id;
	assert_non_null(finding);
	assert_true(time_ns > 0);
}

static void told_when_new_and_when_it_rises(void **state)
{
	struct world *w = *state;
	struct finding f = sample_finding(0);
	findings_on_change(w->findings, note, w);
	f.request_id = 7;
	findings_emit(w->findings, &f);
	assert_int_equal(w->told, 1);
	assert_int_equal(w->told_request, 7);
	findings_emit(w->findings, &f);
	assert_int_equal(w->told, 1);
	f.confidence = CONFIDENCE_OBSERVED;
	findings_emit(w->findings, &f);
	assert_int_equal(w->told, 2);
	f.severity = SEVERITY_CRITICAL;
	findings_emit(w->findings, &f);
	assert_int_equal(w->told, 3);
	f.severity = SEVERITY_INFO; /* never falls */
	f.confidence = CONFIDENCE_SUSPECTED;
	findings_emit(w->findings, &f);
	assert_int_equal(w->told, 3);
	assert_string_equal(text(findings_json(w->findings, 0), "severity"), "critical");
	assert_string_equal(text(findings_json(w->findings, 0), "confidence"), "observed");
}

static void past_the_limit_they_are_counted(void **state)
{
	struct world *w = *state;
	char key[16];
	for (unsigned int i = 0; i < LIMIT_FINDINGS + 3; i++) {
		struct finding f = sample_finding(0);
		snprintf(key, sizeof key, "%u", i);
		f.key = key;
		f.evidence = json_object();
		findings_emit(w->findings, &f);
	}
	assert_int_equal(findings_count(w->findings), LIMIT_FINDINGS);
	assert_int_equal(w->counters.limit[LIMIT_REACHED_FINDINGS], 3);
}

static void text_from_outside_is_made_fit(void **state)
{
	struct world *w = *state;
	struct finding f = sample_finding(0);
	f.operation = "GET /\xff\x1b[31m";
	findings_emit(w->findings, &f);
	assert_string_equal(text(findings_json(w->findings, 0), "operation"), "GET /??[31m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(renders_what_the_report_fixes, make, clear),
		cmocka_unit_test_setup_teardown(same_rule_site_and_key_are_one_finding, make, clear),
		cmocka_unit_test_setup_teardown(another_key_or_site_is_another_finding, make, clear),
		cmocka_unit_test_setup_teardown(worst_comes_first, make, clear),
		cmocka_unit_test_setup_teardown(told_when_new_and_when_it_rises, make, clear),
		cmocka_unit_test_setup_teardown(past_the_limit_they_are_counted, make, clear),
		cmocka_unit_test_setup_teardown(text_from_outside_is_made_fit, make, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
