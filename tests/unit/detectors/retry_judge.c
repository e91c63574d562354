/*
 * What sequences show: each rule with a client that breaks it, one that does not, and the threshold between.
 */
#include "detectors/client.h"

/* 20 attempts are not yet unbounded, the 21st is; 90 are proof. A client that pauses and draws its delays is warned only. */
static void test_unbounded(void **state)
{
	static const struct {
		unsigned int attempts;
		bool found;
		enum confidence confidence;
		const char *class;
	} rows[] = {
		{20, false, 0, "undecided"},
		{21, true, CONFIDENCE_OBSERVED, "unbounded"},
		{89, true, CONFIDENCE_OBSERVED, "unbounded"},
		{90, true, CONFIDENCE_PROVEN, "unbounded"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rig r;
		start(&r);
		failures(&r, RIG_GET, rows[i].attempts, 100 * SCRIPT_MSEC);
		rig_finish(&r);
		const struct rig_finding *f = rig_found(&r, "retry.unbounded");
		assert_int_equal(f != NULL, rows[i].found);
		if (f) {
			assert_int_equal(f->confidence, rows[i].confidence);
			assert_int_equal(f->severity, SEVERITY_WARNING);
		}
		int at = row(&r, "GET /orders/17");
		assert_true(at >= 0);
		assert_string_equal(rig_text(&r, (size_t)at, "class", NULL), rows[i].class);
		assert_int_equal((int)rig_number(&r, (size_t)at, "max_attempts", NULL), (int)rows[i].attempts);
		assert_true(json_is_null(json_object_get(json_array_get(r.section, (size_t)at), "bound")));
		rig_done(&r);
	}
}

/* Five minutes of failure are enough, however slowly it tries. */
static void test_unbounded_by_time(void **state)
{
	(void)state;
	for (int minutes = 4; minutes <= 6; minutes += 2) {
		struct rig r;
		start(&r);
		failures(&r, RIG_GET, (unsigned int)minutes * 2, 30 * SCRIPT_SEC);
		rig_finish(&r);
		assert_int_equal(rig_found(&r, "retry.unbounded") != NULL, minutes > 5);
		rig_done(&r);
	}
}

/* Four attempts, then the program ends with the failure: bounded. */
static void test_bounded(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	for (int i = 0; i < 4; i++) {
		if (i)
			script_pass(&r.s, (100U << i) * SCRIPT_MSEC);
		exchange(&r, RIG_GET, RIG_503);
	}
	script_exit(&r.s, 100);
	rig_finish(&r);
	rig_print(&r);
	assert_int_equal(r.found_n, 0);
	int at = row(&r, "GET /orders/17");
	assert_true(at >= 0);
	assert_string_equal(rig_text(&r, (size_t)at, "class", NULL), "bounded");
	assert_int_equal((int)rig_number(&r, (size_t)at, "bound", NULL), 4);
	assert_int_equal((int)rig_number(&r, (size_t)at, "gave_up", NULL), 1);
	assert_string_equal(rig_text(&r, (size_t)at, "backoff", NULL), "exponential");
	assert_true(rig_number(&r, (size_t)at, "retry_ratio", NULL) == 0.75);
	rig_done(&r);
}

/* 3 times around 4. */
static void test_layers(void **state)
{
	static const uint64_t gaps_ms[] = {1, 200, 400, 300, 1, 200, 400, 300, 1, 200, 400};
	struct rig r;

	(void)state;
	start(&r);
	exchange(&r, RIG_GET, RIG_503);
	for (size_t i = 0; i < sizeof gaps_ms / sizeof *gaps_ms; i++) {
		script_pass(&r.s, gaps_ms[i] * SCRIPT_MSEC);
		exchange(&r, RIG_GET, RIG_503);
	}
	script_exit(&r.s, 100);
	rig_finish(&r);
	rig_print(&r);
	const struct rig_finding *f = rig_found(&r, "retry.amplification");
	assert_non_null(f);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_int_equal(json_integer_value(json_object_get(f->evidence, "attempts_of_one_call")), 12);
	assert_int_equal(json_integer_value(json_object_get(f->evidence, "attempts_of_a_round")), 4);
	assert_non_null(strstr(f->message, "12 attempts in 2.4 s: 1, 200, 400, 300, 1, 200 ms …, gave up"));
	assert_string_equal(rig_text(&r, (size_t)row(&r, "GET /orders/17"), "backoff", NULL), "exponential");
	rig_done(&r);
}

static void test_no_retry_at_all(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	exchange(&r, RIG_GET, RIG_503);
	script_exit(&r.s, 100);
	rig_finish(&r);
	int at = row(&r, "GET /orders/17");
	assert_true(at >= 0);
	assert_string_equal(rig_text(&r, (size_t)at, "class", NULL), "none");
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

static void test_no_backoff(void **state)
{
	static const struct {
		unsigned int attempts;
		uint64_t gap;
		bool found;
		enum severity severity;
	} rows[] = {
		{3, 5 * SCRIPT_MSEC, false, 0}, /* two gaps are too few */
		{4, 5 * SCRIPT_MSEC, true, SEVERITY_WARNING},
		{4, 59 * SCRIPT_MSEC, true, SEVERITY_WARNING},
		{4, 70 * SCRIPT_MSEC, true, SEVERITY_INFO}, /* constant: lower */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rig r;
		start(&r);
		failures(&r, RIG_GET, rows[i].attempts, rows[i].gap);
		rig_finish(&r);
		const struct rig_finding *f = rig_found(&r, "retry.no_backoff");
		assert_int_equal(f != NULL, rows[i].found);
		if (f)
			assert_int_equal(f->severity, rows[i].severity);
		rig_done(&r);
	}
}

/* A POST repeated: a warning after an answer, an error where none came, nothing with a key or for a GET. */
static void test_non_idempotent(void **state)
{
	static const char keyed[] = "POST /charge HTTP/1.1\r\nHost: a\r\nIdempotency-Key: 1\r\nContent-Length: 2\r\n\r\n{}";
	static const struct {
		const char *request;
		bool answered;
		int severity;
	} rows[] = {{RIG_POST, true, SEVERITY_WARNING}, {RIG_POST, false, SEVERITY_ERROR}, {keyed, true, -1}, {RIG_GET, true, -1}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rig r;
		start(&r);
		if (rows[i].answered) {
			exchange(&r, rows[i].request, RIG_503);
		} else {
			script_write(&r.s, 5, rows[i].request);
			script_read_eof(&r.s, 5);
			script_close(&r.s, 5);
			script_socket(&r.s, 5);
			script_connect(&r.s, 5, "10.0.0.9", 443, 0);
		}
		script_pass(&r.s, 500 * SCRIPT_MSEC);
		exchange(&r, rows[i].request, RIG_200);
		rig_finish(&r);
		const struct rig_finding *f = rig_found(&r, "retry.non_idempotent");
		assert_int_equal(f ? (int)f->severity : -1, rows[i].severity);
		rig_done(&r);
	}
}

/* Every call of gRPC is a POST; that says nothing of what it does. */
static void test_calls_are_no_posts(void **state)
{
	static const enum request_area areas[] = {AREA_HTTP, AREA_RPC};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rig r;
		start(&r);
		struct request q = {
			.conn = model_conn(r.s.model, r.s.pid, 5), .area = areas[i], .method = "POST", .path = "/s.S/M"};
		for (uint64_t k = 1; k <= 3; k++) {
			q.id = k;
			q.t_start = r.s.now + k * SCRIPT_SEC;
			q.t_end = q.t_start + SCRIPT_MSEC;
			q.answered = q.failed = q.transient = true;
			q.status = areas[i] == AREA_HTTP ? 503 : 14;
			retry_detector.observer.request_end(r.state, &q);
			assert_int_equal(q.resend_count, k - 1);
		}
		rig_finish(&r);
		assert_int_equal(rig_found(&r, "retry.non_idempotent") != NULL, areas[i] == AREA_HTTP);
		rig_done(&r);
	}
}

static void test_retry_after(void **state)
{
	static const char busy[] = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n";

	(void)state;
	for (int early = 0; early < 2; early++) {
		struct rig r;
		start(&r);
		exchange(&r, RIG_GET, busy);
		script_pass(&r.s, early ? SCRIPT_SEC : 2 * SCRIPT_SEC);
		exchange(&r, RIG_GET, RIG_200);
		rig_finish(&r);
		assert_int_equal(rig_found(&r, "retry.ignores_retry_after") != NULL, early);
		rig_done(&r);
	}
}

static void test_not_retryable(void **state)
{
	static const char forbidden[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

	(void)state;
	for (int n = 2; n <= 3; n++) {
		struct rig r;
		start(&r);
		for (int i = 0; i < n; i++) {
			exchange(&r, RIG_GET, forbidden);
			script_pass(&r.s, 200 * SCRIPT_MSEC);
		}
		rig_finish(&r);
		assert_int_equal(rig_found(&r, "retry.not_retryable") != NULL, n == 3);
		assert_int_equal(json_array_size(r.section), 0);
		rig_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unbounded),       cmocka_unit_test(test_unbounded_by_time),
		cmocka_unit_test(test_bounded),         cmocka_unit_test(test_layers),
		cmocka_unit_test(test_no_retry_at_all), cmocka_unit_test(test_no_backoff),
		cmocka_unit_test(test_non_idempotent),  cmocka_unit_test(test_calls_are_no_posts),
		cmocka_unit_test(test_retry_after),     cmocka_unit_test(test_not_retryable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
