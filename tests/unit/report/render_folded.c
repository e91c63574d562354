/*
 * Folded stacks: outermost first, a line each, and no line where allocations were not watched.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "report/heap_sample.h"
#include "report/render.h"

static void test_lines(void **state)
{
	json_t *report = json_loads("{\"heap\":" HEAP_SAMPLE "}", 0, NULL);
	char *text = render(report_format_find("folded"), report, false);

	(void)state;
	assert_string_equal(text, "main;leak<int> 3145728\nmain;libx.so+0x16 1048576\n");
	free(text);
	json_decref(report);
	report = json_object();
	text = render(report_format_find("folded"), report, false);
	assert_string_equal(text, "");
	free(text);
	json_decref(report);
}

TEST_MAIN(cmocka_unit_test(test_lines))
