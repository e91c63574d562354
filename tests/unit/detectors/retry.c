/*
 * The retry detector over scripted clients: what is an attempt, what follows what, and what is no retry.
 */
#include "detectors/client.h"

/* 401 and the same request with credentials is a conversation. */
static void test_auth_follow_up(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	for (int i = 0; i < 3; i++) {
		exchange(&r, RIG_GET, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
		exchange(&r, RIG_GET, RIG_200);
	}
	rig_finish(&r);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

static void test_refused_connects(void **state)
{
	(void)state;
	for (int n = 3; n <= 30; n += 27) {
		struct rig r;
		rig_init(&r, &retry_detector);
		r.s.stack = rig_stack(&r, "reconnect", "shop");
		for (int i = 0; i < n; i++) {
			script_socket(&r.s, 5);
			script_connect(&r.s, 5, "10.0.0.9", 443, ECONNREFUSED);
			script_close(&r.s, 5);
			script_pass(&r.s, 10 * SCRIPT_MSEC);
		}
		rig_finish(&r);
		int at = row(&r, "connect");
		assert_true(at >= 0);
		assert_int_equal((int)rig_number(&r, (size_t)at, "max_attempts", NULL), n);
		const struct rig_finding *f = rig_found(&r, "retry.unbounded");
		assert_int_equal(f != NULL, n == 30);
		if (f)
			assert_int_equal(f->severity, SEVERITY_ERROR);
		rig_done(&r);
	}
}

/* Two addresses of one name, tried in turn, are one attempt. */
static void test_other_address_of_a_lookup(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &retry_detector);
	for (int i = 0; i < 2; i++) {
		script_resolve(&r.s, "payments", "10.0.0.1", 0);
		script_resolve(&r.s, "payments", "10.0.0.2", 0);
		for (int k = 0; k < 2; k++) {
			script_socket(&r.s, 5);
			script_connect(&r.s, 5, k ? "10.0.0.2" : "10.0.0.1", 443, ECONNREFUSED);
			script_close(&r.s, 5);
		}
		script_pass(&r.s, SCRIPT_SEC);
	}
	rig_finish(&r);
	int at = row(&r, "connect");
	assert_true(at >= 0);
	assert_string_equal(rig_text(&r, (size_t)at, "peer", NULL), "payments:443");
	assert_int_equal((int)rig_number(&r, (size_t)at, "max_attempts", NULL), 2);
	rig_done(&r);
}

/* The second address takes the connection, time after time: nothing was tried again. */
static void test_the_other_address_answers(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &retry_detector);
	for (int i = 0; i < 30; i++) {
		script_resolve(&r.s, "payments", "10.0.0.1", 0);
		script_resolve(&r.s, "payments", "10.0.0.2", 0);
		for (int k = 0; k < 2; k++) {
			script_socket(&r.s, 5);
			script_connect(&r.s, 5, k ? "10.0.0.2" : "10.0.0.1", 443, k ? 0 : ECONNREFUSED);
			script_close(&r.s, 5);
		}
		script_pass(&r.s, SCRIPT_SEC);
	}
	rig_finish(&r);
	assert_int_equal(row(&r, "connect"), -1);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

/* A protocol that is not known: the connection breaks right after our bytes. */
static void test_broken_connections(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &retry_detector);
	for (int i = 0; i < 5; i++) {
		script_socket(&r.s, 5);
		script_connect(&r.s, 5, "10.0.0.8", 6379, 0);
		script_write(&r.s, 5, "\x01\x02 hello");
		script_read_eof(&r.s, 5);
		script_close(&r.s, 5);
	}
	rig_finish(&r);
	int at = row(&r, "connection");
	assert_true(at >= 0);
	assert_int_equal((int)rig_number(&r, (size_t)at, "max_attempts", NULL), 5);
	assert_non_null(rig_found(&r, "retry.no_backoff"));
	assert_int_equal(row(&r, "connect"), -1);
	rig_done(&r);
}

/* One user's failed request and the next user's are not a retry: they were made for different incoming requests. */
static void test_different_callers(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_listen(&r.s, 3, 8080);
	for (int i = 0; i < 30; i++) {
		script_accept(&r.s, 3, 7, "10.1.1.1", 40000);
		script_read(&r.s, 7, "GET /buy HTTP/1.1\r\nHost: shop\r\n\r\n");
		exchange(&r, RIG_GET, RIG_503);
		script_write(&r.s, 7, RIG_503);
		script_close(&r.s, 7);
	}
	rig_finish(&r);
	rig_print(&r);
	assert_int_equal(r.found_n, 0);
	int at = row(&r, "GET /orders/17");
	assert_true(at >= 0);
	assert_int_equal((int)rig_number(&r, (size_t)at, "max_attempts", NULL), 1);
	assert_int_equal((int)rig_number(&r, (size_t)at, "sequences", NULL), 30);
	rig_done(&r);
}

/* A check every 10 s that had the same period while healthy. */
static void test_fixed_period(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	for (int i = 0; i < 40; i++) {
		exchange(&r, RIG_GET, i < 5 ? RIG_200 : RIG_503);
		script_pass(&r.s, 10 * SCRIPT_SEC);
	}
	rig_finish(&r);
	rig_print(&r);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

/* Polls, pagination, other queries, parallel requests: nothing follows a failure of the same operation. */
static void test_not_retries(void **state)
{
	struct rig r;
	char request[128];

	(void)state;
	start(&r);
	for (int i = 0; i < 100; i++)
		exchange(&r, RIG_GET, RIG_200);
	for (int i = 0; i < 100; i++) {
		snprintf(request, sizeof request, "GET /items?page=%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
		exchange(&r, request, RIG_503);
	}
	for (int fd = 10; fd < 40; fd++) {
		script_socket(&r.s, fd);
		script_connect(&r.s, fd, "10.0.0.9", 443, 0);
		script_write(&r.s, fd, "GET /fan HTTP/1.1\r\nHost: a\r\n\r\n");
	}
	for (int fd = 10; fd < 40; fd++)
		script_read(&r.s, fd, RIG_503);
	rig_finish(&r);
	rig_print(&r);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

/* A loop over processes (a shell running curl) is one sequence. */
static void test_across_processes(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &retry_detector);
	for (uint32_t pid = 200; pid < 225; pid++) {
		r.s.pid = pid;
		script_start(&r.s, pid, 100, "/usr/bin/curl");
		script_socket(&r.s, 5);
		script_connect(&r.s, 5, "10.0.0.9", 443, 0);
		exchange(&r, RIG_GET, RIG_503);
		script_exit(&r.s, pid);
		script_pass(&r.s, 20 * SCRIPT_MSEC);
	}
	rig_finish(&r);
	int at = row(&r, "GET /orders/17");
	assert_true(at >= 0);
	assert_string_equal(rig_text(&r, (size_t)at, "class", NULL), "unbounded");
	assert_int_equal((int)rig_number(&r, (size_t)at, "max_attempts", NULL), 25);
	rig_done(&r);
}

static void test_window(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct rig r;
		start(&r);
		exchange(&r, RIG_GET, RIG_503);
		script_pass(&r.s, (late ? 61 : 59) * SCRIPT_SEC);
		exchange(&r, RIG_GET, RIG_503);
		rig_finish(&r);
		int at = row(&r, "GET /orders/17");
		assert_int_equal((int)rig_number(&r, (size_t)at, "max_attempts", NULL), late ? 1 : 2);
		rig_done(&r);
	}
}

struct resend {
	unsigned int last;
};

static void note_resend(void *ctx, struct request *q)
{
	((struct resend *)ctx)->last = q->resend_count;
}

static void test_resend_count(void **state)
{
	struct rig r;
	struct resend seen = {0};
	const struct observer o = {.request_end = note_resend};

	(void)state;
	start(&r);
	assert_int_equal(model_observe(r.s.model, &o, &seen), 0);
	exchange(&r, RIG_GET, RIG_503);
	assert_int_equal(seen.last, 0);
	exchange(&r, RIG_GET, RIG_503);
	assert_int_equal(seen.last, 1);
	exchange(&r, RIG_GET, RIG_200);
	assert_int_equal(seen.last, 2);
	exchange(&r, RIG_GET, RIG_200);
	assert_int_equal(seen.last, 0);
	rig_finish(&r);
	rig_done(&r);
}

static void test_nothing_seen(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &retry_detector);
	rig_finish(&r);
	assert_true(rig_not_exercised(&r, "retry: no request"));
	rig_done(&r);
	start(&r);
	exchange(&r, RIG_GET, RIG_200);
	rig_finish(&r);
	assert_true(rig_not_exercised(&r, "retry: no failed request"));
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auth_follow_up),
		cmocka_unit_test(test_refused_connects),
		cmocka_unit_test(test_other_address_of_a_lookup),
		cmocka_unit_test(test_the_other_address_answers),
		cmocka_unit_test(test_broken_connections),
		cmocka_unit_test(test_different_callers),
		cmocka_unit_test(test_fixed_period),
		cmocka_unit_test(test_not_retries),
		cmocka_unit_test(test_across_processes),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_resend_count),
		cmocka_unit_test(test_nothing_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
