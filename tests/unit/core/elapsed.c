/* Passed time: never less than none. */
#include "core/elapsed.h"

#include "test.h"

static void test_elapsed(void **state)
{
	(void)state;
	assert_int_equal(elapsed_ns(3, 10), 7);
	assert_int_equal(elapsed_ns(10, 10), 0);
	assert_int_equal(elapsed_ns(10, 3), 0);
	assert_int_equal(elapsed_ns(UINT64_MAX, 0), 0);
	assert_int_equal(elapsed_ns(0, UINT64_MAX), UINT64_MAX);
}

TEST_MAIN(cmocka_unit_test(test_elapsed))
