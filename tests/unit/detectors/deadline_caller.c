/*
 * Calls and their callers: which incoming request a call belongs to, when that caller went, and what the call did then.
 */
#include "detectors/detectors.h"
#include "detectors/rig.h"

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-"
#define INCOMING "GET /checkout HTTP/1.1\r\nHost: shop\r\n\r\n"

enum { LISTENER = 3, CALLER = 4, CALL = 5 };

/* The service has a caller with this request, and a connection to a dependency. */
static void serving(struct rig *r, const char *request)
{
	rig_init(r, &deadline_detector);
	r->s.stack = rig_stack(r, "checkout", "shop");
	script_socket(&r->s, LISTENER);
	script_listen(&r->s, LISTENER, 8080);
	script_accept(&r->s, LISTENER, CALLER, "10.0.0.1", 50000);
	script_read(&r->s, CALLER, request);
	script_socket(&r->s, CALL);
	script_connect(&r->s, CALL, "10.0.0.9", 443, 0);
}

static bool found(const struct rig *r, const char *rule)
{
	return rig_found(r, rule) != NULL;
}

/* The caller goes after 2 s; the call is answered 3 s later. */
static void test_call_lives_on(void **state)
{
	struct rig r;

	(void)state;
	serving(&r, INCOMING);
	script_write(&r.s, CALL, RIG_GET);
	script_pass(&r.s, 2 * SCRIPT_SEC);
	script_read_eof(&r.s, CALLER);
	script_close(&r.s, CALLER);
	script_pass(&r.s, 3 * SCRIPT_SEC);
	script_read(&r.s, CALL, RIG_200);
	rig_finish(&r);
	rig_print(&r);
	const struct rig_finding *f = rig_found(&r, "deadline.abandoned");
	assert_non_null(f);
	assert_int_equal(f->confidence, CONFIDENCE_OBSERVED);
	assert_string_equal(f->peer, "10.0.0.9:443");
	assert_string_equal(f->operation, "GET /checkout");
	assert_non_null(strstr(f->message, "gave up after 2.0 s"));
	assert_non_null(strstr(f->message, "lived on for 3.0 s"));
	f = rig_found(&r, "deadline.inversion");
	assert_non_null(f);
	assert_int_equal(f->count, 1);
	rig_done(&r);
}

/* … is told while it goes on, and once. */
static void test_told_while_it_lives(void **state)
{
	struct rig r;

	(void)state;
	serving(&r, INCOMING);
	script_write(&r.s, CALL, RIG_GET);
	script_pass(&r.s, SCRIPT_SEC);
	script_read_eof(&r.s, CALLER);
	script_close(&r.s, CALLER);
	for (int i = 0; i < 5; i++) {
		script_pass(&r.s, SCRIPT_SEC);
		script_tick(&r.s);
		assert_int_equal(found(&r, "deadline.abandoned"), true);
	}
	rig_finish(&r);
	assert_int_equal(rig_found(&r, "deadline.abandoned")->count, 1);
	rig_done(&r);
}

/* The call is given up with its caller, or its answer was on its way: nothing to say. */
static void test_cancelled(void **state)
{
	(void)state;
	for (int answered = 0; answered < 2; answered++) {
		struct rig r;
		serving(&r, INCOMING);
		script_write(&r.s, CALL, RIG_GET);
		script_pass(&r.s, 2 * SCRIPT_SEC);
		script_read_eof(&r.s, CALLER);
		script_close(&r.s, CALLER);
		if (answered) {
			script_pass(&r.s, SCRIPT_SEC / 2);
			script_read(&r.s, CALL, RIG_200);
		} else {
			script_close(&r.s, CALL);
		}
		script_pass(&r.s, 5 * SCRIPT_SEC);
		rig_finish(&r);
		assert_false(found(&r, "deadline.abandoned"));
		assert_false(found(&r, "deadline.inversion"));
		rig_done(&r);
	}
}

/* A thread that blocks sees only at the end that nobody waits any more; it tells where the time went. */
static void test_answer_meets_nobody(void **state)
{
	(void)state;
	for (int slow = 0; slow < 2; slow++) {
		struct rig r;
		serving(&r, INCOMING);
		script_write(&r.s, CALL, RIG_GET);
		script_took(&r.s, slow ? 4 * SCRIPT_SEC : SCRIPT_MSEC);
		script_read(&r.s, CALL, RIG_200);
		script_pass(&r.s, slow ? SCRIPT_MSEC : 4 * SCRIPT_SEC);
		script_write_err(&r.s, CALLER, EPIPE);
		rig_finish(&r);
		assert_int_equal(found(&r, "deadline.inversion"), slow);
		assert_false(found(&r, "deadline.abandoned"));
		rig_done(&r);
	}
}

/* Two requests at once on one thread: whose call it is, only a trace can say. */
static void test_whose_call(void **state)
{
	(void)state;
	for (int traced = 0; traced < 2; traced++) {
		struct rig r;
		serving(&r, "GET /checkout HTTP/1.1\r\nHost: shop\r\ntraceparent: " TRACE "00f067aa0ba902b7-01\r\n\r\n");
		script_accept(&r.s, LISTENER, 6, "10.0.0.2", 50001);
		script_read(&r.s, 6, "GET /other HTTP/1.1\r\nHost: shop\r\n\r\n");
		script_write(&r.s, CALL,
			     traced ? "GET /stock HTTP/1.1\r\nHost: p\r\ntraceparent: " TRACE "1122334455667788-01\r\n\r\n"
				    : RIG_GET);
		script_pass(&r.s, SCRIPT_SEC);
		script_read_eof(&r.s, CALLER);
		script_close(&r.s, CALLER);
		script_pass(&r.s, 3 * SCRIPT_SEC);
		script_read(&r.s, CALL, RIG_200);
		rig_finish(&r);
		assert_int_equal(found(&r, "deadline.abandoned"), traced);
		if (traced)
			assert_string_equal(rig_found(&r, "deadline.abandoned")->operation, "GET /checkout");
		rig_done(&r);
	}
}

/* A thread that has answered calls on its own account: nobody is left who could go. */
static void test_nobody_is_served(void **state)
{
	struct rig r;

	(void)state;
	serving(&r, INCOMING);
	script_write(&r.s, CALLER, RIG_200);
	script_write(&r.s, CALL, RIG_GET);
	script_read_eof(&r.s, CALLER);
	script_close(&r.s, CALLER);
	script_pass(&r.s, 5 * SCRIPT_SEC);
	script_read(&r.s, CALL, RIG_200);
	rig_finish(&r);
	assert_false(found(&r, "deadline.abandoned"));
	rig_done(&r);
}

/* The caller is watched too: that it gave up is seen where it did, although the thread that serves it blocks. */
static void test_caller_is_watched(void **state)
{
	static const char request[] = "GET /checkout HTTP/1.1\r\nHost: shop\r\ntraceparent: " TRACE "00f067aa0ba902b7-01\r\n\r\n";
	struct rig r;

	(void)state;
	serving(&r, request);
	script_write(&r.s, CALL, RIG_GET);
	r.s.pid = 200;
	script_start(&r.s, 200, 1, "/usr/bin/front");
	script_socket(&r.s, 7);
	script_connect(&r.s, 7, "10.0.0.5", 8080, 0);
	script_write(&r.s, 7, request);
	script_pass(&r.s, 2 * SCRIPT_SEC);
	script_close(&r.s, 7);
	r.s.pid = 100;
	script_pass(&r.s, 3 * SCRIPT_SEC);
	script_read(&r.s, CALL, RIG_200);
	rig_finish(&r);
	assert_true(found(&r, "deadline.abandoned"));
	assert_string_equal(rig_found(&r, "deadline.abandoned")->peer, "10.0.0.9:443");
	rig_done(&r);
}

/* More callers than are followed: the rest is counted, and nothing is lost of those that are. */
static void test_bounded(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &deadline_detector);
	script_socket(&r.s, LISTENER);
	script_listen(&r.s, LISTENER, 8080);
	for (int i = 0; i < 8300; i++) {
		script_accept(&r.s, LISTENER, 10 + i, "10.0.0.1", (uint16_t)(40000 + i));
		script_read(&r.s, 10 + i, INCOMING);
	}
	assert_int_equal(r.s.counters.limit[LIMIT_REACHED_OPERATIONS], 8300 - 8192);
	for (int i = 0; i < 8300; i++)
		script_close(&r.s, 10 + i);
	script_accept(&r.s, LISTENER, 9, "10.0.0.1", 39999);
	script_read(&r.s, 9, INCOMING);
	assert_int_equal(r.s.counters.limit[LIMIT_REACHED_OPERATIONS], 8300 - 8192);
	rig_finish(&r);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_lives_on),    cmocka_unit_test(test_told_while_it_lives),
		cmocka_unit_test(test_cancelled),        cmocka_unit_test(test_answer_meets_nobody),
		cmocka_unit_test(test_whose_call),       cmocka_unit_test(test_caller_is_watched),
		cmocka_unit_test(test_nobody_is_served), cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
