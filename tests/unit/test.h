/*
 * What every unit test includes: cmocka with the headers that it wants before it, and a shorthand for main().
 */
#ifndef GAPSCOPE_TESTS_UNIT_TEST_H
#define GAPSCOPE_TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* TEST_MAIN(cmocka_unit_test(a), cmocka_unit_test(b)) */
#define TEST_MAIN(...) \
	int main(void) \
	{ \
		const struct CMUnitTest tests[] = {__VA_ARGS__}; \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}

#endif
