/* What the report says of traffic. */
#include "sample.h"

#include "protocols/protocol.h"
#include "report/traffic.h"

static const struct protocol http = {.name = "http"};

static struct request request(bool server, uint64_t us)
{
	return (struct request){.server = server,
				.protocol = &http,
				.method = "GET",
				.host = "payments:8080",
				.status = 200,
				.end = REQUEST_DONE,
				.t_start = 1000,
				.t_end = 1000 + us * 1000};
}

static json_int_t number(const json_t *rows, size_t i, const char *key)
{
	return json_integer_value(json_object_get(json_array_get(rows, i), key));
}

static void rows(void **state)
{
	(void)state;
	struct counters counters = {0};
	struct traffic *t = traffic_new(1, &counters);
	struct request in = request(true, 30), out = request(false, 500), failed = request(false, 100), pending = request(true, 1);
	struct conn conn = {.peer = "10.0.0.7:8080"};
	out.conn = failed.conn = &conn;
	failed.status = 503;
	pending.end = REQUEST_PENDING;
	traffic_request(t, &in);
	traffic_request(t, &out);
	traffic_request(t, &failed);
	traffic_request(t, &pending);
	json_t *json = traffic_json(t);
	assert_int_equal(json_array_size(json), 2);
	assert_int_equal(number(json, 0, "requests"), 2);
	assert_int_equal(number(json, 0, "errors"), 1);
	const json_t *client = json_array_get(json, 0), *sample = json_object_get(client, "duration_us");
	assert_string_equal(json_string_value(json_object_get(client, "peer")), "payments:8080");
	assert_string_equal(json_string_value(json_object_get(client, "connection")), "10.0.0.7:8080");
	assert_int_equal(json_integer_value(json_array_get(sample, 0)), 100);
	assert_int_equal(json_integer_value(json_array_get(sample, 1)), 500);
	assert_int_equal(number(json, 1, "requests"), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json, 1), "peer")), "");
	json_decref(json);
	traffic_free(t);
}

/* Every request has the same chance: the mean of the sample is that of all, within four standard errors. */
static void fair_sample(void **state)
{
	(void)state;
	enum { ALL = 100000 };
	struct counters counters = {0};
	struct traffic *t = traffic_new(7, &counters);
	for (uint64_t i = 0; i < ALL; i++) {
		struct request r = request(true, i);
		traffic_request(t, &r);
	}
	json_t *json = traffic_json(t), *value;
	const json_t *sample = json_object_get(json_array_get(json, 0), "duration_us");
	double sum = 0;
	size_t i;
	assert_int_equal(json_array_size(sample), TRAFFIC_SAMPLE);
	json_array_foreach (sample, i, value)
		sum += (double)json_integer_value(value);
	const double mean = sum / TRAFFIC_SAMPLE, error = ALL / 3.4641 / 20.0; /* of a uniform distribution, sqrt(400) */
	assert_true(mean > ALL / 2.0 - 4 * error && mean < ALL / 2.0 + 4 * error);
	json_decref(json);
	traffic_free(t);
}

static void bounded(void **state)
{
	(void)state;
	struct counters counters = {0};
	struct traffic *t = traffic_new(7, &counters);
	for (unsigned int i = 0; i < TRAFFIC_ROWS * 2; i++) {
		struct request r = request(false, 1);
		snprintf(r.host, sizeof r.host, "host%u:80", i);
		traffic_request(t, &r);
	}
	json_t *json = traffic_json(t);
	json_int_t sum = 0;
	assert_int_equal(json_array_size(json), TRAFFIC_ROWS + 1);
	for (size_t i = 0; i < json_array_size(json); i++)
		sum += number(json, i, "requests");
	assert_int_equal(sum, TRAFFIC_ROWS * 2);
	assert_int_equal(counters.limit[LIMIT_REACHED_SERIES], TRAFFIC_ROWS);
	json_decref(json);
	traffic_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(fair_sample), cmocka_unit_test(bounded)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
