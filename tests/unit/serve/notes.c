/* What clients can make the daemon's log say, and how much of it. */
#include "serve/notes.h"

#include "test.h"

#include <stdio.h>
#include <string.h>

static char last[512];
static size_t lines;

__attribute__((format(printf, 1, 2))) static void keep(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last, sizeof(last), format, args);
	va_end(args);
	lines++;
}

__attribute__((format(printf, 3, 4))) static void say(struct notes *n, uint64_t now_ns, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	notes_say(n, now_ns, format, args);
	va_end(args);
}

static void keeps_to_a_line(void **state)
{
	struct notes n = {.log = keep};
	(void)state;

	say(&n, 1, "refused %s: no token\n", "/x\ngapscope: all is well\033[31m\xff\x7f");
	assert_string_equal(last, "http: refused /x?gapscope: all is well?[31m??: no token");
	say(&n, 1, "%s", "");
	assert_string_equal(last, "http: ");
	say(&n, 1, "%s", "\r\n");
	assert_string_equal(last, "http: ");
}

static void is_bounded(void **state)
{
	struct notes n = {.log = keep};
	(void)state;

	lines = 0;
	for (unsigned int i = 0; i < 1000; i++)
		say(&n, 1 + i, "line %u", i);
	assert_int_equal(lines, NOTES_LINES);
	notes_tick(&n, NOTES_SPELL_NS);
	assert_int_equal(lines, NOTES_LINES);
	notes_tick(&n, NOTES_SPELL_NS + 1);
	assert_string_equal(last, "http: 980 more lines withheld");
	notes_tick(&n, NOTES_SPELL_NS * 9); /* there is nothing to say */
	assert_int_equal(lines, NOTES_LINES + 1);
	say(&n, NOTES_SPELL_NS * 9, "again");
	assert_string_equal(last, "http: again");
}

TEST_MAIN(cmocka_unit_test(keeps_to_a_line), cmocka_unit_test(is_bounded))
