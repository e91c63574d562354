/*
 * data_trace.c: stack traces in answers, in one write or several; not in documents, not in what the service receives.
 */
#include "detectors/detectors.h"
#include "detectors/rig.h"

#define TRACE "Traceback (most recent call last):\n  File \"/srv/app.py\", line 12, in pay\n"

static void start(struct rig *r)
{
	rig_init(r, &data_detector);
	script_socket(&r->s, 4);
	script_listen(&r->s, 4, 8080);
	script_accept(&r->s, 4, 5, "10.0.0.7", 40000);
	script_read(&r->s, 5, RIG_GET);
}

static void in_one_write(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_write(&r.s, 5, "HTTP/1.1 500 Oops\r\nContent-Length: 73\r\n\r\n" TRACE);
	script_read(&r.s, 5, RIG_GET);
	script_write(&r.s, 5, RIG_200);
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, "data.response.stacktrace");
	assert_non_null(f);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->confidence, CONFIDENCE_OBSERVED);
	assert_string_equal(f->operation, "GET /orders/17");
	assert_string_equal(json_string_value(json_object_get(f->evidence, "language")), "Python");
	assert_int_equal(json_integer_value(json_object_get(f->evidence, "status")), 500);
	rig_done(&r);
}

static void in_writes_of_their_own(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_write(&r.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 73\r\n\r\n");
	script_write(&r.s, 5, TRACE);
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, "data.response.stacktrace");
	assert_non_null(f);
	assert_int_equal(f->confidence, CONFIDENCE_SUSPECTED);
	rig_done(&r);
}

/* What holds nothing of a trace is known again; what looks like it but for a few bytes is not it. */
static void behind_answers_that_are_alike(void **state)
{
	static const char clean[] = "HTTP/1.1 500 Oops\r\nContent-Length: 73\r\n\r\n"
				    "Traceback (most recent call lost):\n  File \"/srv/app.py\", line 12, in pay\n";
	struct rig r;

	(void)state;
	start(&r);
	for (int i = 0; i < 5; i++) {
		script_write(&r.s, 5, clean);
		script_read(&r.s, 5, RIG_GET);
	}
	script_write(&r.s, 5, "HTTP/1.1 500 Oops\r\nContent-Length: 73\r\n\r\n" TRACE);
	script_read(&r.s, 5, RIG_GET);
	script_write(&r.s, 5, clean);
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, "data.response.stacktrace");
	assert_non_null(f);
	assert_int_equal(f->count, 1);
	rig_done(&r);
}

static void not_what_it_receives(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_write(&r.s, 5, RIG_200);
	script_socket(&r.s, 6);
	script_connect(&r.s, 6, "10.0.0.9", 80, 0);
	script_write(&r.s, 6, "POST /logs HTTP/1.1\r\nHost: l\r\nContent-Length: 73\r\n\r\n" TRACE);
	script_read(&r.s, 6, "HTTP/1.1 500 Oops\r\nContent-Length: 73\r\n\r\n" TRACE);
	rig_finish(&r);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_one_write),
		cmocka_unit_test(in_writes_of_their_own),
		cmocka_unit_test(behind_answers_that_are_alike),
		cmocka_unit_test(not_what_it_receives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
