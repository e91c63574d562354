/* What the formats share. */
#include "sample.h"

#include "report/render_util.h"

static void evidence_as_a_line(void **state)
{
	(void)state;
	json_t *o = json_pack("{s:i, s:f, s:s, s:b, s:n, s:[i,i,i,i,i,i,i,i,i,i], s:{s:i,s:i}}", "a", 1, "b", 0.25, "c", "x", "d",
			      1, "e", "f", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, "g", "x", 1, "y", 2);
	char *text = render_evidence(o);
	assert_string_equal(text, "a 1; b 0.25; c x; d yes; e unknown; f 1, 2, 3, 4, 5, 6, 7, 8 … (10); g (x 1, y 2)");
	free(text);
	json_decref(o);
	o = json_pack("{s:[], s:{}}", "a", "b");
	text = render_evidence(o);
	assert_string_equal(text, "a none; b none");
	free(text);
	json_decref(o);
	text = render_evidence(NULL);
	assert_string_equal(text, "");
	free(text);
}

static void members(void **state)
{
	(void)state;
	json_t *o = json_pack("{s:s, s:i}", "t", "text", "n", 7);
	assert_string_equal(json_text(o, "t"), "text");
	assert_string_equal(json_text(o, "n"), "");
	assert_string_equal(json_text(NULL, "t"), "");
	assert_int_equal(json_number(o, "n"), 7);
	assert_int_equal(json_number(o, "t"), 0);
	json_decref(o);
}

static void markup_is_escaped(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	put_escaped(out, "<a href=\"x\">&'\x01\n");
	fclose(out);
	assert_string_equal(text, "&lt;a href=&quot;x&quot;&gt;&amp;&#39;?\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(evidence_as_a_line), cmocka_unit_test(members),
					   cmocka_unit_test(markup_is_escaped)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
