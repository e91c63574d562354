/*
 * What the deadline detector says: the fixed JSON, verdicts, remedies, order, and that the same events say the same.
 */
#include "detectors/detectors.h"
#include "detectors/rig.h"

static void talk(struct rig *r, int fd, const char *address, uint64_t limit)
{
	script_socket(&r->s, fd);
	script_rcvtimeo(&r->s, fd, limit);
	script_connect(&r->s, fd, address, 443, 0);
	script_write(&r->s, fd, RIG_GET);
	script_read(&r->s, fd, RIG_200);
	script_close(&r->s, fd);
}

static void test_json_is_as_fixed(void **state)
{
	static const char *const phases[] = {"connect", "response", "body", "total"};
	struct rig r;

	(void)state;
	rig_init(&r, &deadline_detector);
	talk(&r, 5, "10.0.0.9", 0);
	rig_finish(&r);
	json_t *row = json_array_get(r.section, 0);
	assert_int_equal(json_object_size(row), 5);
	assert_true(json_is_string(json_object_get(row, "peer")) && json_is_string(json_object_get(row, "protocol")));
	assert_true(json_is_string(json_object_get(row, "verdict")) && json_is_string(json_object_get(row, "call_site")));
	assert_int_equal(json_object_size(json_object_get(row, "phase")), 4);
	for (size_t i = 0; i < 4; i++) {
		json_t *b = json_object_get(json_object_get(row, "phase"), phases[i]);
		assert_int_equal(json_object_size(b), 4);
		assert_true(json_is_string(json_object_get(b, "bound")));
		assert_true(json_is_string(json_object_get(b, "confidence")));
		assert_true(json_is_string(json_object_get(b, "evidence")));
		assert_non_null(json_object_get(b, "seconds"));
	}
	assert_true(json_is_null(json_object_get(json_object_get(json_object_get(row, "phase"), "response"), "seconds")));
	rig_done(&r);
}

static char *dump(void)
{
	static const char *const addresses[] = {"10.0.0.9", "10.0.0.1", "10.0.0.5"};
	struct rig r;

	rig_init(&r, &deadline_detector);
	for (int i = 0; i < 3; i++)
		talk(&r, 5 + i, addresses[i], (uint64_t)i * 3 * SCRIPT_SEC);
	rig_finish(&r);
	assert_string_equal(rig_text(&r, 0, "peer", NULL), "10.0.0.1:443");
	assert_string_equal(rig_text(&r, 1, "peer", NULL), "10.0.0.5:443");
	assert_string_equal(rig_text(&r, 2, "peer", NULL), "10.0.0.9:443");
	char *text = json_dumps(r.section, JSON_SORT_KEYS);
	rig_done(&r);
	return text;
}

static void test_order_and_determinism(void **state)
{
	char *first = dump(), *second = dump();

	(void)state;
	assert_non_null(first);
	assert_string_equal(first, second);
	free(first);
	free(second);
}

static void test_report_while_running(void **state)
{
	struct rig r;
	json_t *texts = json_array();

	(void)state;
	rig_init(&r, &deadline_detector);
	talk(&r, 5, "10.0.0.9", 0);
	json_t *section = r.detector->report(r.state, texts);
	assert_int_equal(json_array_size(section), 1);
	json_decref(section);
	json_decref(texts);
	rig_finish(&r);
	assert_int_equal(json_array_size(r.section), 1);
	rig_done(&r);
}

/* A finding for each call site, each with its own count. */
static void test_a_finding_per_call_site(void **state)
{
	struct rig r;
	size_t n = 0;

	(void)state;
	rig_init(&r, &deadline_detector);
	r.s.stack = rig_stack(&r, "charge", "shop");
	talk(&r, 5, "10.0.0.9", 0);
	r.s.stack = rig_stack(&r, "refund", "shop");
	talk(&r, 5, "10.0.0.9", 0);
	talk(&r, 5, "10.0.0.9", 0);
	rig_finish(&r);
	for (size_t i = 0; i < r.found_n; i++) {
		if (strcmp(r.found[i].rule, "deadline.response.missing") != 0)
			continue;
		n++;
		assert_int_equal(r.found[i].count, strstr(r.found[i].message, "refund") ? 2 : 1);
	}
	assert_int_equal(n, 2);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_is_as_fixed),
		cmocka_unit_test(test_order_and_determinism),
		cmocka_unit_test(test_report_while_running),
		cmocka_unit_test(test_a_finding_per_call_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
