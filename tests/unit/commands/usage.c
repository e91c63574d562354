/* Help from the tables: complete, and broken into lines that fit. */
#include "commands/usage.h"

#include "commands/unit.h"

static const struct command *current;

static void print_current(FILE *out)
{
	usage_command(out, current);
}

static void help_names_every_command(void **state)
{
	char *text = printed(usage_all);
	char line[64];
	(void)state;

	for (const struct command *const *c = command_table; *c; c++) {
		snprintf(line, sizeof(line), "  gapscope %s ", (*c)->name);
		assert_non_null(strstr(text, line));
	}
	free(text);
}

/* Where in its line `what` begins, counted in characters: the dots of a usage are three bytes. Inlined, gcc 12 takes `text` to be gone. */
static __attribute__((noinline)) int column_of(const char *text, const char *what)
{
	const char *const end = strstr(text, what);
	int column = 0;

	assert_non_null(end);
	for (; text < end; text++)
		column = *text == '\n' ? 0 : column + (((unsigned char)*text & 0xc0) != 0x80);
	return column;
}

static void what_commands_do_stands_in_one_column(void **state)
{
	char *text = printed(usage_all);
	int column = 0;
	(void)state;

	for (const struct command *const *c = command_table; *c; c++) {
		column = column ? column : column_of(text, (*c)->doc);
		assert_int_equal(column_of(text, (*c)->doc), column);
	}
	free(text);
}

static void a_command_shows_every_flag(void **state)
{
	char flag[64];
	(void)state;

	for (const struct command *const *c = command_table; *c; c++) {
		current = *c;
		char *text = printed(print_current);
		for (const struct flag *f = (*c)->flags; f && f->name; f++) {
			snprintf(flag, sizeof(flag), "  --%s", f->name);
			assert_non_null(strstr(text, flag));
		}
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			assert_true(strlen(line) <= 110);
		free(text);
	}
}

static const char *wrapped;

static void print_wrapped(FILE *out)
{
	usage_wrap(out, 2, wrapped);
}

static void text_is_broken_at_words(void **state)
{
	(void)state;
	wrapped = "a b\n\nc";
	char *text = printed(print_wrapped);
	assert_string_equal(text, "  a b\n\n  c\n");
	free(text);
	char words[400] = "";
	for (int i = 0; i < 40; i++)
		strcat(words, "wordword ");
	wrapped = words;
	text = printed(print_wrapped);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		assert_true(strlen(line) <= 100);
		assert_memory_equal(line, "  wordword", 10);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_names_every_command),
		cmocka_unit_test(what_commands_do_stands_in_one_column),
		cmocka_unit_test(a_command_shows_every_flag),
		cmocka_unit_test(text_is_broken_at_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
