/* The screen of `top`: what it says, cut to width and height. */
#include "commands/top_screen.h"

#include <stdbool.h>

#include "commands/unit.h"

static json_t *sample_services(json_int_t requests)
{
	json_t *list = json_array();

	for (int i = 0; i < 12; i++) {
		char name[24];

		snprintf(name, sizeof(name), "service-%d", i);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:{s:f, s:{s:{s:f}}}, s:{s:i, s:i, s:i}, s:I, s:i, s:i}",
						      "name", name, "state", "watching", "why", "", "score", "score", 54.4, "areas",
						      "retry", "score", 49.0, "findings", "critical", 1, "error", 2, "warning", 3,
						      "client_requests", requests, "server_requests", 7, "lost", 0));
		if (i > 2) /* of a file there is none */
			json_object_set_new(json_array_get(list, (size_t)i), "gate",
					    json_pack("{s:s}", "verdict", i == 3 ? "inconclusive" : "pass"));
	}
	return list;
}

static json_t *sample_report(void)
{
	return json_pack("{s:[{s:s, s:s, s:i, s:s, s:{s:s}}], s:{s:i, s:{s:[i,i], s:[i,i], s:[i,i]}}, s:{s:i, s:i, s:i, s:i}}",
			 "findings", "severity", "error", "rule", "retry.unbounded", "count", 21, "peer", "payments:443",
			 "call_site", "text", "call() at careless.c:34", "timeline", "step_s", 1, "server", "requests", 4, 8,
			 "errors", 0, 1, "p95_us", 900, 1500, "cost", "agent_cpu_ms", 10, "session_ms", 1000, "agent_memory_bytes",
			 20 << 20, "records", 99);
}

static char *screen(unsigned int columns, unsigned int rows, bool colour, size_t chosen)
{
	json_t *services = sample_services(30), *before = sample_services(10), *report = sample_report();
	const struct top_screen s = {.where = "here",
				     .services = services,
				     .before = before,
				     .seconds = 4,
				     .report = report,
				     .chosen = chosen,
				     .columns = columns,
				     .rows = rows,
				     .colour = colour,
				     .keys = rows != 0};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	top_screen_write(&s, out);
	fclose(out);
	json_decref(services);
	json_decref(before);
	json_decref(report);
	return text;
}

static size_t columns_of(const char *line)
{
	size_t n = 0;

	for (; *line; line++)
		n += ((unsigned char)*line & 0xc0) != 0x80;
	return n;
}

static void says_what_there_is(void **state)
{
	char *text = screen(120, 0, false, 3);
	(void)state;

	assert_non_null(strstr(text, "12 services"));
	assert_non_null(strstr(text, "> service-3 "));
	assert_non_null(strstr(text, "   54     1     2     3     5.0        37"));
	assert_non_null(strstr(text, "service-2         watching     -    54"));
	assert_non_null(strstr(text, "service-3         watching     ?    54"));
	assert_non_null(strstr(text, "service-4         watching  pass    54"));
	assert_non_null(strstr(text, "readiness  retry 49"));
	assert_non_null(strstr(text, "▄█ at most 8/s, 1 failed, p95 1.5 ms"));
	assert_non_null(strstr(text, "retry.unbounded"));
	assert_non_null(strstr(text, "payments:443  call() at careless.c:34"));
	assert_non_null(strstr(text, "1 % of a processor, 20 MiB; 99 records"));
	assert_null(strchr(text, '\033'));
	free(text);
}

static void fits_the_terminal(void **state)
{
	static const unsigned int sizes[][2] = {{80, 24}, {40, 10}, {20, 4}};
	(void)state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char *text = screen(sizes[i][0], sizes[i][1], false, 11);
		unsigned int lines = 0;

		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
			char *end = strstr(line, "\033[K");

			assert_non_null(end);
			*end = '\0';
			assert_true(columns_of(line) <= sizes[i][0]);
		}
		assert_true(lines < sizes[i][1]);
		free(text);
	}
}

static void the_chosen_one_is_in_sight(void **state)
{
	char *text = screen(80, 24, true, 11);
	(void)state;

	assert_non_null(strstr(text, "> service-11"));
	assert_null(strstr(text, "service-0 "));
	assert_non_null(strstr(text, "\033[1;31m  error"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_there_is),
		cmocka_unit_test(fits_the_terminal),
		cmocka_unit_test(the_chosen_one_is_in_sight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
