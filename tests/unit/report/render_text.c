/* The report for people: verdict first, everything a reader needs, colour only when asked for. */
#include <stdlib.h>

#include "sample.h"

#include "report/render.h"

static void says_all(void **state)
{
	(void)state;
	static const char *const parts[] = {"shop: 1 finding (1 error)\n",
					    "deadline.response.missing",
					    "suspected, seen 1×",
					    "a <b> & \"c\" waits",
					    "payments:443",
					    "GET /charge",
					    "charge",
					    "attempts 25; gaps_ms 12, 11",
					    "set a read timeout",
					    "records read 10, lost 0",
					    "not exercised: connect"};
	json_t *r = sample_report();
	char *text = render_text(r, false);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (strstr(text, parts[i]) == NULL)
			fail_msg("no \"%s\" in:\n%s", parts[i], text);
	assert_int_equal(strncmp(text, "shop:", 5), 0);
	assert_null(strchr(text, '\033'));
	assert_null(strstr(text, " \n"));
	free(text);
	text = render_text(r, true);
	assert_non_null(strstr(text, "\033[1;31merror\033[0m"));
	free(text);
	json_decref(r);
}

static void tells_losses_limits_and_bounds(void **state)
{
	(void)state;
	struct counters c = {.published = 1, .lost = {[WIRE_LOSS_RING_FULL] = 7}, .limit = {[LIMIT_REACHED_PEERS] = 2}};
	json_t *r = report_new(json_pack("{s:s}", "name", "shop"));
	json_object_set_new(r, "loss", report_loss(&c));
	json_object_set_new(r, "limits", report_limits(&c));
	json_array_append_new(json_object_get(r, "deadlines"),
			      json_pack("{s:s, s:s, s:{s:{s:s, s:f}, s:{s:s, s:n}}, s:s}", "peer", "payments:443", "protocol",
					"http", "phase", "connect", "bound", "finite", "seconds", 3.0, "response", "bound", "none",
					"seconds", "verdict", "connect-only"));
	json_array_append_new(json_object_get(r, "deadlines"),
			      json_pack("{s:s, s:s, s:{s:{s:s, s:f}, s:{s:s, s:n}}, s:s}", "peer", "db:5432", "protocol", "unknown",
					"phase", "connect", "bound", "kernel", "seconds", 134.0, "response", "bound", "unknown",
					"seconds", "verdict", "undecided"));
	json_array_append_new(json_object_get(r, "retries"),
			      json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "peer", "payments:443", "operation", "GET /", "class",
					"bounded", "max_attempts", 3, "backoff", "none", "jitter", "no"));
	char *text = render_text(r, false);
	assert_non_null(strstr(text, "shop: no findings\n"));
	assert_non_null(strstr(text, "lost 7: ring_full 7\n"));
	assert_non_null(strstr(text, "their numbers are the least that there were\n"));
	assert_non_null(strstr(text, "limits reached: peers 2\n"));
	assert_non_null(strstr(text, "connect 3 s, response none"));
	assert_non_null(strstr(text, "connect-only"));
	assert_non_null(strstr(text, "connect ~134 s (the kernel's), response not known"));
	assert_non_null(strstr(text, "at most 3 attempts, backoff none, jitter no"));
	free(text);
	json_decref(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(says_all), cmocka_unit_test(tells_losses_limits_and_bounds)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
