/* The report's object and its check. */
#include "sample.h"

static void has_every_section(void **state)
{
	(void)state;
	char err[256];
	json_t *r = sample_report();
	assert_true(report_check(r, err, sizeof err));
	const json_t *loss = json_object_get(r, "loss");
	assert_int_equal(json_integer_value(json_object_get(loss, "published")), 10);
	assert_int_equal(json_object_size(json_object_get(loss, "by_cause")), WIRE_LOSS_CAUSES - 1);
	assert_int_equal(report_count(r, "error"), 1);
	assert_int_equal(report_count(r, "critical"), 0);
	json_decref(r);
}

static void sums_up(void **state)
{
	(void)state;
	struct counters c = {.lost = {[WIRE_LOSS_RING_FULL] = 2, [WIRE_LOSS_NESTED] = 3, [WIRE_LOSS_ASIDE] = 7},
			     .limit = {[LIMIT_REACHED_PEERS] = 4}};
	json_t *loss = report_loss(&c), *limits = report_limits(&c);
	assert_int_equal(json_integer_value(json_object_get(loss, "lost")), 5);
	assert_int_equal(json_integer_value(json_object_get(loss, "aside")), 7);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(loss, "by_cause"), "ring_full")), 2);
	assert_int_equal(json_object_size(limits), 1);
	assert_int_equal(json_integer_value(json_object_get(limits, "peers")), 4);
	json_decref(loss);
	json_decref(limits);
}

static void refuses(const char *change, const char *why)
{
	char err[256] = "";
	json_t *r = sample_report(), *patch = json_loads(change, 0, NULL);
	const char *key;
	json_t *value;
	assert_non_null(patch);
	json_object_foreach (patch, key, value) {
		if (json_is_null(value))
			json_object_del(r, key);
		else
			json_object_set(r, key, value);
	}
	assert_false(report_check(r, err, sizeof err));
	assert_non_null(strstr(err, why));
	json_decref(patch);
	json_decref(r);
}

static void refuses_what_is_no_report(void **state)
{
	(void)state;
	char err[256];
	refuses("{\"schema\":\"gapscope.report/9\"}", "gapscope.report/9");
	refuses("{\"schema\":null}", "absent");
	refuses("{\"service\":5}", "service");
	refuses("{\"findings\":{}}", "findings");
	refuses("{\"retries\":null}", "retries");
	refuses("{\"findings\":[{}]}", "findings[0]");
	refuses("{\"findings\":[5]}", "findings[0]");
	refuses("{\"findings\":[{\"rule\":\"r\",\"severity\":\"error\",\"confidence\":\"observed\",\"peer\":\"\",\"operation\":"
		"\"\","
		"\"fingerprint\":\"f\",\"remedy\":\"m\",\"count\":-1}]}",
		"count");
	json_t *list = json_array();
	assert_false(report_check(list, err, sizeof err));
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(has_every_section), cmocka_unit_test(sums_up),
					   cmocka_unit_test(refuses_what_is_no_report)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
