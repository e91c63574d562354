/* The clock that only goes forward. */
#include "core/monotonic.h"

#include "test.h"

static void test_forward(void **state)
{
	struct timespec t;
	uint64_t before, between, after;

	(void)state;
	before = monotonic_ns();
	clock_gettime(CLOCK_MONOTONIC, &t);
	between = (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
	after = monotonic_ns();
	assert_true(before > 0 && before <= between && between <= after);
}

TEST_MAIN(cmocka_unit_test(test_forward))
