/*
 * A caller that says how long it waits, and what bounds the call that is made for it.
 */
#include <inttypes.h>

#include "detectors/detectors.h"
#include "detectors/rig.h"

static const struct {
	const char *stated;
	uint64_t limit_ns; /* SO_RCVTIMEO of the call, 0 = none */
	uint64_t spent_ns; /* before the call */
	bool inversion, budget;
} rows[] = {
	{"", 5 * SCRIPT_SEC, 0, false, false},
	{"x-envoy-expected-rq-timeout-ms: 2000\r\n", 5 * SCRIPT_SEC, 0, true, true},
	{"x-envoy-expected-rq-timeout-ms: 6000\r\n", 5 * SCRIPT_SEC, 0, false, false},
	{"x-envoy-expected-rq-timeout-ms: 6000\r\n", 5 * SCRIPT_SEC, 2 * SCRIPT_SEC, true, true},
	{"grpc-timeout: 2S\r\n", 5 * SCRIPT_SEC, 0, true, true},
	{"grpc-timeout: 1M\r\n", 5 * SCRIPT_SEC, 0, false, false},
	{"grpc-timeout: 2S\r\n", 0, 0, true, false},
	{"grpc-timeout: soon\r\n", 0, 0, false, false},
};

static void test_stated(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig r;
		char request[256];
		rig_init(&r, &deadline_detector);
		r.s.stack = rig_stack(&r, "checkout", "shop");
		script_socket(&r.s, 3);
		script_listen(&r.s, 3, 8080);
		script_accept(&r.s, 3, 4, "10.0.0.1", 50000);
		snprintf(request, sizeof request, "GET /checkout HTTP/1.1\r\nHost: shop\r\n%s\r\n", rows[i].stated);
		script_read(&r.s, 4, request);
		script_pass(&r.s, rows[i].spent_ns);
		script_socket(&r.s, 5);
		script_sndtimeo(&r.s, 5, SCRIPT_SEC * 2);
		if (rows[i].limit_ns)
			script_rcvtimeo(&r.s, 5, rows[i].limit_ns);
		script_connect(&r.s, 5, "10.0.0.9", 443, 0);
		script_write(&r.s, 5, RIG_GET);
		script_read(&r.s, 5, RIG_200);
		script_write(&r.s, 4, RIG_200);
		rig_finish(&r);
		printf("%s%" PRIu64 " ms\n", rows[i].stated, rows[i].limit_ns / SCRIPT_MSEC);
		rig_print(&r);
		assert_int_equal(rig_found(&r, "deadline.inversion") != NULL, rows[i].inversion);
		assert_int_equal(rig_found(&r, "deadline.budget.exceeded") != NULL, rows[i].budget);
		if (rows[i].inversion)
			assert_int_equal(rig_found(&r, "deadline.inversion")->confidence, CONFIDENCE_SUSPECTED);
		rig_done(&r);
	}
}

static void call(struct rig *r, int fd, const char *function, uint64_t limit_ns)
{
	r->s.stack = rig_stack(r, function, "shop");
	script_socket(&r->s, fd);
	script_rcvtimeo(&r->s, fd, limit_ns);
	script_connect(&r->s, fd, "10.0.0.9", 443, 0);
	script_write(&r->s, fd, RIG_GET);
	script_read(&r->s, fd, RIG_200);
}

/* Another call of the same peer may be allowed to take longer than this caller waits. */
static void test_other_call(void **state)
{
	(void)state;
	for (int careful = 0; careful < 2; careful++) {
		struct rig r;
		rig_init(&r, &deadline_detector);
		call(&r, 6, "nightly_export", 20 * SCRIPT_SEC);
		script_socket(&r.s, 3);
		script_listen(&r.s, 3, 8080);
		script_accept(&r.s, 3, 4, "10.0.0.1", 50000);
		script_read(&r.s, 4, "GET /checkout HTTP/1.1\r\nHost: shop\r\ngrpc-timeout: 5S\r\n\r\n");
		call(&r, 5, "checkout", careful ? 2 * SCRIPT_SEC : 8 * SCRIPT_SEC);
		script_write(&r.s, 4, RIG_200);
		rig_finish(&r);
		assert_int_equal(rig_found(&r, "deadline.budget.exceeded") == NULL, careful);
		assert_int_equal(rig_found(&r, "deadline.inversion") == NULL, careful);
		rig_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_stated), cmocka_unit_test(test_other_call)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
