/* agent/core/module_kind.c: runtimes are told from applications by base name. */
#include "core/module_kind.h"

#include "core/stacks.h"
#include "test.h"

static void kinds(void **state)
{
	(void)state;
	assert_int_equal(module_kind("libc.so.6"), MODULE_LIBC);
	assert_int_equal(module_kind("libpq.so.5.15"), MODULE_LIBRARY);
	assert_int_equal(module_kind("python3.11"), MODULE_INTERPRETER);
	assert_int_equal(module_kind("shop"), MODULE_APPLICATION);
	assert_int_equal(module_kind("libpay.so"), MODULE_APPLICATION);
	assert_int_equal(module_kind("?"), MODULE_LIBC);
	assert_int_equal(module_kind(NULL), MODULE_LIBC);
	assert_true(module_is_runtime("libssl.so.3"));
	assert_false(module_is_runtime("shop"));
}

static void who_makes_code(void **state)
{
	(void)state;
	assert_string_equal(module_generates("libjvm.so"), "[Java]");
	assert_string_equal(module_generates("libnode.so.108"), "[JavaScript]");
	assert_string_equal(module_generates("node"), "[JavaScript]");
	assert_null(module_generates("node_exporter"));
	assert_null(module_generates("libc.so.6"));
	assert_null(module_generates(NULL));
}

TEST_MAIN(cmocka_unit_test(kinds), cmocka_unit_test(who_makes_code))
