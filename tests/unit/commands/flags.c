/* Flags: what is taken, what is refused and with which words. */
#include "commands/flags.h"

#include <errno.h>

#include "commands/unit.h"

struct out {
	bool quiet;
	const char *file, *format;
	uint32_t n, time_ms;
	struct flag_list list;
};

static const char *const formats[] = {"text", "json", NULL};
static const struct flag table[] = {
	{.name = "quiet", .kind = FLAG_SWITCH, .offset = offsetof(struct out, quiet)},
	{.name = "file", .kind = FLAG_TEXT, .offset = offsetof(struct out, file), .arg = "FILE"},
	{.name = "format", .kind = FLAG_TEXT, .offset = offsetof(struct out, format), .arg = "F", .choices = formats},
	{.name = "n", .kind = FLAG_COUNT, .offset = offsetof(struct out, n), .arg = "N", .min = 1, .max = 10},
	{.name = "time", .kind = FLAG_TIME, .offset = offsetof(struct out, time_ms), .arg = "TIME", .min = 1, .max = FLAG_TIME_MAX},
	{.name = "list", .kind = FLAG_LIST, .offset = offsetof(struct out, list), .arg = "X"},
	{0},
};

static char err[256];

static int parse(struct out *o, char **words)
{
	int n = 0;

	while (words[n])
		n++;
	memset(o, 0, sizeof(*o));
	err[0] = 0;
	return flags_parse(table, n, words, o, err, sizeof(err));
}

static void takes_every_kind(void **state)
{
	struct out o;
	(void)state;

	int i = parse(&o, WORDS("x", "--quiet", "--file", "a b", "--n=7", "--list", "1", "--list=2", "--format", "json", "--",
				"--quiet"));
	assert_int_equal(i, 11);
	assert_true(o.quiet);
	assert_string_equal(o.file, "a b");
	assert_int_equal(o.n, 7);
	assert_int_equal(o.list.n, 2);
	assert_string_equal(o.list.items[0], "1");
	assert_string_equal(o.list.items[1], "2");
	assert_string_equal(o.format, "json");
}

static void times_have_units(void **state)
{
	static const struct {
		char *text;
		uint32_t ms;
	} all[] = {{"500ms", 500},  {"2s", 2000},           {"2", 2000}, {"1.5", 1500}, {"5m", 300000},
		   {"1h", 3600000}, {"720h", FLAG_TIME_MAX}};
	static char *const wrong[] = {"", "s", "-1", "0", "0ms", "1d", "2 s", "5min", "1e99", "nan", "inf", "721h", "0x10"};
	struct out o;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(parse(&o, WORDS("x", "--time", all[i].text)), 3);
		assert_int_equal(o.time_ms, all[i].ms);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(parse(&o, WORDS("x", "--time", wrong[i])), -EINVAL);
	assert_non_null(strstr(err, "500ms"));
}

static void stops_at_the_first_operand(void **state)
{
	struct out o;
	(void)state;

	assert_int_equal(parse(&o, WORDS("x", "--quiet", "prog", "--file", "y")), 2);
	assert_null(o.file);
	assert_int_equal(parse(&o, WORDS("x", "-")), 1);
	assert_int_equal(parse(&o, WORDS("x")), 1);
}

static void switches_can_be_unset(void **state)
{
	struct out o;
	(void)state;

	assert_int_equal(parse(&o, WORDS("x", "--quiet", "--quiet=off")), 3);
	assert_false(o.quiet);
	assert_int_equal(parse(&o, WORDS("x", "--quiet=maybe")), -EINVAL);
	assert_string_equal(err, "--quiet: 'maybe' is neither true nor false");
}

static void refuses_what_it_does_not_know(void **state)
{
	struct out o;
	(void)state;

	assert_int_equal(parse(&o, WORDS("x", "--fil", "a")), -EINVAL);
	assert_string_equal(err, "unknown flag '--fil'; see --help");
	assert_int_equal(parse(&o, WORDS("x", "-q")), -EINVAL);
	assert_int_equal(parse(&o, WORDS("x", "--format", "xml")), -EINVAL);
	assert_string_equal(err, "--format: unknown word 'xml'; use one of: text json");
}

static void refuses_missing_values_and_bad_numbers(void **state)
{
	static char *bad[] = {"0", "11", "-1", "7x", "", " 7", "18446744073709551617"};
	struct out o;
	(void)state;

	assert_int_equal(parse(&o, WORDS("x", "--file")), -EINVAL);
	assert_string_equal(err, "file: needs a value (FILE)");
	assert_int_equal(parse(&o, WORDS("x", "--file=")), -EINVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(&o, WORDS("x", "--n", bad[i])), -EINVAL);
	assert_string_equal(err, "--n: '18446744073709551617' is no number from 1 to 10");
}

static void puts_flags_first(void **state)
{
	char *words[] = {"x", "a", "--file", "f", "-", "--quiet", "b", "--n=3", "--", "--c"};
	static const char *const wanted[] = {"x", "--file", "f", "--quiet", "--n=3", "a", "-", "b", "--", "--c"};
	char *cut[] = {"x", "a", "--file"};
	(void)state;

	flags_first(table, 10, words);
	for (size_t i = 0; i < 10; i++)
		assert_string_equal(words[i], wanted[i]);
	flags_first(table, 3, cut);
	assert_string_equal(cut[1], "--file");
	assert_string_equal(cut[2], "a");
	flags_first(table, 1, words);
}

static void bounds_a_list(void **state)
{
	char *words[2 * FLAG_LIST_MAX + 4] = {"x"};
	struct out o;
	(void)state;

	for (size_t i = 0; i <= FLAG_LIST_MAX; i++) {
		words[1 + 2 * i] = "--list";
		words[2 + 2 * i] = "v";
	}
	assert_int_equal(parse(&o, words), -EINVAL);
	assert_string_equal(err, "--list: given more than 16 times");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_kind),
		cmocka_unit_test(times_have_units),
		cmocka_unit_test(stops_at_the_first_operand),
		cmocka_unit_test(switches_can_be_unset),
		cmocka_unit_test(refuses_what_it_does_not_know),
		cmocka_unit_test(refuses_missing_values_and_bad_numbers),
		cmocka_unit_test(puts_flags_first),
		cmocka_unit_test(bounds_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
