/* The table of faults. */
#include "test.h"

#include "core/faults.h"

static void table(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < FAULTS; k++) {
		assert_true(*faults[k].name && *faults[k].doc && faults[k].phase);
		assert_int_not_equal(faults[k].way, WIRE_FAULT_NONE);
		assert_int_equal(fault_find(faults[k].name), k);
	}
	assert_int_equal(fault_find("thunder"), FAULTS);
	assert_int_equal(fault_find(""), FAULTS);
}

TEST_MAIN(cmocka_unit_test(table))
