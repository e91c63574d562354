/*
 * Waits that are no phase of an operation: slow sends, slow look-ups, silent clients; and the order in which waits are told.
 */
#include "detectors/detectors.h"
#include "detectors/rig.h"

/* A send that took a second without a limit is a finding; one that took less, or had a limit, is none. */
static void test_slow_send(void **state)
{
	static const struct {
		uint64_t took, limit;
		bool found;
	} rows[] = {{900 * SCRIPT_MSEC, 0, false}, {1100 * SCRIPT_MSEC, 0, true}, {1100 * SCRIPT_MSEC, 2 * SCRIPT_SEC, false}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rig r;
		rig_init(&r, &deadline_detector);
		script_socket(&r.s, 5);
		script_connect(&r.s, 5, "10.0.0.9", 443, 0);
		script_sndtimeo(&r.s, 5, rows[i].limit);
		script_write(&r.s, 5, RIG_GET);
		script_read(&r.s, 5, RIG_200);
		script_took(&r.s, rows[i].took);
		script_write(&r.s, 5, RIG_POST);
		script_read(&r.s, 5, RIG_200);
		rig_finish(&r);
		assert_int_equal(rig_found(&r, "deadline.write.missing") != NULL, rows[i].found);
		rig_done(&r);
	}
}

static void test_slow_lookup(void **state)
{
	(void)state;
	for (uint64_t took = 4; took <= 6; took += 2) {
		struct rig r;
		rig_init(&r, &deadline_detector);
		script_took(&r.s, took * SCRIPT_SEC);
		script_resolve(&r.s, "payments", "10.0.0.9", 0);
		rig_finish(&r);
		const struct rig_finding *f = rig_found(&r, "deadline.resolve.missing");
		assert_int_equal(f != NULL, took == 6);
		if (f) {
			assert_string_equal(f->peer, "payments");
			assert_int_equal(f->confidence, CONFIDENCE_OBSERVED);
		}
		rig_done(&r);
	}
}

/* A client that holds a thread: says nothing, or begins and does not finish. One that was answered may idle for as long as it likes. */
static void test_silent_client(void **state)
{
	static const struct {
		const char *says, *answer;
		uint64_t seconds, limit_s;
		bool found, observed;
	} rows[] = {
		{NULL, NULL, 31, 0, true, true},
		{NULL, NULL, 6, 0, true, false},
		{NULL, NULL, 4, 0, false, false},
		{NULL, NULL, 31, 40, false, false}, /* the service would have given up */
		{"GET / HTTP/1.1\r\nHost: a\r\n", NULL, 31, 0, true, true},
		{"GET / HT", NULL, 31, 0, false, false}, /* may be anything yet */
		{"POST /pay HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n12", NULL, 31, 0, true, true},
		{"\1\2 a stream of some kind", NULL, 31, 0, false, false},
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", RIG_200, 31, 0, false, false}, /* kept alive */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig r;
		rig_init(&r, &deadline_detector);
		r.s.stack = rig_stack(&r, "serve", "shop");
		script_listen(&r.s, 3, 8080);
		script_accept(&r.s, 3, 7, "10.1.1.1", 40000);
		script_rcvtimeo(&r.s, 7, rows[i].limit_s * SCRIPT_SEC);
		if (rows[i].says)
			script_read(&r.s, 7, rows[i].says);
		if (rows[i].answer)
			script_write(&r.s, 7, rows[i].answer);
		script_took(&r.s, rows[i].seconds * SCRIPT_SEC);
		script_read_eof(&r.s, 7);
		rig_finish(&r);
		const struct rig_finding *f = rig_found(&r, "deadline.server.missing");
		printf("%s, %d s\n", rows[i].says ? rows[i].says : "(nothing)", (int)rows[i].seconds);
		assert_int_equal(f != NULL, rows[i].found);
		assert_int_equal(r.found_n, rows[i].found);
		if (f)
			assert_int_equal(f->confidence, rows[i].observed ? CONFIDENCE_OBSERVED : CONFIDENCE_SUSPECTED);
		rig_done(&r);
	}
}

/* A byte every ten seconds under a limit of 20 s each: the whole has none. A quick upload is none of that kind. */
static void test_dripping_client(void **state)
{
	(void)state;
	for (int quick = 0; quick < 2; quick++) {
		struct rig r;
		rig_init(&r, &deadline_detector);
		r.s.stack = rig_stack(&r, "serve", "shop");
		script_listen(&r.s, 3, 8080);
		script_accept(&r.s, 3, 7, "10.1.1.1", 40000);
		script_rcvtimeo(&r.s, 7, 20 * SCRIPT_SEC);
		script_read(&r.s, 7, "POST /pay HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n");
		for (int i = 0; i < 5; i++) {
			script_took(&r.s, 10 * SCRIPT_SEC);
			script_data(&r.s, WIRE_READ, 7, "x", 1, quick ? 100000 : 1, 0);
		}
		rig_finish(&r);
		assert_int_equal(rig_found(&r, "deadline.server.missing") != NULL, !quick);
		rig_done(&r);
	}
}

/* A blocking connect is told as a wait before its peer is known; one to a daemon of the system leaves nothing behind. */
static void test_connect_wait(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &deadline_detector);
	script_socket(&r.s, 5);
	script_took(&r.s, 31 * SCRIPT_SEC);
	script_connect(&r.s, 5, "10.0.0.9", 443, ETIMEDOUT);
	script_close(&r.s, 5);
	script_socket_of(&r.s, 6, AF_UNIX, SOCK_STREAM);
	script_connect_unix(&r.s, 6, "/dev/log", 0);
	script_close(&r.s, 6);
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, "deadline.connect.missing");
	assert_non_null(f);
	assert_int_equal(f->confidence, CONFIDENCE_OBSERVED);
	assert_int_equal(json_array_size(r.section), 1);
	assert_true(rig_number(&r, 0, "phase", "connect", "seconds", NULL) == 134.0);
	rig_done(&r);
}

/* A connect under way in an event loop that is closed after 2 s was bounded by that. */
static void test_connect_given_up(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &deadline_detector);
	script_epoll_create(&r.s, 3);
	script_event(&r.s, (struct event){.id = WIRE_PIPE, .fd = 10, .a1 = 11});
	script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 10, EPOLLIN);
	script_socket(&r.s, 5);
	script_nonblock(&r.s, 5, true);
	script_connect(&r.s, 5, "10.0.0.9", 443, EINPROGRESS);
	script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 5, EPOLLOUT);
	script_epoll_wait(&r.s, 3, 2 * (int64_t)SCRIPT_SEC, -1, 0);
	script_close(&r.s, 5);
	rig_finish(&r);
	assert_int_equal(r.found_n, 0);
	assert_string_equal(rig_text(&r, 0, "phase", "connect", "confidence", NULL), "proven");
	double seconds = rig_number(&r, 0, "phase", "connect", "seconds", NULL);
	assert_true(seconds > 1.99 && seconds < 2.01);
	rig_done(&r);
}

/* A poll that has not returned is told with the set that the thread polled before (here for connecting): it is a wait for the answer. */
static void test_poll_under_way(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &deadline_detector);
	script_socket(&r.s, 5);
	script_nonblock(&r.s, 5, true);
	script_connect(&r.s, 5, "10.0.0.9", 443, EINPROGRESS);
	script_poll(&r.s, 5, POLLOUT, POLLOUT, 3 * (int64_t)SCRIPT_SEC);
	script_so_error(&r.s, 5, 0);
	script_write(&r.s, 5, RIG_GET);
	uint64_t since = r.s.now;
	script_pass(&r.s, 5 * SCRIPT_SEC);
	script_event(
		&r.s,
		(struct event){
			.id = WIRE_INFLIGHT, .fd = -1, .t0 = since, .t1 = r.s.now, .a0 = WIRE_POLL, .a1 = (uint64_t)WAIT_INFINITE});
	rig_finish(&r);
	assert_null(rig_found(&r, "deadline.write.missing"));
	assert_non_null(rig_found(&r, "deadline.response.missing"));
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_poll_under_way),   cmocka_unit_test(test_slow_send),
		cmocka_unit_test(test_slow_lookup),      cmocka_unit_test(test_silent_client),
		cmocka_unit_test(test_dripping_client),  cmocka_unit_test(test_connect_wait),
		cmocka_unit_test(test_connect_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
