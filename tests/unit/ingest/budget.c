/* budget.c: no more is read than the share allows, nothing is refused within it, and what was saved can be spent at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/budget.h"

#define MS 1000000U

static void within_the_share(void **state)
{
	struct budget b;

	(void)state;
	budget_start(&b, 0.5);
	b.byte_ns = 1;
	/* 100 kB a millisecond at 1 ns a byte: a tenth of a processor */
	for (uint64_t t = 1; t < 5000; t++)
		assert_true(budget_take(&b, t * MS, 100000));
}

static void over_the_share(void **state)
{
	struct budget b;
	uint64_t read = 0, all = 0;

	(void)state;
	budget_start(&b, 0.25);
	b.byte_ns = 1;
	/* a byte each nanosecond: a whole processor */
	for (uint64_t t = 1; t <= 20000; t++, all++)
		read += budget_take(&b, t * MS, MS);
	/* a quarter, and once what had been saved */
	assert_in_range(read, all / 4, all / 4 + 500 / 4 + 2);
}

static void a_burst_spends_what_was_saved(void **state)
{
	struct budget b;
	unsigned int read = 0;

	(void)state;
	budget_start(&b, 1);
	b.byte_ns = 1;
	assert_true(budget_take(&b, 3600ULL * 1000 * MS, 1));
	while (budget_take(&b, 3600ULL * 1000 * MS, MS) && read < 10000)
		read++;
	assert_in_range(read, 499, 501);
	/* one write may overdraw, and is paid for afterwards */
	assert_true(budget_take(&b, 3601ULL * 1000 * MS, 5000ULL * MS));
	assert_false(budget_take(&b, 3602ULL * 1000 * MS, 1));
	assert_true(budget_take(&b, 3610ULL * 1000 * MS, 1));
}

static void no_limit(void **state)
{
	struct budget b;

	(void)state;
	budget_start(&b, 0);
	for (unsigned int i = 0; i < 1000; i++)
		assert_true(budget_take(&b, 1, UINT32_MAX));
}

static void measures_what_a_byte_costs(void **state)
{
	struct budget b;
	volatile uint64_t work = 0;

	(void)state;
	budget_start(&b, 0.5);
	b.byte_ns = 0;
	for (unsigned int call = 0; call < 640; call++) {
		budget_begin(&b);
		for (unsigned int i = 0; i < 20000; i++)
			work += i;
		budget_end(&b, 1000);
	}
	assert_true(work > 0);
	assert_true(b.byte_ns > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(within_the_share),
		cmocka_unit_test(over_the_share),
		cmocka_unit_test(a_burst_spends_what_was_saved),
		cmocka_unit_test(no_limit),
		cmocka_unit_test(measures_what_a_byte_costs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
