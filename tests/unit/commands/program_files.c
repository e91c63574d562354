/* program_files.c: a file is known by what it is, under each of its names; and there is an end to the room. */
#include "commands/program_files.h"

#include <errno.h>

#include "test.h"

static void a_file_is_known_by_each_name(void **state)
{
	struct program_files files = {.n = 0};
	struct stat st, other;

	(void)state;
	assert_int_equal(stat("/proc/self/exe", &st), 0);
	assert_int_equal(stat("/", &other), 0);
	assert_int_equal(program_files_find(&files, &st), -ENOENT);
	assert_int_equal(program_files_add(&files, &other), 0);
	assert_int_equal(program_files_add(&files, &st), 1);
	assert_int_equal(stat("/proc/thread-self/exe", &st), 0);
	assert_int_equal(program_files_find(&files, &st), 1);
	other.st_dev++; /* the same number on another device */
	assert_int_equal(program_files_find(&files, &other), -ENOENT);
}

static void until_it_is_full(void **state)
{
	struct program_files files = {.n = 0};
	struct stat st = {.st_dev = 1};

	(void)state;
	for (st.st_ino = 0; st.st_ino < PROGRAM_FILES_MAX; st.st_ino++)
		assert_int_equal(program_files_add(&files, &st), st.st_ino);
	assert_int_equal(program_files_add(&files, &st), -ENOSPC);
	assert_int_equal(program_files_find(&files, &st), -ENOENT);
	st.st_ino--;
	assert_int_equal(program_files_find(&files, &st), PROGRAM_FILES_MAX - 1);
}

TEST_MAIN(cmocka_unit_test(a_file_is_known_by_each_name), cmocka_unit_test(until_it_is_full))
