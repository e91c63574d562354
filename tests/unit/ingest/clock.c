/* clock.c: ticks become ns that never step back, and meet CLOCK_MONOTONIC however wrong the first measurement was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "ingest/clock.h"

#define SECOND 1000000000ULL
#define EPOCH 1700000000ULL * SECOND

/* 2.8 GHz, but measured with an error of `ppm` at the start. */
static struct tick_clock start(int64_t ppm)
{
	const uint64_t mono[2] = {SECOND, SECOND + 5000000};
	const uint64_t ticks[2] = {1000, 1000 + (uint64_t)(14000000 - 14 * ppm)};
	struct tick_clock c;

	clock_start_at(&c, WIRE_CLOCK_TSC, ticks, mono, EPOCH);
	return c;
}

static uint64_t abs_diff(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static void rate_is_measured(void **state)
{
	const struct tick_clock c = start(0);

	(void)state;
	assert_int_equal(clock_ns(&c, 14001000), EPOCH);
	assert_true(abs_diff(clock_ns(&c, 14001000 + 2800000000ULL), EPOCH + SECOND) < 5);
	assert_true(abs_diff(clock_ticks_of(&c, SECOND), 2800000000ULL) < 5);
	/* Before the start too: the first calls may have been entered earlier. */
	assert_true(abs_diff(clock_ns(&c, 1000), EPOCH - 5000000) < 5);
}

static void refinement_converges_without_stepping_back(int64_t ppm)
{
	struct tick_clock c = start(ppm);
	const uint64_t tick0 = c.segment[0].ticks, mono0 = SECOND + 5000000;
	uint64_t last = 0, worst_late = 0;

	for (uint64_t s = 1; s <= 6000; s++) { /* 600 s in steps of 0.1 s */
		const uint64_t ticks = tick0 + s * 280000000ULL, mono = mono0 + s * 100000000ULL;
		const uint64_t early = clock_ns(&c, ticks - 1);

		assert_true(early >= last);
		if (mono >= c.next_refine_ns)
			clock_refine_at(&c, ticks, mono);
		last = clock_ns(&c, ticks);
		assert_true(last >= early);
		if (s > 3000 && abs_diff(last, EPOCH + s * 100000000ULL) > worst_late)
			worst_late = abs_diff(last, EPOCH + s * 100000000ULL);
	}
	assert_true(worst_late < 50000);
}

static void a_wrong_start_is_mended(void **state)
{
	(void)state;
	refinement_converges_without_stepping_back(0);
	refinement_converges_without_stepping_back(200);
	refinement_converges_without_stepping_back(-200);
}

static void a_stopped_machine_steps_forward_only(void **state)
{
	struct tick_clock c = start(0);
	const uint64_t ticks = c.segment[0].ticks + 280000000ULL, mono = SECOND + 105000000;

	(void)state;
	/* The counter stood still for an hour. */
	clock_refine_at(&c, ticks, mono + 3600 * SECOND);
	assert_true(abs_diff(clock_ns(&c, ticks), EPOCH + 100000000 + 3600 * SECOND) < 1000);
	/* It ran on while CLOCK_MONOTONIC stood: no step back. */
	const uint64_t before = clock_ns(&c, ticks + 2800000000ULL);

	clock_refine_at(&c, ticks + 2800000000ULL, mono + 3600 * SECOND + 1);
	assert_true(clock_ns(&c, ticks + 2800000000ULL) >= before);
}

static void samples_that_go_back_are_ignored(void **state)
{
	struct tick_clock c = start(0);
	const unsigned int n = c.n;

	(void)state;
	clock_refine_at(&c, c.segment[0].ticks - 5, 3 * SECOND);
	clock_refine_at(&c, c.segment[0].ticks + 5, 1);
	assert_int_equal(c.n, n);
}

static void wild_ticks_do_not_overflow(void **state)
{
	const struct tick_clock c = start(0);

	(void)state;
	assert_true(clock_ns(&c, 0x9000000000000000ULL) <= clock_ns(&c, 0));
	assert_true(clock_ns(&c, 0x7000000000000000ULL) > EPOCH);
}

static void monotonic_is_taken_as_it_is(void **state)
{
	const uint64_t same[2] = {77, 77};
	struct tick_clock c;

	(void)state;
	clock_start_at(&c, WIRE_CLOCK_MONOTONIC, same, same, EPOCH);
	assert_int_equal(clock_ns(&c, 77), EPOCH);
	assert_int_equal(clock_ns(&c, 77 + 12345), EPOCH + 12345);
	assert_int_equal(clock_ticks_of(&c, 5), 5);
}

static void the_real_clock_agrees(void **state)
{
	struct tick_clock c;
	struct timespec now;
	uint64_t real, ours;

	(void)state;
	clock_start(&c);
	clock_gettime(CLOCK_REALTIME, &now);
	real = (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
	ours = clock_ns(&c, clock_ticks(&c));
	assert_true(abs_diff(real, ours) < SECOND / 10);
	clock_refine(&c);
	assert_true(clock_ns(&c, clock_ticks(&c)) >= ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_is_measured),
		cmocka_unit_test(a_wrong_start_is_mended),
		cmocka_unit_test(a_stopped_machine_steps_forward_only),
		cmocka_unit_test(samples_that_go_back_are_ignored),
		cmocka_unit_test(wild_ticks_do_not_overflow),
		cmocka_unit_test(monotonic_is_taken_as_it_is),
		cmocka_unit_test(the_real_clock_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
