/* Text made fit to be shown. */
#include "sample.h"

#include "report/text.h"

static void check(const char *in, const char *out)
{
	char buf[64];
	assert_string_equal(text_clean(in, buf, sizeof buf), out);
	json_t *o = text_json(in);
	assert_string_equal(json_string_value(o), out);
	json_decref(o);
}

static void cleans(void **state)
{
	(void)state;
	check(NULL, "");
	check("plain", "plain");
	check("müßig €", "müßig €");
	check("😀", "😀");
	check("a\nb\x1b[0m\x7f", "a?b?[0m?");
	check("\xc3", "?");                /* cut short */
	check("\xc0\xaf", "??");           /* not the shortest form */
	check("\xed\xa0\x80", "???");      /* a surrogate */
	check("\xf4\x90\x80\x80", "????"); /* past U+10FFFF */
	check("\xc2\x9b"
	      "31m",
	      "??31m"); /* CSI as one character */
	check("\xff\xfe", "??");
}

static void cuts_at_whole_characters(void **state)
{
	(void)state;
	char buf[5];
	assert_string_equal(text_clean("ab€", buf, sizeof buf), "ab");
	assert_string_equal(text_clean("a€b", buf, sizeof buf), "a€");
}

static void cleans_trees(void **state)
{
	(void)state;
	json_t *in = json_pack("{s:s, s:[s, i, f, b, n]}", "k\x1b", "v\x1b", "list", "\x07", 5, 1.5, 1);
	json_t *want = json_pack("{s:s, s:[s, i, f, b, n]}", "k?", "v?", "list", "?", 5, 1.5, 1);
	json_t *out = text_clean_tree(in);
	assert_true(json_equal(out, want));
	json_decref(in);
	json_decref(want);
	json_decref(out);
}

/* Every byte at every place of a text of every length up to 20: as text_clean says. */
static void plain(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 20; n++) {
		char text[32] = "abcdefghijklmnopqrst", clean[32];
		text[n] = '\0';
		assert_true(text_is_plain(text, n));
		for (size_t at = 0; at < n; at++) {
			const char before = text[at];
			for (unsigned int c = 1; c < 256; c++) {
				text[at] = (char)c;
				assert_int_equal(text_is_plain(text, n),
						 c < 128 && strcmp(text_clean(text, clean, sizeof clean), text) == 0);
			}
			text[at] = before;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(cleans), cmocka_unit_test(cuts_at_whole_characters),
					   cmocka_unit_test(cleans_trees), cmocka_unit_test(plain)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
