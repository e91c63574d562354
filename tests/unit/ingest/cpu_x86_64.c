/* cpu_x86_64.c: the counter runs, and registers are found by their DWARF number. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/cpu.h"

static void the_counter_runs(void **state)
{
	const uint64_t before = cpu_ticks();
	uint64_t after = before;

	(void)state;
	for (int i = 0; i < 1000 && after == before; i++)
		after = cpu_ticks();
	assert_true(after > before);
	/* The answer does not change. */
	assert_int_equal(cpu_ticks_invariant(), cpu_ticks_invariant());
}

static void registers_are_found_by_number(void **state)
{
	const struct wire_stack s = {.regs = {[7] = 0x7007, [16] = 0x1616}};
	uint64_t value = 1;

	(void)state;
	assert_int_equal(cpu_stack_reg(&s, 16, &value), 0);
	assert_int_equal(value, 0x1616);
	assert_int_equal(cpu_stack_pointer(&s), 0x7007);
	assert_int_equal(cpu_stack_reg(&s, 17, &value), -EINVAL);
	assert_int_equal(cpu_stack_reg(&s, -1, &value), -EINVAL);
	assert_int_equal(value, 0x1616);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_counter_runs),
		cmocka_unit_test(registers_are_found_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
