/* Requests over time: each in its step, quantiles, and steps that grow when time does. */
#include "sample.h"

#include "report/timeline.h"

#define SECOND 1000000000ULL
#define START (1000 * SECOND)

static struct request request(bool server, double at_s, uint64_t us, unsigned int status)
{
	const uint64_t end = START + (uint64_t)(at_s * 1e9);
	return (struct request){
		.server = server, .status = (uint16_t)status, .end = REQUEST_DONE, .t_start = end - us * 1000, .t_end = end};
}

static json_int_t at(const json_t *line, const char *direction, const char *key, size_t i)
{
	const json_t *list = json_object_get(json_object_get(line, direction), key);
	assert_true(i < json_array_size(list));
	return json_integer_value(json_array_get(list, i));
}

static void each_in_its_step(void **state)
{
	(void)state;
	struct timeline *t = timeline_new();
	struct request r[] = {request(true, 0.5, 100, 200), request(true, 2.1, 100, 500), request(false, 2.2, 1000, 200),
			      request(true, 2.3, 100000, 200), request(true, 2.4, 100, 200)};
	for (size_t i = 0; i < sizeof r / sizeof *r; i++)
		timeline_request(t, &r[i]);
	r[0].end = REQUEST_PENDING;
	timeline_request(t, &r[0]);
	json_t *line = timeline_json(t, START + 3 * SECOND + 1);
	assert_int_equal(json_integer_value(json_object_get(line, "step_s")), 1);
	assert_int_equal(json_array_size(json_object_get(json_object_get(line, "server"), "requests")), 4);
	assert_int_equal(at(line, "server", "requests", 0), 1);
	assert_int_equal(at(line, "server", "requests", 2), 3);
	assert_int_equal(at(line, "server", "errors", 2), 1);
	assert_int_equal(at(line, "client", "requests", 2), 1);
	assert_in_range(at(line, "server", "p50_us", 2), 80, 120);
	assert_in_range(at(line, "server", "p95_us", 2), 80000, 120000);
	assert_true(json_is_null(json_array_get(json_object_get(json_object_get(line, "server"), "p50_us"), 1)));
	json_decref(line);
	timeline_free(t);
}

static void steps_grow(void **state)
{
	(void)state;
	struct timeline *t = timeline_new();
	for (unsigned int s = 0; s < 1000; s++) {
		struct request r = request(false, s, 50, 200);
		timeline_request(t, &r);
	}
	json_t *line = timeline_json(t, START + 1000 * SECOND);
	json_int_t sum = 0;
	size_t n = json_array_size(json_object_get(json_object_get(line, "client"), "requests"));
	for (size_t i = 0; i < n; i++)
		sum += at(line, "client", "requests", i);
	assert_int_equal(json_integer_value(json_object_get(line, "step_s")), 16);
	assert_int_equal(sum, 1000);
	assert_true(n <= TIMELINE_STEPS);
	json_decref(line);
	timeline_free(t);
}

static void nothing_is_a_line_too(void **state)
{
	(void)state;
	struct timeline *t = timeline_new();
	json_t *line = timeline_json(t, START);
	assert_int_equal(json_array_size(json_object_get(json_object_get(line, "client"), "requests")), 0);
	json_decref(line);
	timeline_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_in_its_step), cmocka_unit_test(steps_grow),
					   cmocka_unit_test(nothing_is_a_line_too)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
