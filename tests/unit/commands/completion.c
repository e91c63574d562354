/* Completion scripts: each names every command and flag; tests/system/completion.py asks the shells themselves. */
#include "commands/completion.h"

#include "commands/commands.h"
#include "commands/unit.h"

static void scripts_name_every_flag(void **state)
{
	(void)state;
	for (const struct completion_shell *s = completion_shells; s->name; s++) {
		char *text = printed(s->write);

		for (const struct command *const *c = command_table; *c; c++) {
			assert_non_null(strstr(text, (*c)->name));
			for (const struct flag *f = (*c)->flags; f && f->name; f++)
				assert_non_null(strstr(text, f->name));
		}
		free(text);
	}
}

static void operands_end(void **state)
{
	(void)state;
	for (const struct command *const *c = command_table; *c; c++) {
		size_t n = 0;

		while ((*c)->operand && (*c)->operand(n) && n < 100)
			n++;
		assert_true((*c)->operand ? n > 1 && n < 100 : n == 0);
	}
}

static void shells_are_found_by_name(void **state)
{
	(void)state;
	assert_string_equal(completion_find("zsh")->name, "zsh");
	assert_null(completion_find("csh"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_name_every_flag),
		cmocka_unit_test(operands_end),
		cmocka_unit_test(shells_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
