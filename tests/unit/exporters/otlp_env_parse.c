/* How environment variables are read. */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "exporters/environment.h"
#include "exporters/otlp_env_parse.h"

static void empty_is_unset(void **state)
{
	(void)state;
	ENVIRONMENT("A", "", "B", "x");
	assert_null(env_text(env_of_test, "A"));
	assert_null(env_text(env_of_test, "C"));
	assert_string_equal(env_text(env_of_test, "B"), "x");
}

static void only_true_is_true(void **state)
{
	(void)state;
	ENVIRONMENT("T", "TrUe", "ONE", "1", "YES", "yes", "EMPTY", "");
	assert_true(env_true(env_of_test, "T", false));
	assert_false(env_true(env_of_test, "ONE", true));
	assert_false(env_true(env_of_test, "YES", true));
	assert_true(env_true(env_of_test, "EMPTY", true));
	assert_false(env_true(env_of_test, "NONE", false));
}

static void numbers(void **state)
{
	(void)state;
	static const char *const bad[] = {"x", "5x", "-5", "1.5", " ", "99999999999999999999", "0x10"};
	uint64_t n = 7;
	ENVIRONMENT("N", "42", "SPACE", " 42 ");
	assert_int_equal(env_number(env_of_test, "NONE", &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(env_number(env_of_test, "N", &n), 0);
	assert_int_equal(n, 42);
	n = 0;
	assert_int_equal(env_number(env_of_test, "SPACE", &n), 0);
	assert_int_equal(n, 42);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ENVIRONMENT("N", bad[i]);
		n = 7;
		assert_int_equal(env_number(env_of_test, "N", &n), -EINVAL);
		assert_int_equal(n, 7);
	}
}

static void percent(void **state)
{
	(void)state;
	char text[] = "a%20b%2C%e2%82%ac";
	assert_true(percent_decode_in_place(text));
	assert_string_equal(text, "a b,€");
	static const char *const bad[] = {"%", "%2", "%zz", "a%0", "%00"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char copy[8];
		snprintf(copy, sizeof copy, "%s", bad[i]);
		assert_false(percent_decode_in_place(copy));
	}
}

static void gather(void *ctx, const char *key, const char *value)
{
	char *all = ctx;
	snprintf(all + strlen(all), 128 - strlen(all), "[%s|%s]", key, value);
}

static void pairs(void **state)
{
	(void)state;
	char all[128] = "";
	assert_true(pairs_parse(" a = 1 ,b=x=y%2C,, c=", gather, all));
	assert_string_equal(all, "[a|1][b|x=y,][c|]");
	assert_false(pairs_parse("a=1,b", gather, all));
	assert_false(pairs_parse("=1", gather, all));
	assert_false(pairs_parse("a=%zz", gather, all));
	assert_true(pairs_parse("", gather, all));
}

TEST_MAIN(cmocka_unit_test(empty_is_unset), cmocka_unit_test(only_true_is_true), cmocka_unit_test(numbers),
	  cmocka_unit_test(percent), cmocka_unit_test(pairs))
