/* The table of commands: each row is complete, and found by its name. */
#include "commands/commands.h"

#include "commands/unit.h"

static void every_row_is_complete(void **state)
{
	size_t n = 0;
	(void)state;

	for (; command_table[n]; n++) {
		const struct command *c = command_table[n];
		assert_non_null(c->name);
		assert_non_null(c->usage);
		assert_true(strlen(c->doc) > 10);
		assert_true(strlen(c->text) > 20);
		assert_non_null(c->run);
		assert_ptr_equal(command_find(c->name), c);
		for (const struct flag *f = c->flags; f && f->name; f++) {
			assert_non_null(f->doc);
			assert_true((f->kind == FLAG_SWITCH) == (f->arg == NULL));
			assert_ptr_equal(flag_find(c->flags, f->name, strlen(f->name)), f);
		}
	}
	assert_true(n >= 8);
}

static void unknown_names_are_not_found(void **state)
{
	(void)state;
	assert_null(command_find("ru"));
	assert_null(command_find("runs"));
	assert_null(command_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(unknown_names_are_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
