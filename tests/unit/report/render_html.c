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
	assert_null(strstr(text, " src="));
	assert_null(strstr(text, "@import"));
	for (const char *at = text; (at = strstr(at, "://")) != NULL; at++)
		assert_int_equal(strncmp(at, "://www.w3.org/2000/svg", 22), 0); /* a name, not an address */
	assert_non_null(strstr(text, "</body></html>"));
	/* what the script reads is the report, and cannot end its element */
	const char *data = strstr(text, "id=\"report\">");
	assert_non_null(data);
	data += strlen("id=\"report\">");
	const char *end = strstr(data, "</script>");
	json_t *shown = json_loadb(data, (size_t)(end - data), 0, NULL);
	assert_non_null(shown);
	assert_true(json_equal(json_object_get(shown, "report"), r));
	assert_true(json_is_number(json_object_get(json_object_get(json_object_get(shown, "summary"), "score"), "score")));
	assert_ptr_equal(memchr(data, '<', (size_t)(end - data)), NULL);
	json_decref(shown);
	free(text);
	json_decref(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_page)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
