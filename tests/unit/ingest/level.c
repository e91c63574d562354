/* level.c: levels as real loggers write them, and words that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/level.h"

static void levels_are_found(void **state)
{
	static const struct {
		const char *line, *level;
	} cases[] = {
		{"2024-01-02 03:04:05,678 ERROR [main] c.a.Pay - failed", "ERROR"},
		{"[2024-01-02] local.WARNING: slow", "WARN"},
		{"level=info ts=2024 msg=\"an error occurred\"", "INFO"},
		{"{\"severity\":\"DEBUG\",\"message\":\"INFO\"}", "DEBUG"},
		{"{\"level\":\"warn\"}", "WARN"},
		{"2024/01/02 [error] 31#31: *1 connect() failed", "ERROR"},
		{"warning: something", "WARN"},
		{"FATAL:  password authentication failed", "FATAL"},
		{"<crit> x", "CRITICAL"},
		{"{\"level\":40,\"time\":1,\"msg\":\"declined\"}", "WARN"},
		{"{\"time\":1,\"level\":60}", "FATAL"},
		{"{\"level\":400,\"msg\":\"x\"}", ""},
		{"{\"level\":4", ""},
		{"\x1b[2m2024-01-02\x1b[0m [\x1b[33m\x1b[1mwarning  \x1b[0m] \x1b[1mdeclined\x1b[0m", "WARN"},
		{"2024-01-02\t\x1b[34mINFO\x1b[0m\tpaid", "INFO"},
		{"\x1b[1mpaid\x1b[0m without error", ""},
		{"\x1b[33", ""},
		{"\x1b\x1b\x1b ERROR x", "ERROR"},
		{"W1122 15:04:05.123456 7 main.go:1] slow", "WARN"},
		{"F1122 gone", ""},
		{"[15:04:05 WRN] slow", "WARN"},
		{"", ""},
		{"there was an error in the info desk", ""},
		{"ERROR_CODE 17", ""},
		{"X1ERROR is a name", ""},
		{"MYERROR MISINFO", ""},
		{"user logged in", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(level_of((const uint8_t *)cases[i].line, strlen(cases[i].line)), cases[i].level);
}

static void only_the_beginning_is_looked_at(void **state)
{
	char line[1000];

	(void)state;
	memset(line, '.', sizeof(line));
	memcpy(line + 900, " ERROR ", 7);
	assert_string_equal(level_of((const uint8_t *)line, sizeof(line)), "");
	memcpy(line + 100, " ERROR ", 7);
	assert_string_equal(level_of((const uint8_t *)line, sizeof(line)), "ERROR");
}

static void syslog_has_numbers(void **state)
{
	(void)state;
	assert_string_equal(level_of_priority(0), "EMERGENCY");
	assert_string_equal(level_of_priority(3), "ERROR");
	assert_string_equal(level_of_priority(7), "DEBUG");
	assert_string_equal(level_of_priority(8), "");
}

static void of_a_journal_entry(void **state)
{
	static const char fields[] = "MESSAGE=x PRIORITY=1\nPRIORITY=3\nCODE_LINE=7\n",
			  none[] = "MESSAGE=x\nMY_PRIORITY=3\nPRIORITY=";

	(void)state;
	assert_string_equal(level_of_fields((const uint8_t *)fields, sizeof(fields) - 1), "ERROR");
	assert_string_equal(level_of_fields((const uint8_t *)none, sizeof(none) - 1), "");
	assert_string_equal(level_of_fields((const uint8_t *)"", 0), "");
}

static void of_a_syslog_datagram(void **state)
{
	(void)state;
	assert_string_equal(level_of((const uint8_t *)"<11>card declined", 17), "ERROR");
	assert_string_equal(level_of((const uint8_t *)"<164>1 2026-11-21 x", 19), "WARN");
	assert_string_equal(level_of((const uint8_t *)"<11", 3), "");
	assert_string_equal(level_of((const uint8_t *)"<1100>x", 7), "");
	assert_string_equal(level_of((const uint8_t *)"<b>x", 4), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_are_found),     cmocka_unit_test(only_the_beginning_is_looked_at),
		cmocka_unit_test(syslog_has_numbers),   cmocka_unit_test(of_a_journal_entry),
		cmocka_unit_test(of_a_syslog_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
