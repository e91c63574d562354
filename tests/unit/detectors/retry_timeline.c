/*
 * Sequences as lines of text.
 */
#include "detectors/retry.h"
#include "detectors/rig.h"

#define MS(n) ((n)*NS_PER_MS)

static void test_lines(void **state)
{
	const struct {
		struct retry_line line;
		const char *text;
	} rows[] = {
		{{.attempts = 7, .gaps_n = 6, .span_ns = MS(900), .gaps = {0, MS(41), MS(42), MS(40), MS(41), MS(43)}},
		 "7 attempts in 0.9 s: 0, 41, 42, 40, 41, 43 ms, never gave up"},
		{{.attempts = 9, .gaps_n = 8, .span_ns = MS(900), .gaps = {1, 2, 3, 4, 5, 6}, .outcome = RETRY_GAVE_UP},
		 "9 attempts in 0.9 s: 0, 0, 0, 0, 0, 0 ms …, gave up"},
		{{.attempts = 3, .gaps_n = 2, .span_ns = MS(36000), .gaps = {MS(5000), MS(30000)}, .outcome = RETRY_RECOVERED},
		 "3 attempts in 36.0 s: 5.0, 30.0 s, ended well"},
		{{.attempts = 1, .span_ns = MS(10)}, "1 attempts in 0.0 s, never gave up"},
	};
	char buf[256], tiny[12];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(retry_timeline(&rows[i].line, buf, sizeof buf), rows[i].text);
	assert_string_equal(retry_timeline(&rows[0].line, tiny, sizeof tiny), "7 attempts ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
