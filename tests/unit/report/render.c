/* The table of formats, and JSON. */
#include <stdlib.h>

#include "sample.h"

#include "report/render.h"

static void every_format_is_found_and_renders(void **state)
{
	(void)state;
	json_t *r = sample_report(), *empty = report_new(json_pack("{s:s}", "name", "x"));
	for (const struct report_format *const *f = report_formats; *f != NULL; f++) {
		assert_ptr_equal(report_format_find((*f)->name), *f);
		assert_true(strlen((*f)->doc) > 0);
		char *text = render(*f, r, false), *none = render(*f, empty, true);
		assert_non_null(text);
		assert_non_null(none);
		/* A profile holds no findings. */
		if (*f != &report_format_folded)
			assert_non_null(strstr(text, "deadline.response.missing"));
		assert_null(strstr(none, "deadline.response.missing"));
		assert_null(strchr(text, '\033'));
		free(text);
		free(none);
	}
	assert_null(report_format_find("pdf"));
	json_decref(r);
	json_decref(empty);
}

static void json_reads_well(void **state)
{
	(void)state;
	json_t *r = report_new(json_pack("{s:f}", "seconds", 0.1));
	char *text = render_json(r);
	assert_non_null(strstr(text, "\"seconds\": 0.1\n"));
	assert_non_null(strstr(text, "{\n  \"schema\": \"gapscope.report/1\","));
	assert_int_equal(text[strlen(text) - 1], '\n');
	free(text);
	json_decref(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_format_is_found_and_renders), cmocka_unit_test(json_reads_well)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
