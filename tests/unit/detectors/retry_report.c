/*
 * What the retry detector says: the fixed JSON, order, counts that add up over ticks.
 */
#include "detectors/detectors.h"
#include "detectors/rig.h"

static void start(struct rig *r)
{
	rig_init(r, &retry_detector);
	r->s.stack = rig_stack(r, "charge", "shop");
	script_socket(&r->s, 5);
	script_connect(&r->s, 5, "10.0.0.9", 443, 0);
}

static void exchange(struct rig *r, const char *path, const char *answer)
{
	char request[256];

	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
	script_write(&r->s, 5, request);
	script_read(&r->s, 5, answer);
}

static void test_json_is_as_fixed(void **state)
{
	static const char *const texts[] = {"peer", "operation", "class", "backoff", "jitter", "call_site"};
	static const char *const numbers[] = {"sequences", "max_attempts", "retry_ratio", "gave_up"};
	struct rig r;

	(void)state;
	start(&r);
	exchange(&r, "/b?secret=1", RIG_503);
	exchange(&r, "/a", RIG_503);
	exchange(&r, "/fine", RIG_200);
	rig_finish(&r);
	assert_int_equal(json_array_size(r.section), 2);
	json_t *row = json_array_get(r.section, 0);
	assert_int_equal(json_object_size(row), 11);
	for (size_t i = 0; i < 6; i++)
		assert_true(json_is_string(json_object_get(row, texts[i])));
	for (size_t i = 0; i < 4; i++)
		assert_true(json_is_number(json_object_get(row, numbers[i])));
	assert_non_null(json_object_get(row, "bound"));
	assert_string_equal(rig_text(&r, 0, "operation", NULL), "GET /a");
	assert_string_equal(rig_text(&r, 1, "operation", NULL), "GET /b");
	assert_string_equal(rig_text(&r, 0, "call_site", NULL), "charge() in shop");
	rig_done(&r);
}

/* Findings come with the next tick, and their counts add up to what happened. */
static void test_counts_over_ticks(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	for (int i = 0; i < 30; i++) {
		exchange(&r, "/a", RIG_503);
		if (i % 7 == 0)
			script_tick(&r.s);
	}
	script_tick(&r.s);
	const struct rig_finding *f = rig_found(&r, "retry.no_backoff");
	assert_non_null(f);
	assert_int_equal(f->count, 20); /* from the tenth gap on */
	f = rig_found(&r, "retry.unbounded");
	assert_non_null(f);
	assert_int_equal(f->count, 10); /* from the 21st attempt on */
	assert_non_null(strstr(f->message, "30 failed attempts in a row"));
	rig_finish(&r);
	assert_int_equal(rig_found(&r, "retry.unbounded")->count, 10);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_json_is_as_fixed), cmocka_unit_test(test_counts_over_ticks)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
