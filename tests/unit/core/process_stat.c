/* The line of /proc/PID/stat. */
#include "core/process_stat.h"

#include <errno.h>
#include <unistd.h>

#include "test.h"

static void test_numbers(void **state)
{
	struct process_stat s;

	(void)state;
	assert_true(process_stat_parse(
		"7 (cat) S 3 7 7 0 -1 4194304 90 0 0 0 11 12 0 0 20 0 4 0 4711 1000 25 18446744073709551615 1 2 3 4 5 6 7 8 9 "
		"10 11 12 17 5 13\n",
		&s));
	assert_int_equal(s.state, 'S');
	assert_int_equal(s.fields[STAT_PARENT], 3);
	assert_int_equal(s.fields[STAT_USER], 11);
	assert_int_equal(s.fields[STAT_SYSTEM], 12);
	assert_int_equal(s.fields[STAT_THREADS], 4);
	assert_int_equal(s.fields[STAT_START], 4711);
	assert_int_equal(s.fields[STAT_VIRTUAL], 1000);
	assert_int_equal(s.fields[STAT_RESIDENT], 25);
	assert_int_equal(s.fields[STAT_PROCESSOR], 5);
	assert_int_equal(s.n, STAT_PROCESSOR);
}

/* A name may hold what looks like the rest of the line. */
static void test_name(void **state)
{
	struct process_stat s;

	(void)state;
	assert_true(process_stat_parse("7 (a) Z 1 ( b) R 42 7", &s));
	assert_int_equal(s.state, 'R');
	assert_int_equal(s.fields[STAT_PARENT], 42);
}

static void test_short(void **state)
{
	struct process_stat s;

	(void)state;
	assert_false(process_stat_parse("", &s));
	assert_false(process_stat_parse("7 (cat", &s));
	assert_false(process_stat_parse("7 (cat)", &s));
	assert_false(process_stat_parse("7 (cat) ", &s));
	assert_true(process_stat_parse("7 (cat) S 3", &s));
	assert_int_equal(s.n, STAT_PARENT);
	assert_int_equal(s.fields[STAT_THREADS], 0);
}

/* Of the parent: an emulator makes up what a program asks of itself. */
static void test_read(void **state)
{
	struct process_stat s;

	(void)state;
	assert_int_equal(process_stat_of(getppid(), &s), 0);
	assert_true(s.state >= 'A' && s.state <= 'z');
	assert_true(s.fields[STAT_THREADS] >= 1 && s.fields[STAT_START] > 0 && s.fields[STAT_PARENT] != (uint64_t)getpid());
	assert_true(s.n == STAT_PROCESSOR);
	assert_int_equal(process_stat_read("/proc/self/none", &s), -ENOENT);
	assert_int_equal(process_stat_read("/proc/meminfo", &s), -EBADMSG);
}

TEST_MAIN(cmocka_unit_test(test_numbers), cmocka_unit_test(test_name), cmocka_unit_test(test_short), cmocka_unit_test(test_read))
