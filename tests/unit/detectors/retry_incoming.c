/*
 * The service's side: which incoming requests repeat others, retry storms, and what one call costs across layers.
 */
#include "detectors/detectors.h"
#include "detectors/retry.h"
#include "detectors/rig.h"

static void start(struct rig *r)
{
	rig_init(r, &retry_detector);
	r->s.stack = rig_stack(r, "serve", "shop");
	script_socket(&r->s, 3);
	script_listen(&r->s, 3, 8080);
}

/* One incoming request on a connection of its own, answered after 1 ms. */
static void served(struct rig *r, const char *from, const char *path, bool good)
{
	char request[256];

	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: shop\r\n\r\n", path);
	script_accept(&r->s, 3, 7, from, 40000);
	script_read(&r->s, 7, request);
	script_took(&r->s, SCRIPT_MSEC);
	script_write(&r->s, 7, good ? RIG_200 : RIG_503);
	script_close(&r->s, 7);
}

/* Three repetitions of one that failed; another client's and another path's are none, nor is what comes after success. */
static void test_repetitions(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	for (int i = 0; i < 4; i++) {
		served(&r, "10.0.0.1", "/a", i == 3);
		script_pass(&r.s, 100 * SCRIPT_MSEC);
	}
	served(&r, "10.0.0.1", "/a", false);
	served(&r, "10.0.0.2", "/b", false);
	served(&r, "10.0.0.3", "/b", false);
	served(&r, "10.0.0.2", "/c", false);
	assert_int_equal(r.s.counters.retries_in, 3);
	assert_int_equal(r.s.counters.requests_in_good, 1);
	assert_int_equal(r.s.counters.requests_in_failed, 7);
	assert_int_equal(r.s.counters.retries_out, 0);
	rig_finish(&r);
	assert_null(rig_found(&r, "retry.storm"));
	rig_done(&r);
}

/* A load generator sends at one pace whether it is answered well or not. */
static void test_steady_load(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	for (int i = 0; i < 3000; i++) {
		served(&r, "10.0.0.1", "/a", i % 3);
		script_pass(&r.s, 10 * SCRIPT_MSEC);
	}
	assert_true(r.s.counters.retries_in <= 1);
	rig_finish(&r);
	assert_null(rig_found(&r, "retry.storm"));
	rig_done(&r);
}

static void client(char *buf, size_t size, int n)
{
	snprintf(buf, size, "10.0.%d.%d", n / 200, n % 200 + 1);
}

/* Fifty clients a second; from the tenth second on each is refused and comes back twice. Without repetitions it is no storm. */
static void storm(bool repeated, bool found)
{
	struct rig r;
	int n = 0;

	start(&r);
	for (int second = 0; second < 20; second++) {
		for (int i = 0; i < 50; i++, n++) {
			char from[32], path[32];
			client(from, sizeof from, n);
			snprintf(path, sizeof path, "/order/%d", n);
			for (int k = 0; k < (second >= 10 && repeated ? 3 : 1); k++) {
				served(&r, from, path, second < 10);
				script_pass(&r.s, 2 * SCRIPT_MSEC);
			}
		}
		script_pass(&r.s, (second >= 10 && repeated ? 550U : 850U) * SCRIPT_MSEC);
		script_tick(&r.s);
	}
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, "retry.storm");
	assert_int_equal(f != NULL, found);
	assert_int_equal(r.s.counters.retries_in, repeated ? 1000 : 0);
	if (f) {
		assert_int_equal(f->severity, SEVERITY_ERROR);
		assert_true(json_integer_value(json_object_get(f->evidence, "good_after")) <
			    json_integer_value(json_object_get(f->evidence, "good_before")));
	}
	rig_done(&r);
}

static void test_storm(void **state)
{
	(void)state;
	storm(true, true);
	storm(false, false);
}

/* `rounds` times the caller repeats, and the service tries `tries` times below for each. */
static void layers(int rounds, int tries, bool found)
{
	struct rig r;

	start(&r);
	for (int i = 0; i < rounds; i++) {
		script_accept(&r.s, 3, 7, "10.0.0.1", 40000);
		script_read(&r.s, 7, "GET /checkout HTTP/1.1\r\nHost: shop\r\n\r\n");
		for (int k = 0; k < tries; k++) {
			script_socket(&r.s, 9);
			script_connect(&r.s, 9, "10.0.0.9", 443, 0);
			script_write(&r.s, 9, RIG_GET);
			script_read(&r.s, 9, RIG_503);
			script_close(&r.s, 9);
			script_pass(&r.s, (uint64_t)(70 << k) * SCRIPT_MSEC);
		}
		script_write(&r.s, 7, RIG_503);
		script_close(&r.s, 7);
		script_pass(&r.s, 300 * SCRIPT_MSEC);
	}
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, "retry.amplification");
	assert_int_equal(f != NULL, found);
	if (f)
		assert_int_equal(json_integer_value(json_object_get(f->evidence, "attempts_of_one_call")), rounds * tries);
	rig_done(&r);
}

static void test_layers(void **state)
{
	(void)state;
	layers(3, 4, true);
	layers(1, 12, false);
	layers(3, 1, false);
}

#define TRACE(n) "traceparent: 00-0af7651916cd43dd8448eb211c80319" #n "-b7ad6b7169203331-01\r\n"
#define BELOW(n) "traceparent: 00-0af7651916cd43dd8448eb211c80319" #n "-00f067aa0ba902b7-01\r\n"

static void hop(struct rig *r, int out, const char *request)
{
	script_socket(&r->s, out);
	script_connect(&r->s, out, "10.0.0.9", 443, 0);
	script_write(&r->s, out, request);
	script_read(&r->s, out, RIG_503);
	script_close(&r->s, out);
}

/* An event loop serves two calls at once, on one thread; both are repeated by many gateways, and only their traces tell them apart. */
static void test_layers_by_trace(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	for (int round = 0; round < 3; round++) {
		char from[2][32];
		snprintf(from[0], sizeof from[0], "10.0.1.%d", round + 1);
		snprintf(from[1], sizeof from[1], "10.0.2.%d", round + 1);
		script_accept(&r.s, 3, 7, from[0], 40000);
		script_read(&r.s, 7, "GET /checkout HTTP/1.1\r\nHost: shop\r\n" TRACE(1) "\r\n");
		script_accept(&r.s, 3, 8, from[1], 40001);
		script_read(&r.s, 8, "GET /checkout HTTP/1.1\r\nHost: shop\r\n" TRACE(2) "\r\n");
		for (int k = 0; k < 4; k++) {
			hop(&r, 9, "GET /stock/1 HTTP/1.1\r\nHost: p\r\n" BELOW(1) "\r\n");
			if (!k)
				hop(&r, 9, "GET /stock/2 HTTP/1.1\r\nHost: p\r\n" BELOW(2) "\r\n");
			script_pass(&r.s, (uint64_t)(70 << k) * SCRIPT_MSEC);
		}
		script_write(&r.s, 7, RIG_503);
		script_close(&r.s, 7);
		script_write(&r.s, 8, RIG_503);
		script_close(&r.s, 8);
		script_pass(&r.s, 300 * SCRIPT_MSEC);
	}
	assert_int_equal(r.s.counters.retries_in, 4);
	rig_finish(&r);
	size_t told = 0;
	for (size_t i = 0; i < r.found_n; i++) {
		if (strcmp(r.found[i].rule, "retry.amplification") != 0)
			continue;
		told++;
		assert_string_equal(r.found[i].operation, "GET /stock/1");
		assert_int_equal(json_integer_value(json_object_get(r.found[i].evidence, "attempts_of_one_call")), 12);
	}
	assert_int_equal(told, 1);
	rig_done(&r);
}

/* Its caller has its answer: the attempts are over, though the service lives on. */
static void test_attempts_end_with_the_call(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_accept(&r.s, 3, 7, "10.0.1.1", 40000);
	script_read(&r.s, 7, "GET /checkout HTTP/1.1\r\nHost: shop\r\n\r\n");
	for (int k = 0; k < 3; k++) {
		hop(&r, 9, "GET /stock HTTP/1.1\r\nHost: p\r\n\r\n");
		script_pass(&r.s, 100 * SCRIPT_MSEC);
	}
	script_write(&r.s, 7, RIG_503);
	rig_finish(&r);
	const json_t *row = json_array_get(r.section, json_array_size(r.section) - 1);
	assert_string_equal(json_string_value(json_object_get(row, "operation")), "GET /stock");
	assert_string_equal(json_string_value(json_object_get(row, "class")), "bounded");
	assert_int_equal(json_integer_value(json_object_get(row, "bound")), 3);
	assert_int_equal(json_integer_value(json_object_get(row, "gave_up")), 1);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repetitions),     cmocka_unit_test(test_steady_load),
		cmocka_unit_test(test_storm),           cmocka_unit_test(test_layers),
		cmocka_unit_test(test_layers_by_trace), cmocka_unit_test(test_attempts_end_with_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
