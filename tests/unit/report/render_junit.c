/* JUnit XML: counts that agree with its cases. */
#include <stdlib.h>

#include "sample.h"

#include "report/render.h"

static void cases(void **state)
{
	(void)state;
	json_t *r = sample_report();
	json_t *info = json_deep_copy(json_array_get(json_object_get(r, "findings"), 0));
	json_object_set_new(info, "severity", json_string("info"));
	json_array_append_new(json_object_get(r, "findings"), info);
	char *text = render(&report_format_junit, r, false);
	assert_non_null(strstr(text, "<testsuites tests=\"2\" failures=\"1\">"));
	assert_non_null(strstr(text, "<failure type=\"error\" message=\"a &lt;b&gt; &amp; &quot;c&quot; waits\">"));
	assert_non_null(strstr(text, "<system-out>"));
	assert_non_null(strstr(text, "attempts 25"));
	free(text);
	json_decref(r);
	r = report_new(json_pack("{s:s}", "name", "shop"));
	text = render(&report_format_junit, r, false);
	assert_non_null(strstr(text, "<testsuites tests=\"1\" failures=\"0\">"));
	assert_non_null(strstr(text, "name=\"no findings\""));
	free(text);
	json_decref(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(cases)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
