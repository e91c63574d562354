/* The manual page: everything of the tables is in it, and nothing of the text is taken for roff. */
#include "commands/usage.h"
#include "detectors/detector.h"
#include "exporters/exporter.h"

#include "commands/unit.h"

/* A word of the tables as roff writes it: with escaped dashes. */
static bool has(const char *text, const char *word)
{
	char escaped[512];
	size_t n = 0;

	for (; *word && n + 3 < sizeof(escaped); word++) {
		if (*word == '-')
			escaped[n++] = '\\';
		escaped[n++] = *word;
	}
	escaped[n] = 0;
	return strstr(text, escaped) != NULL;
}

static void holds_all_of_the_tables(void **state)
{
	char *text = printed(usage_manual);
	(void)state;

	for (const struct command *const *c = command_table; *c; c++) {
		assert_true(has(text, (*c)->name));
		for (const struct flag *f = (*c)->flags; f && f->name; f++)
			assert_true(has(text, f->name));
	}
	for (const struct detector *const *d = detector_table; *d; d++) {
		for (const struct rule *r = (*d)->rules; r->id; r++)
			assert_true(has(text, r->id));
		for (const struct option *o = (*d)->options; o && o->name; o++)
			assert_true(has(text, o->name));
	}
	for (const struct exporter *const *x = exporter_table; *x; x++)
		assert_true(has(text, (*x)->name));
	free(text);
}

static void only_known_requests_start_a_line(void **state)
{
	static const char *const known[] = {".TH ", ".SH ", ".SS ", ".PP", ".TP", ".B ", ".I "};
	char *text = printed(usage_manual);
	(void)state;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		bool ok = line[0] != '.' && line[0] != '\'';
		for (size_t i = 0; !ok && i < sizeof(known) / sizeof(known[0]); i++)
			ok = strncmp(line, known[i], strlen(known[i])) == 0;
		assert_true(ok);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_all_of_the_tables),
		cmocka_unit_test(only_known_requests_start_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
