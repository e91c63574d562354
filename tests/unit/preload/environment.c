/*
 * What an exec'd program's environment must hold. The shim's state is replaced by a session and a library of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "preload/environment.h"
#include "preload/shim.h"

#define LIBRARY "/opt/lib/libgapscope.so"
#define SESSION "/proc/77/fd/5"

struct shim shim = {.mapped = true};

const char *session_path(void)
{
	return SESSION;
}

const char *session_library(void)
{
	return LIBRARY;
}

static char **extend(char *const env[], void **ret_memory)
{
	const struct environment_need need = environment_check(env);

	*ret_memory = need.bytes ? malloc(need.bytes) : NULL;
	return need.bytes ? environment_extend(env, &need, *ret_memory) : (char **)(uintptr_t)env;
}

static void check(char *const env[], const char *const expected[])
{
	void *memory;
	char **got = extend(env, &memory);
	size_t i;

	for (i = 0; expected[i]; i++) {
		assert_non_null(got[i]);
		assert_string_equal(got[i], expected[i]);
	}
	assert_null(got[i]);
	free(memory);
}

static void test_complete_is_kept(void **state)
{
	char *const env[] = {(char *)"A=1", (char *)"LD_PRELOAD=/x.so:" LIBRARY, (char *)"GAPSCOPE_SESSION=" SESSION, NULL};

	(void)state;
	assert_int_equal(environment_check(env).bytes, 0);
}

static void test_empty(void **state)
{
	char *const env[] = {NULL};

	(void)state;
	check(env, (const char *const[]){"LD_PRELOAD=" LIBRARY, "GAPSCOPE_SESSION=" SESSION, NULL});
}

static void test_preload_is_joined(void **state)
{
	char *const env[] = {(char *)"LD_PRELOAD=/x.so", (char *)"B=2", NULL};

	(void)state;
	check(env, (const char *const[]){"LD_PRELOAD=/x.so:" LIBRARY, "B=2", "GAPSCOPE_SESSION=" SESSION, NULL});
}

static void test_empty_values_are_filled(void **state)
{
	char *const env[] = {(char *)"GAPSCOPE_SESSION=", (char *)"LD_PRELOAD=", NULL};

	(void)state;
	check(env, (const char *const[]){"GAPSCOPE_SESSION=" SESSION, "LD_PRELOAD=" LIBRARY, NULL});
}

static void test_only_session_lacks(void **state)
{
	char *const env[] = {(char *)"LD_PRELOAD=" LIBRARY " /y.so", NULL};

	(void)state;
	check(env, (const char *const[]){"LD_PRELOAD=" LIBRARY " /y.so", "GAPSCOPE_SESSION=" SESSION, NULL});
}

/* A longer name that begins or ends alike is another library. */
static void test_like_names(void **state)
{
	char *const env[] = {(char *)"LD_PRELOAD=" LIBRARY ".old", (char *)"GAPSCOPE_SESSION=" SESSION, NULL};

	(void)state;
	check(env, (const char *const[]){"LD_PRELOAD=" LIBRARY ".old:" LIBRARY, "GAPSCOPE_SESSION=" SESSION, NULL});
}

static void test_null_and_huge_are_left_alone(void **state)
{
	static char *env[ENVIRONMENT_MAX + 10];

	(void)state;
	assert_int_equal(environment_check(NULL).bytes, 0);
	for (size_t i = 0; i < ENVIRONMENT_MAX + 5; i++)
		env[i] = (char *)"A=1";
	assert_int_equal(environment_check(env).bytes, 0);
}

static void test_unwatched_process_adds_nothing(void **state)
{
	char *const env[] = {NULL};

	(void)state;
	shim.mapped = false;
	assert_int_equal(environment_check(env).bytes, 0);
	shim.mapped = true;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete_is_kept),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_preload_is_joined),
		cmocka_unit_test(test_empty_values_are_filled),
		cmocka_unit_test(test_only_session_lacks),
		cmocka_unit_test(test_like_names),
		cmocka_unit_test(test_null_and_huge_are_left_alone),
		cmocka_unit_test(test_unwatched_process_adds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
