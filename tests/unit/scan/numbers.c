/*
 * Checks that several ids share.
 */
#include "scan/find.h"

#include "scan/validators.h"

static void luhn(void **state)
{
	(void)state;
	assert_true(luhn_holds("79927398713", 11));
	for (char last = '0'; last <= '9'; last++) {
		char digits[] = "79927398710";
		digits[10] = last;
		assert_int_equal(luhn_holds(digits, 11), last == '3');
	}
}

static void dates(void **state)
{
	(void)state;
	assert_true(birth_date_holds(2000, 2, 29));
	assert_false(birth_date_holds(1900, 2, 29));
	assert_false(birth_date_holds(1999, 13, 1));
	assert_false(birth_date_holds(1999, 4, 31));
	assert_false(birth_date_holds(1999, 4, 0));
	assert_false(birth_date_holds(1700, 4, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(luhn),
		cmocka_unit_test(dates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
