/* One report of several. */
#include "sample.h"

static const json_t *finding(const json_t *r, size_t i)
{
	return json_array_get(json_object_get(r, "findings"), i);
}

static void joins(void **state)
{
	(void)state;
	json_t *in[2] = {sample_report(), sample_report()};
	json_t *f = json_array_get(json_object_get(in[1], "findings"), 0);
	json_object_set_new(f, "last_seen", json_string("2030-01-01T00:00:00.000Z"));
	json_object_set_new(f, "first_seen", json_string("2000-01-01T00:00:00.000Z"));
	json_object_set_new(f, "confidence", json_string("proven"));
	json_object_set_new(f, "message", json_string("newer"));
	json_t *other = json_deep_copy(f);
	json_object_set_new(other, "fingerprint", json_string("ffffffffffffffff"));
	json_object_set_new(other, "severity", json_string("critical"));
	json_array_append_new(json_object_get(in[1], "findings"), other);
	json_array_append_new(json_object_get(in[1], "not_exercised"), json_string("resolve"));
	json_object_set_new(json_object_get(in[1], "limits"), "peers", json_integer(2));

	json_t *out = report_merge(in, 2);
	assert_int_equal(json_array_size(json_object_get(out, "findings")), 2);
	assert_string_equal(json_string_value(json_object_get(finding(out, 0), "severity")), "critical");
	const json_t *both = finding(out, 1);
	assert_int_equal(json_integer_value(json_object_get(both, "count")), 2);
	assert_string_equal(json_string_value(json_object_get(both, "confidence")), "proven");
	assert_string_equal(json_string_value(json_object_get(both, "message")), "newer");
	assert_string_equal(json_string_value(json_object_get(both, "first_seen")), "2000-01-01T00:00:00.000Z");
	assert_string_equal(json_string_value(json_object_get(both, "last_seen")), "2030-01-01T00:00:00.000Z");
	assert_int_equal(json_array_size(json_object_get(out, "not_exercised")), 2); /* "connect" once */
	assert_int_equal(json_integer_value(json_object_get(json_object_get(out, "loss"), "published")), 20);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(out, "limits"), "peers")), 2);
	/* the inputs are as they were */
	assert_int_equal(json_integer_value(json_object_get(finding(in[0], 0), "count")), 1);
	json_decref(out);
	json_decref(in[0]);
	json_decref(in[1]);
}

/* Rows of the same peer become one, and its sample keeps the shares of both. */
static void adds_traffic(void **state)
{
	(void)state;
	json_t *in[2] = {sample_report(), sample_report()};
	for (int r = 0; r < 2; r++) {
		json_t *sample = json_array();
		for (int i = 0; i < 400; i++)
			json_array_append_new(sample, json_integer(r * 1000 + i));
		json_object_set_new(in[r], "traffic",
				    json_pack("[{s:s, s:s, s:s, s:s, s:i, s:i, s:o}]", "direction", "server", "protocol", "http",
					      "peer", "", "operation", "GET", "requests", r == 0 ? 3000 : 1000, "errors", 5,
					      "duration_us", sample));
	}
	json_t *out = report_merge(in, 2), *rows = json_object_get(out, "traffic"), *value;
	assert_int_equal(json_array_size(rows), 1);
	const json_t *row = json_array_get(rows, 0), *sample = json_object_get(row, "duration_us");
	assert_int_equal(json_integer_value(json_object_get(row, "requests")), 4000);
	assert_int_equal(json_integer_value(json_object_get(row, "errors")), 10);
	assert_int_equal(json_array_size(sample), 400);
	size_t i, slow = 0;
	json_int_t last = 0;
	json_array_foreach (sample, i, value) {
		assert_true(json_integer_value(value) >= last);
		last = json_integer_value(value);
		slow += last >= 1000;
	}
	assert_int_equal(slow, 100);
	json_decref(out);
	json_decref(in[0]);
	json_decref(in[1]);
}

static void one_is_itself(void **state)
{
	(void)state;
	json_t *in = sample_report(), *out = report_merge(&in, 1);
	assert_true(json_equal(in, out));
	assert_null(report_merge(&in, 0));
	json_decref(in);
	json_decref(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(joins), cmocka_unit_test(adds_traffic),
					   cmocka_unit_test(one_is_itself)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
