/* alloc_pace.c: sampling becomes rarer with what it has cost, later where samples stay alive, and never more frequent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/alloc_pace.h"

#define FIRST 2048U
#define MOST 524288U

/* Samples until the distance is `most`, of which one of `stays` stays alive (0: none); 0: it never comes to it. */
static uint64_t samples_until_most(uint64_t stays)
{
	struct alloc_pace p = {.first = FIRST, .most = MOST};
	uint32_t mean = FIRST;

	while (mean < MOST && p.samples < 10000000) {
		const uint32_t before = mean;

		p.samples++;
		p.frees += stays == 0 || p.samples % stays != 0;
		mean = alloc_pace_mean(&p, mean);
		assert_true(mean == before || mean == 2 * before);
	}
	return mean == MOST ? p.samples : 0;
}

static void what_is_freed_costs_little(void **state)
{
	const uint64_t freed = samples_until_most(0), tenth = samples_until_most(10), half = samples_until_most(2);

	(void)state;
	print_message("  until the largest distance: %llu samples, %llu where a tenth stays, %llu where half does\n",
		      (unsigned long long)freed, (unsigned long long)tenth, (unsigned long long)half);
	assert_in_range(freed, 1, 30000);
	assert_true(tenth > 2 * freed);
	assert_true(half > freed && half < tenth);
}

static void a_distance_that_was_asked_for_stays(void **state)
{
	const struct alloc_pace asked = {.first = 0, .most = 1024, .samples = 1000000};
	const struct alloc_pace adaptive = {.first = FIRST, .most = MOST, .samples = 1000000, .frees = 1000000};

	(void)state;
	assert_int_equal(alloc_pace_mean(&asked, 1024), 1024);
	assert_int_equal(alloc_pace_mean(&adaptive, FIRST), MOST);
	assert_int_equal(alloc_pace_mean(&adaptive, MOST), MOST);
	assert_int_equal(alloc_pace_mean(&(struct alloc_pace){.first = FIRST, .most = MOST, .samples = 9000}, 65536), 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_freed_costs_little),
		cmocka_unit_test(a_distance_that_was_asked_for_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
