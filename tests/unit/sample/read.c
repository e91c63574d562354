/* read.c: text of small files, and numbers in it. */
#include <errno.h>

#include "sample/root.h"

static void test_text(void **state)
{
	struct root *r = root_make();
	char text[8];

	(void)state;
	root_file(r, "/a/b", "123456789");
	assert_int_equal(read_text(r->path, "/a/b", text, sizeof text), 0);
	assert_string_equal(text, "1234567");
	assert_int_equal(read_text(r->path, "/a/c", text, sizeof text), -ENOENT);
	assert_int_equal(read_text(r->path, "/a", text, sizeof text), -EISDIR);
	root_done(r);
}

static void test_number(void **state)
{
	(void)state;
	assert_int_equal(read_number_after("one 1\ntwo   22\nthree x\n", "two"), 22);
	assert_int_equal(read_number_after("one 1\ntwo 22", "one"), 1);
	assert_int_equal(read_number_after("42\n", ""), 42);
	assert_true(read_number_after("max\n", "") == SAMPLE_UNKNOWN);
	assert_true(read_number_after("one 1\nthree x", "three") == SAMPLE_UNKNOWN);
	assert_true(read_number_after("one 1", "two") == SAMPLE_UNKNOWN);
	assert_true(read_number_after("", "two") == SAMPLE_UNKNOWN);
}

static void test_column(void **state)
{
	static const char text[] = "A: x y\nA: 1 2\nB: x yy y\nB: 3 44 -5\nC: x\n";

	(void)state;
	assert_int_equal(read_number_of_column(text, "A:", "y"), 2);
	assert_int_equal(read_number_of_column(text, "B:", "x"), 3);
	assert_int_equal(read_number_of_column(text, "B:", "yy"), 44);
	assert_true(read_number_of_column(text, "B:", "y") == SAMPLE_UNKNOWN);
	assert_true(read_number_of_column(text, "B:", "z") == SAMPLE_UNKNOWN);
	assert_true(read_number_of_column(text, "C:", "x") == SAMPLE_UNKNOWN);
	assert_true(read_number_of_column("A: x y\nA: 1", "A:", "y") == SAMPLE_UNKNOWN);
	assert_true(read_number_of_column("", "A:", "y") == SAMPLE_UNKNOWN);
}

TEST_MAIN(cmocka_unit_test(test_text), cmocka_unit_test(test_number), cmocka_unit_test(test_column))
