/* How the arguments of waits become limits in ns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "preload/limit.h"

static void test_relative(void **state)
{
	const struct timespec half = {.tv_nsec = 500000000};
	const struct timeval minute = {.tv_sec = 60, .tv_usec = 5};
	const struct timespec huge = {.tv_sec = INT64_MAX};
	const struct timespec negative = {.tv_sec = -5};

	(void)state;
	assert_int_equal(limit_ms(-1), -1);
	assert_int_equal(limit_ms(-100), -1);
	assert_int_equal(limit_ms(0), 0);
	assert_int_equal(limit_ms(250), 250000000);
	assert_int_equal(limit_timespec(NULL), -1);
	assert_int_equal(limit_timespec(&half), 500000000);
	assert_int_equal(limit_timespec(&huge), INT64_MAX);
	assert_int_equal(limit_timespec(&negative), 0);
	assert_int_equal(limit_timeval(NULL), -1);
	assert_int_equal(limit_timeval(&minute), 60000005000LL);
}

static void check_until(clockid_t clock, clockid_t told)
{
	struct timespec at;
	int64_t ns;

	clock_gettime(clock, &at);
	at.tv_sec += 100;
	ns = limit_until(told, &at);
	assert_true(ns > 90 * LIMIT_NS_PER_S && ns <= 100 * LIMIT_NS_PER_S);
	at.tv_sec -= 200;
	if (at.tv_sec >= 0)
		assert_int_equal(limit_until(told, &at), 0);
}

static void test_absolute(void **state)
{
	const struct timespec huge = {.tv_sec = INT64_MAX};

	(void)state;
	check_until(CLOCK_REALTIME, CLOCK_REALTIME);
	check_until(CLOCK_MONOTONIC, CLOCK_MONOTONIC);
	assert_int_equal(limit_until(CLOCK_REALTIME, &huge), INT64_MAX);
}

/* A condition variable does not say its clock: the time tells. */
static void test_guess(void **state)
{
	(void)state;
	check_until(CLOCK_REALTIME, LIMIT_CLOCK_GUESS);
	check_until(CLOCK_MONOTONIC, LIMIT_CLOCK_GUESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relative),
		cmocka_unit_test(test_absolute),
		cmocka_unit_test(test_guess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
