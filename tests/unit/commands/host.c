/* The doctor's checks: each answers with a line of words, here and where something is wrong. */
#include "commands/host.h"

#include "commands/unit.h"

static enum check_result look(const char *name, char *text, size_t size)
{
	for (const struct check *c = host_checks; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c->look(text, size);
	fail_msg("no check %s", name);
	return CHECK_FAILED;
}

static void every_check_says_something(void **state)
{
	char text[8192];
	(void)state;

	for (const struct check *c = host_checks; c->name; c++) {
		text[0] = 0;
		c->look(text, sizeof(text));
		assert_true(strlen(text) > 5);
		assert_null(strchr(text, '\n'));
	}
}

static void this_host_can_share_memory(void **state)
{
	char text[8192];
	(void)state;

	assert_int_equal(look("shared memory", text, sizeof(text)), CHECK_OK);
	assert_int_equal(look("session path", text, sizeof(text)), CHECK_OK);
}

static void the_endpoint_is_judged_and_its_password_kept(void **state)
{
	char text[8192];
	(void)state;

	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", 1);
	assert_int_equal(look("OTLP", text, sizeof(text)), CHECK_FAILED);
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:pw@otel:4318", 1);
	assert_int_equal(look("OTLP", text, sizeof(text)), CHECK_OK);
	assert_string_equal(text, "on, to https://otel:4318");
	unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
	assert_int_equal(look("OTLP", text, sizeof(text)), CHECK_OK);
}

static void a_missing_shim_is_a_failure(void **state)
{
	char text[8192];
	(void)state;

	setenv("GAPSCOPE_LIB", "/nonexistent/libgapscope.so", 1);
	assert_int_equal(look("shim", text, sizeof(text)), CHECK_FAILED);
	assert_non_null(strstr(text, "GAPSCOPE_LIB"));
	unsetenv("GAPSCOPE_LIB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_check_says_something),
		cmocka_unit_test(this_host_can_share_memory),
		cmocka_unit_test(the_endpoint_is_judged_and_its_password_kept),
		cmocka_unit_test(a_missing_shim_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
