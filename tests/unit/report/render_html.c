/* The page: complete, escaped, and without anything that would be fetched. */
#include <stdlib.h>

#include "sample.h"

#include "report/render.h"

static void a_page(void **state)
{
	(void)state;
	json_t *r = sample_report();
	json_array_append_new(json_object_get(r, "retries"),
			      json_pack("{s:s, s:{s:s}}", "peer", "<p>", "call_site", "text", "f() at x.c:1"));
	char *text = render(&report_format_html, r, false);
	assert_int_equal(strncmp(text, "<!DOCTYPE html>", 15), 0);
	assert_non_null(strstr(text, "a &lt;b&gt; &amp; &quot;c&quot; waits"));
	assert_null(strstr(text, "a <b>"));
	assert_non_null(strstr(text, "<td>&lt;p&gt;</td><td>f() at x.c:1</td>"));
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "src="));
	assert_non_null(strstr(text, "</body></html>"));
	free(text);
	json_decref(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_page)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
