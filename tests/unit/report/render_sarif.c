/* SARIF: its required members, rules listed once, places as URIs. */
#include <stdio.h>
#include <stdlib.h>

#include "sample.h"

#include "report/render.h"

static const json_t *at(const json_t *o, const char *path)
{
	char copy[256];
	snprintf(copy, sizeof copy, "%s", path);
	for (char *part = strtok(copy, "/"); part != NULL; part = strtok(NULL, "/"))
		o = json_is_array(o) ? json_array_get(o, (size_t)atoi(part)) : json_object_get(o, part);
	return o;
}

static const char *text_at(const json_t *o, const char *path)
{
	const char *s = json_string_value(at(o, path));
	return s != NULL ? s : "(none)";
}

static void results(void **state)
{
	(void)state;
	json_t *r = sample_report();
	json_t *second = json_deep_copy(json_array_get(json_object_get(r, "findings"), 0));
	json_object_set_new(json_object_get(second, "call_site"), "file", json_string("/a b/ü.c"));
	json_object_set_new(second, "severity", json_string("info"));
	json_array_append_new(json_object_get(r, "findings"), second);
	char *text = render(&report_format_sarif, r, false);
	json_t *o = json_loads(text, 0, NULL);
	assert_non_null(o);
	assert_string_equal(text_at(o, "version"), "2.1.0");
	assert_string_equal(text_at(o, "runs/0/tool/driver/name"), "gapscope");
	assert_int_equal(json_array_size(at(o, "runs/0/tool/driver/rules")), 1);
	assert_string_equal(text_at(o, "runs/0/tool/driver/rules/0/id"), "deadline.response.missing");
	assert_int_equal(json_array_size(at(o, "runs/0/results")), 2);
	assert_string_equal(text_at(o, "runs/0/results/0/level"), "error");
	assert_string_equal(text_at(o, "runs/0/results/1/level"), "note");
	assert_int_equal(json_integer_value(at(o, "runs/0/results/1/ruleIndex")), 0);
	assert_string_equal(text_at(o, "runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri"), "src/app.c");
	assert_int_equal(json_integer_value(at(o, "runs/0/results/0/locations/0/physicalLocation/region/startLine")), 88);
	assert_string_equal(text_at(o, "runs/0/results/1/locations/0/physicalLocation/artifactLocation/uri"),
			    "file:///a%20b/%C3%BC.c");
	assert_int_equal(json_integer_value(at(o, "runs/0/results/0/properties/evidence/attempts")), 25);
	json_decref(o);
	free(text);
	json_decref(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(results)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
