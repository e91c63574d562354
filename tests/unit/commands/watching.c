/* What a session is called, and that one that was never opened ends well. */
#include "commands/watching.h"

#include <stdlib.h>

#include "commands/unit.h"

static const char *name_of(struct watching *w, const char *exe)
{
	watching_name(w, exe);
	return w->service;
}

static void a_service_has_a_name(void **state)
{
	struct watching w = {.settings.service = NULL};
	(void)state;

	unsetenv("OTEL_SERVICE_NAME");
	assert_string_equal(name_of(&w, "/usr/bin/shop"), "shop");
	assert_string_equal(name_of(&w, "shop"), "shop");
	assert_string_equal(name_of(&w, ""), "service"); /* its link cannot be read */
	setenv("OTEL_SERVICE_NAME", "", 1);
	assert_string_equal(name_of(&w, "/usr/bin/shop"), "shop");
	setenv("OTEL_SERVICE_NAME", "cart", 1);
	assert_string_equal(name_of(&w, "/usr/bin/shop"), "cart");
	w.settings.service = (char[]){"till"};
	assert_string_equal(name_of(&w, "/usr/bin/shop"), "till");
	unsetenv("OTEL_SERVICE_NAME");
}

static void one_that_was_not_opened_ends(void **state)
{
	struct watching w = {.start_ns = 0};
	char err[256];
	(void)state;

	assert_int_equal(settings_load(&w.settings, run_flags, 1, WORDS("run"), err, sizeof(err)), 1);
	assert_int_equal(pipeline_init(&w.pipeline), 0);
	watching_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_has_a_name),
		cmocka_unit_test(one_that_was_not_opened_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
