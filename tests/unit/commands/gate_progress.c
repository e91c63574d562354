/* The line of progress: what was seen, what is missing, and no wider than the terminal. */
#include "commands/gate_progress.h"

#include "commands/unit.h"
#include "report/report.h"

static json_t *report_of(json_int_t requests)
{
	json_t *r = report_new(
		json_pack("{s:s, s:I, s:I}", "name", "shop", "client_requests", requests, "server_requests", (json_int_t)0));

	json_object_set_new(json_object_get(r, "loss"), "published", json_integer(requests * 5 + 1));
	return r;
}

static void says_what_is_missing(void **state)
{
	struct gate_policy policy;
	json_t *few = report_of(3), *enough = report_of(50);
	char text[512];
	struct gate_input in = {.policy = &policy, .today = "2026-11-21"};
	(void)state;

	policy_defaults(&policy);
	gate_progress_text(&in, 1, 60, 80, text, sizeof(text));
	assert_string_equal(text, "gapscope: 1 s of 60, nothing seen yet");
	in.report = few;
	gate_progress_text(&in, 2, 0, 0, text, sizeof(text));
	assert_string_equal(text, "gapscope: 2 s, 3 of 20 requests, 0 findings; still missing: requests");
	gate_progress_text(&in, 2, 0, 20, text, sizeof(text));
	assert_int_equal(strlen(text), 19);
	in.report = enough;
	gate_progress_text(&in, 9, 60, 0, text, sizeof(text));
	assert_string_equal(text, "gapscope: 9 s of 60, 50 of 20 requests, 0 findings; a verdict needs no more");
	in.ended = "the service ended";
	gate_progress_text(&in, 9, 60, 0, text, sizeof(text));
	assert_non_null(strstr(text, "fails by now: service; a verdict needs no more"));
	json_decref(few);
	json_decref(enough);
}

static void only_on_a_terminal(void **state)
{
	struct gate_policy policy;
	const struct gate_input in = {.policy = &policy, .today = "2026-11-21"};
	FILE *f = tmpfile();
	(void)state;

	policy_defaults(&policy);
	gate_progress(f, &in, 1, 2);
	gate_progress_end(f);
	assert_int_equal(ftell(f), 0);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_is_missing), cmocka_unit_test(only_on_a_terminal)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
