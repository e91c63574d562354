/*
 * The flame graph: boxes as wide as their bytes, each function once on its level, names escaped, nothing where there is nothing.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "report/flame.h"
#include "report/heap_sample.h"

static char *drawn(const char *json, const char *value)
{
	json_t *heap = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(heap);
	assert_non_null(out);
	flame_write(heap, value, "Memory", out);
	fclose(out);
	json_decref(heap);
	return text;
}

static unsigned int times(const char *text, const char *what)
{
	unsigned int n = 0;

	for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
		n++;
	return n;
}

static void test_boxes(void **state)
{
	char *text = drawn(HEAP_SAMPLE, "live_bytes");

	(void)state;
	assert_int_equal(times(text, "<title>main: 4.00 MiB"), 1); /* two stacks, one box */
	assert_int_equal(times(text, "<title>all: 4.00 MiB"), 1);
	assert_int_equal(times(text, "<title>leak&lt;int&gt;: 3.00 MiB"), 1);
	assert_int_equal(times(text, "width=\"720.0\""), 1); /* three quarters of the picture */
	assert_int_equal(times(text, "<title>libx.so+0x16: 1.00 MiB"), 1);
	assert_int_equal(times(text, "<rect"), 4);
	free(text);
}

static void test_nothing(void **state)
{
	char *text = drawn("{\"sites\":[]}", "live_bytes");

	(void)state;
	assert_string_equal(text, "");
	free(text);
}

TEST_MAIN(cmocka_unit_test(test_boxes), cmocka_unit_test(test_nothing))
