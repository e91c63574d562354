/* The readiness score: its arithmetic, and that nothing seen is no score. */
#include "sample.h"

#include "report/score.h"

static double number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static const json_t *area(const json_t *score, const char *name)
{
	return json_object_get(json_object_get(score, "areas"), name);
}

static json_t *one(const char *rule, const char *severity, const char *confidence)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "rule", rule, "severity", severity, "confidence", confidence, "remedy",
			 "mend it", "fingerprint", "aa");
}

static void nothing_seen(void **state)
{
	(void)state;
	json_t *r = report_new(json_object()), *s = score_of(r, "standard");
	assert_true(json_is_null(json_object_get(s, "score")));
	assert_true(json_is_null(json_object_get(area(s, "retry"), "score")));
	json_decref(s);
	json_array_append_new(json_object_get(r, "retries"), json_object());
	s = score_of(r, "standard");
	assert_true(number(s, "score") == 100);
	assert_true(json_is_null(json_object_get(area(s, "deadline"), "score")));
	json_decref(s);
	json_decref(r);
}

static void arithmetic(void **state)
{
	(void)state;
	json_t *r = report_new(json_object()), *list = json_object_get(r, "findings");
	json_array_append_new(list, one("retry.unbounded", "error", "proven"));            /* 30 */
	json_array_append_new(list, one("data.log.email", "warning", "observed"));         /* 13.5 */
	json_array_append_new(list, one("data.log.email", "warning", "observed"));         /* a half of it */
	json_array_append_new(list, one("deadline.connect.missing", "info", "suspected")); /* 1.2 */
	json_t *s = score_of(r, "standard");
	assert_true(number(area(s, "retry"), "score") == 70);
	assert_true(number(area(s, "data"), "score") == 79.7 || number(area(s, "data"), "score") == 79.8);
	assert_true(number(area(s, "deadline"), "score") == 98.8);
	const json_t *first = json_object_get(s, "first");
	assert_int_equal(json_array_size(first), 4);
	assert_string_equal(json_string_value(json_object_get(json_array_get(first, 0), "rule")), "retry.unbounded");
	json_decref(s);
	s = score_of(r, "critical");
	assert_true(number(area(s, "retry"), "score") == 55);
	json_decref(s);
	for (int i = 0; i < 50; i++)
		json_array_append_new(list, one("retry.no_jitter", "critical", "proven"));
	s = score_of(r, "standard");
	assert_true(number(area(s, "retry"), "score") == 0); /* never below */
	assert_int_equal(json_array_size(json_object_get(s, "first")), 5);
	json_decref(s);
	json_decref(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_seen), cmocka_unit_test(arithmetic)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
