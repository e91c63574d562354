/* demangle.c: names of C++ and Rust, old and new; what is neither stays; which are the language's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/demangle.h"

static void names_are_as_in_the_source(void **state)
{
	static const char *const cases[][2] = {
		{"_ZN4shop5orderEi", "shop::order"},
		{"_ZN12_GLOBAL__N_15thingEi", "(anonymous namespace)::thing"},
		{"_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"},
		{"_RNvC4shop5order", "shop::order"},
		{"_ZN5cacheI3keyE3putES0_", "cache<key>::put"},
		{"_Znwm", "operator new"},
		{"_ZN", "_ZN"},
		{"_start", "_start"},
		{"main", "main"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s", cases[i][0]);
		demangle(name, sizeof(name));
		assert_string_equal(name, cases[i][1]);
	}
}

static void long_names_are_cut(void **state)
{
	char name[17] = "_ZN4shop5orderE", small[17] = "_ZN9longnames1fE";

	(void)state;
	demangle(name, 8);
	assert_string_equal(name, "shop::o");
	demangle(small, sizeof(small));
	assert_string_equal(small, "longnames::f");
}

static void libraries_are_known(void **state)
{
	(void)state;
	assert_true(demangled_is_library("std::vector<int, std::allocator<int> >::_M_realloc_insert<int const&>"));
	assert_true(demangled_is_library("<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop"));
	assert_true(demangled_is_library("<&T as core::fmt::Debug>::fmt"));
	assert_true(demangled_is_library("operator new"));
	assert_false(demangled_is_library("shop::order"));
	assert_false(demangled_is_library("<shop::Order as core::fmt::Debug>::fmt"));
	assert_false(demangled_is_library("stdlib_helper"));
	assert_false(demangled_is_library("core_start"));
	assert_false(demangled_is_library(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_as_in_the_source),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(libraries_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
