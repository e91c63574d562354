/*
 * The deadline detector over scripted clients: each rule with a client that breaks it, one that does not, and the threshold between.
 */
#include "detectors/deadline_rig.h"

/* A blocking recv() without SO_RCVTIMEO, answered at once: suspected from the arguments alone. */
static void test_blocking_without_limit(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	connect_to(&r, 5);
	for (int i = 0; i < 3; i++) {
		script_write(&r.s, 5, RIG_GET);
		script_took(&r.s, 20 * SCRIPT_MSEC);
		script_read(&r.s, 5, RIG_200);
	}
	script_close(&r.s, 5);
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, "deadline.response.missing");
	assert_non_null(f);
	assert_int_equal(f->confidence, CONFIDENCE_SUSPECTED);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_int_equal(f->count, 3);
	assert_string_equal(f->peer, "10.0.0.9:443");
	assert_non_null(strstr(f->message, "charge"));
	assert_int_equal(json_integer_value(json_object_get(f->evidence, "calls")), 3);
	assert_non_null(rig_found(&r, "deadline.connect.missing"));
	assert_null(rig_found(&r, "deadline.body.missing"));
	assert_string_equal(rig_text(&r, 0, "protocol", NULL), "http");
	assert_string_equal(rig_text(&r, 0, "verdict", NULL), "none");
	assert_string_equal(rig_text(&r, 0, "phase", "connect", "bound", NULL), "kernel");
	assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), "none");
	assert_true(rig_not_exercised(&r, "10.0.0.9:443: body was not exercised"));
	rig_done(&r);
}

/* The repaired twin: SO_RCVTIMEO and SO_SNDTIMEO before connect(). Nothing to say. */
static void test_socket_timeouts(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_socket(&r.s, 5);
	script_rcvtimeo(&r.s, 5, 3 * SCRIPT_SEC);
	script_sndtimeo(&r.s, 5, 2 * SCRIPT_SEC);
	script_connect(&r.s, 5, "10.0.0.9", 443, 0);
	script_write(&r.s, 5, RIG_GET);
	script_read(&r.s, 5, RIG_200);
	script_close(&r.s, 5);
	rig_finish(&r);
	rig_print(&r);
	assert_int_equal(r.found_n, 0);
	assert_string_equal(rig_text(&r, 0, "verdict", NULL), "connect+read");
	assert_true(rig_number(&r, 0, "phase", "connect", "seconds", NULL) == 2.0);
	assert_true(rig_number(&r, 0, "phase", "response", "seconds", NULL) == 3.0);
	assert_string_equal(rig_text(&r, 0, "phase", "response", "confidence", NULL), "suspected");
	rig_done(&r);
}

/* A non-blocking socket and poll() with a limit, as Python with a timeout does. */
static void test_poll_with_limit(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_socket(&r.s, 5);
	script_nonblock(&r.s, 5, true);
	script_connect(&r.s, 5, "10.0.0.9", 443, EINPROGRESS);
	script_poll(&r.s, 5, POLLOUT, POLLOUT, 3 * (int64_t)SCRIPT_SEC);
	script_so_error(&r.s, 5, 0);
	script_write(&r.s, 5, RIG_GET);
	script_read_err(&r.s, 5, EAGAIN);
	script_poll(&r.s, 5, POLLIN, POLLIN, 3 * (int64_t)SCRIPT_SEC);
	script_read(&r.s, 5, RIG_200);
	script_close(&r.s, 5);
	rig_finish(&r);
	assert_int_equal(r.found_n, 0);
	assert_string_equal(rig_text(&r, 0, "verdict", NULL), "connect+read");
	rig_done(&r);
}

/* The wait is still going when the session ends: suspected below 30 s, observed from there, an error from 60 s. */
static void test_ages(void **state)
{
	static const struct {
		uint64_t age;
		enum confidence confidence;
		enum severity severity;
	} rows[] = {
		{29 * SCRIPT_SEC, CONFIDENCE_SUSPECTED, SEVERITY_WARNING},
		{31 * SCRIPT_SEC, CONFIDENCE_OBSERVED, SEVERITY_WARNING},
		{61 * SCRIPT_SEC, CONFIDENCE_OBSERVED, SEVERITY_ERROR},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rig r;
		start(&r);
		connect_to(&r, 5);
		script_write(&r.s, 5, RIG_GET);
		uint64_t since = r.s.now;
		for (uint64_t t = 0; t < rows[i].age; t += SCRIPT_SEC) {
			script_pass(&r.s, SCRIPT_SEC);
			script_inflight(&r.s, WIRE_READ, 5, WAIT_INFINITE, since);
			script_tick(&r.s);
		}
		rig_finish(&r);
		const struct rig_finding *f = rig_found(&r, "deadline.response.missing");
		assert_non_null(f);
		assert_int_equal(f->confidence, rows[i].confidence);
		assert_int_equal(f->severity, rows[i].severity);
		assert_int_equal(f->count, 1);
		rig_done(&r);
	}
}

/* Nothing outstanding: an idle pooled connection, and one whose protocol is unknown and whose peer spoke last. */
static void test_idle_is_no_finding(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_socket(&r.s, 5);
	script_rcvtimeo(&r.s, 5, 3 * SCRIPT_SEC);
	script_sndtimeo(&r.s, 5, 2 * SCRIPT_SEC);
	script_connect(&r.s, 5, "10.0.0.9", 443, 0);
	script_write(&r.s, 5, RIG_GET);
	script_read(&r.s, 5, RIG_200);
	script_rcvtimeo(&r.s, 5, 0);
	script_took(&r.s, 100 * SCRIPT_SEC);
	script_read_eof(&r.s, 5);
	script_socket(&r.s, 6);
	script_sndtimeo(&r.s, 6, 2 * SCRIPT_SEC);
	script_rcvtimeo(&r.s, 6, 3 * SCRIPT_SEC);
	script_connect(&r.s, 6, "10.0.0.8", 6379, 0);
	script_write(&r.s, 6, "\x01hello");
	script_read(&r.s, 6, "\x02world");
	script_rcvtimeo(&r.s, 6, 0);
	script_took(&r.s, 100 * SCRIPT_SEC);
	script_read(&r.s, 6, "\x03more");
	rig_finish(&r);
	rig_print(&r);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

/* SUBSCRIBE: silence is what was asked for, and the greeting before it says nothing either. */
static void test_subscription_is_by_design(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_socket(&r.s, 6);
	script_sndtimeo(&r.s, 6, 2 * SCRIPT_SEC);
	script_connect(&r.s, 6, "10.0.0.8", 6379, 0);
	script_write(&r.s, 6, "*1\r\n$5\r\nHELLO\r\n");
	script_read(&r.s, 6, "+OK\r\n");
	script_write(&r.s, 6, "*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n");
	script_took(&r.s, 90 * SCRIPT_SEC);
	script_read(&r.s, 6, "+OK\r\n");
	rig_finish(&r);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

/* The same client without the SUBSCRIBE is a finding: what makes it silent is the command. */
static void test_unknown_protocol_without_limit(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_socket(&r.s, 6);
	script_connect(&r.s, 6, "10.0.0.8", 6379, 0);
	script_write(&r.s, 6, "*2\r\n$3\r\nGET\r\n$4\r\nnews\r\n");
	script_took(&r.s, 90 * SCRIPT_SEC);
	script_read(&r.s, 6, "+OK\r\n");
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, "deadline.response.missing");
	assert_non_null(f);
	assert_int_equal(f->confidence, CONFIDENCE_OBSERVED);
	assert_int_equal(f->severity, SEVERITY_ERROR);
	rig_done(&r);
}

/* Connections that are no dependencies: socketpairs, daemons of the system, listeners, accepted ones. */
static void test_not_dependencies(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_socket_of(&r.s, 4, AF_UNIX, SOCK_STREAM);
	script_connect_unix(&r.s, 4, "/run/systemd/journal/stdout", 0);
	script_write(&r.s, 4, "hello");
	script_took(&r.s, 90 * SCRIPT_SEC);
	script_read(&r.s, 4, "x");
	script_event(&r.s, (struct event){.id = WIRE_SOCKETPAIR, .fd = 8, .a1 = 9, .a0 = (uint64_t)AF_UNIX << 32 | SOCK_STREAM});
	script_write(&r.s, 8, "job");
	script_took(&r.s, 90 * SCRIPT_SEC);
	script_read(&r.s, 8, "done");
	script_listen(&r.s, 3, 8080);
	script_took(&r.s, 90 * SCRIPT_SEC);
	script_accept(&r.s, 3, 7, "10.1.1.1", 40000);
	script_read(&r.s, 7, RIG_GET);
	script_write(&r.s, 7, RIG_200);
	script_took(&r.s, 90 * SCRIPT_SEC);
	script_read_eof(&r.s, 7);
	rig_finish(&r);
	rig_print(&r);
	assert_int_equal(r.found_n, 0);
	assert_true(rig_not_exercised(&r, "no client connection was seen"));
	rig_done(&r);
}

/* The head came in time, the body has no limit. */
static void test_body_without_limit(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_socket(&r.s, 5);
	script_rcvtimeo(&r.s, 5, 3 * SCRIPT_SEC);
	script_sndtimeo(&r.s, 5, 3 * SCRIPT_SEC);
	script_connect(&r.s, 5, "10.0.0.9", 443, 0);
	script_write(&r.s, 5, RIG_GET);
	script_read(&r.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
	script_rcvtimeo(&r.s, 5, 0);
	script_took(&r.s, 40 * SCRIPT_SEC);
	script_read(&r.s, 5, "body");
	script_close(&r.s, 5);
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, "deadline.body.missing");
	assert_non_null(f);
	assert_int_equal(f->confidence, CONFIDENCE_OBSERVED);
	assert_null(rig_found(&r, "deadline.response.missing"));
	assert_string_equal(rig_text(&r, 0, "verdict", NULL), "connect+header");
	rig_done(&r);
}

/* Each gap is bounded by 3 s, but the body drips for longer than that. Not so if it comes quickly. */
static void test_total_missing(void **state)
{
	(void)state;
	for (int drips = 0; drips < 2; drips++) {
		struct rig r;
		start(&r);
		script_socket(&r.s, 5);
		script_rcvtimeo(&r.s, 5, 3 * SCRIPT_SEC);
		script_sndtimeo(&r.s, 5, 3 * SCRIPT_SEC);
		script_connect(&r.s, 5, "10.0.0.9", 443, 0);
		script_write(&r.s, 5, RIG_GET);
		script_read(&r.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
		for (int i = 0; i < 10; i++) {
			script_took(&r.s, drips ? SCRIPT_SEC : SCRIPT_MSEC);
			script_read(&r.s, 5, "x");
		}
		script_close(&r.s, 5);
		rig_finish(&r);
		assert_int_equal(rig_found(&r, "deadline.total.missing") != NULL, drips);
		assert_string_equal(rig_text(&r, 0, "phase", "body", "bound", NULL), "finite");
		rig_done(&r);
	}
}

/* A bound above 30 s is worth a word; one of 30 s is not. */
static void test_budget(void **state)
{
	(void)state;
	for (uint64_t limit = 30; limit <= 31; limit++) {
		struct rig r;
		start(&r);
		script_socket(&r.s, 5);
		script_rcvtimeo(&r.s, 5, limit * SCRIPT_SEC);
		script_sndtimeo(&r.s, 5, 3 * SCRIPT_SEC);
		script_connect(&r.s, 5, "10.0.0.9", 443, 0);
		script_write(&r.s, 5, RIG_GET);
		script_read(&r.s, 5, RIG_200);
		script_close(&r.s, 5);
		rig_finish(&r);
		assert_int_equal(rig_found(&r, "deadline.budget.exceeded") != NULL, limit == 31);
		rig_done(&r);
	}
}

/* A timed-out recv() and exit: the give-up was measured. */
static void test_timed_out_then_exit(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_socket(&r.s, 5);
	script_rcvtimeo(&r.s, 5, 3 * SCRIPT_SEC);
	script_connect(&r.s, 5, "10.0.0.9", 443, 0);
	script_write(&r.s, 5, RIG_GET);
	script_took(&r.s, 3 * SCRIPT_SEC);
	script_read_err(&r.s, 5, EAGAIN);
	script_exit(&r.s, 100);
	rig_finish(&r);
	assert_string_equal(rig_text(&r, 0, "verdict", NULL), "read");
	assert_string_equal(rig_text(&r, 0, "phase", "response", "confidence", NULL), "proven");
	assert_true(rig_number(&r, 0, "phase", "response", "seconds", NULL) == 3.0);
	rig_done(&r);
}

/* The end of a process with a request under way is no give-up. */
static void test_exit_is_no_give_up(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	connect_to(&r, 5);
	script_write(&r.s, 5, RIG_GET);
	uint64_t since = r.s.now;
	script_pass(&r.s, 10 * SCRIPT_SEC);
	script_inflight(&r.s, WIRE_READ, 5, WAIT_INFINITE, since);
	script_tick(&r.s);
	script_exit(&r.s, 100);
	rig_finish(&r);
	assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), "none");
	rig_done(&r);
}

static void test_suspicion_waits(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	connect_to(&r, 5);
	script_write(&r.s, 5, RIG_GET);
	script_read(&r.s, 5, RIG_200);
	script_pass(&r.s, 5 * SCRIPT_SEC);
	script_tick(&r.s);
	assert_int_equal(r.found_n, 0);
	script_pass(&r.s, 60 * SCRIPT_SEC);
	script_tick(&r.s);
	assert_non_null(rig_found(&r, "deadline.response.missing"));
	uint64_t count = rig_found(&r, "deadline.response.missing")->count;
	rig_finish(&r);
	assert_int_equal(rig_found(&r, "deadline.response.missing")->count, count);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocking_without_limit),
		cmocka_unit_test(test_socket_timeouts),
		cmocka_unit_test(test_poll_with_limit),
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_idle_is_no_finding),
		cmocka_unit_test(test_subscription_is_by_design),
		cmocka_unit_test(test_unknown_protocol_without_limit),
		cmocka_unit_test(test_not_dependencies),
		cmocka_unit_test(test_body_without_limit),
		cmocka_unit_test(test_total_missing),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_timed_out_then_exit),
		cmocka_unit_test(test_exit_is_no_give_up),
		cmocka_unit_test(test_suspicion_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
