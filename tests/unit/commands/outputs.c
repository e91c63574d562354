/* Exporters by name: known ones open, unknown ones are refused before anything starts. */
#include "commands/outputs.h"

#include <errno.h>

#include "commands/unit.h"

static char err[512];

static int open_named(struct outputs *o, const char *name)
{
	struct flag_list names = {.items = {name}, .n = name ? 1 : 0};
	struct resource_input who = {.service = "test"};

	err[0] = 0;
	return outputs_open(o, &names, true, &who, err, sizeof(err));
}

static void none_is_fine(void **state)
{
	struct outputs o;
	(void)state;

	unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
	assert_int_equal(open_named(&o, NULL), 0);
	assert_int_equal(o.n, 0);
	assert_null(outputs_sink(&o).span);
	outputs_metrics(&o, NULL, 0, 0);
	outputs_close(&o, 0, true);
	outputs_close(&o, 0, true);
}

static void unknown_ones_are_refused(void **state)
{
	struct outputs o;
	(void)state;

	assert_int_equal(open_named(&o, "otl:x"), -EINVAL);
	assert_string_equal(err, "--export otl:x: unknown exporter 'otl'; `gapscope list exporters` shows those that exist");
	assert_int_equal(o.n, 0);
}

static void the_environment_switches_otlp_on(void **state)
{
	struct outputs o;
	(void)state;

	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9", 1);
	assert_int_equal(open_named(&o, NULL), 0);
	assert_int_equal(o.n, 1);
	assert_string_equal(o.item[0].exporter->name, "otlp");
	assert_non_null(outputs_sink(&o).span);
	outputs_close(&o, 0, false);
	/* Named and in the environment: once. */
	assert_int_equal(open_named(&o, "otlp"), 0);
	assert_int_equal(o.n, 1);
	outputs_close(&o, 0, false);
	unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_is_fine),
		cmocka_unit_test(unknown_ones_are_refused),
		cmocka_unit_test(the_environment_switches_otlp_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
