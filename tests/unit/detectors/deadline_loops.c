/*
 * Deadlines that no single call states: event loops, slices of waiting, what is left of a total, alarms, watchdogs.
 */
#include <errno.h>

#include "detectors/deadline_rig.h"

/* An event loop says nothing by its timers; that the process gave up is decisive. */
static void test_event_loop_gives_up(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_epoll_create(&r.s, 3);
	script_socket(&r.s, 5);
	script_nonblock(&r.s, 5, true);
	script_connect(&r.s, 5, "10.0.0.9", 443, EINPROGRESS);
	script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 5, EPOLLIN | EPOLLOUT);
	script_event(&r.s, (struct event){.id = WIRE_PIPE, .fd = 10, .a1 = 11});
	script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 10, EPOLLIN);
	script_epoll_wait(&r.s, 3, 5 * (int64_t)SCRIPT_SEC, 5, EPOLLOUT);
	script_write(&r.s, 5, RIG_GET);
	script_epoll_wait(&r.s, 3, 2 * (int64_t)SCRIPT_SEC, -1, 0);
	script_epoll_wait(&r.s, 3, 1 * (int64_t)SCRIPT_SEC, -1, 0);
	script_close(&r.s, 5);
	rig_finish(&r);
	rig_print(&r);
	assert_int_equal(r.found_n, 0);
	assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), "finite");
	assert_string_equal(rig_text(&r, 0, "phase", "response", "confidence", NULL), "proven");
	double seconds = rig_number(&r, 0, "phase", "response", "seconds", NULL);
	assert_true(seconds > 2.99 && seconds < 3.01);
	rig_done(&r);
}

/* Answered within an event loop's finite timer: undecided. Waiting past 20 s of small timers: no bound. */
static void test_event_loop_timers(void **state)
{
	(void)state;
	for (int hang = 0; hang < 2; hang++) {
		struct rig r;
		start(&r);
		script_epoll_create(&r.s, 3);
		script_event(&r.s, (struct event){.id = WIRE_PIPE, .fd = 10, .a1 = 11});
		script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 10, EPOLLIN);
		connect_to(&r, 5);
		script_nonblock(&r.s, 5, true);
		script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 5, EPOLLIN);
		script_write(&r.s, 5, RIG_GET);
		if (hang) {
			for (int i = 0; i < 50; i++) {
				script_epoll_wait(&r.s, 3, 500 * (int64_t)SCRIPT_MSEC, -1, 0);
				script_tick(&r.s);
			}
		} else {
			script_epoll_wait(&r.s, 3, 5 * (int64_t)SCRIPT_SEC, 5, EPOLLIN);
			script_read(&r.s, 5, RIG_200);
			script_close(&r.s, 5);
		}
		rig_finish(&r);
		assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), hang ? "none" : "unknown");
		assert_string_equal(rig_text(&r, 0, "verdict", NULL), hang ? "none" : "undecided");
		assert_int_equal(rig_found(&r, "deadline.response.missing") != NULL, hang);
		rig_done(&r);
	}
}

/* A loop that means to sleep for a day, or until a pool's idle connections are to be closed, has no deadline of the call in mind; one of
 * minutes may. */
static void test_far_timer(void **state)
{
	(void)state;
	static const int seconds[] = {30, 300, 1800, 86400};

	for (size_t n = 0; n < sizeof seconds / sizeof seconds[0]; n++) {
		const bool far = seconds[n] > 600;
		const int64_t limit = seconds[n] * (int64_t)SCRIPT_SEC;
		struct rig r;
		start(&r);
		script_epoll_create(&r.s, 3);
		script_event(&r.s, (struct event){.id = WIRE_PIPE, .fd = 10, .a1 = 11});
		script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 10, EPOLLIN);
		connect_to(&r, 5);
		script_nonblock(&r.s, 5, true);
		script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 5, EPOLLIN);
		script_write(&r.s, 5, RIG_GET);
		uint64_t since = r.s.now;
		for (int i = 0; i < 20; i++) {
			script_pass(&r.s, SCRIPT_SEC);
			script_inflight(&r.s, WIRE_EPOLL_WAIT, 3, limit, since);
			script_tick(&r.s);
		}
		rig_finish(&r);
		printf("a timer in %d s: %s\n", seconds[n], rig_text(&r, 0, "phase", "response", "evidence", NULL));
		assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), far ? "none" : "unknown");
		rig_done(&r);
	}
}

/* A wait of the loop that is limited, and then a blocking read of what it announced: that read does not wait. */
static void test_read_of_what_was_announced(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	script_epoll_create(&r.s, 3);
	connect_to(&r, 5);
	script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 5, EPOLLIN);
	script_write(&r.s, 5, RIG_GET);
	script_took(&r.s, 300 * SCRIPT_MSEC);
	script_epoll_wait(&r.s, 3, 3 * (int64_t)SCRIPT_SEC, 5, EPOLLIN);
	script_read(&r.s, 5, RIG_200);
	script_close(&r.s, 5);
	rig_finish(&r);
	rig_print(&r);
	assert_null(rig_found(&r, "deadline.response.missing"));
	assert_string_not_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), "none");
	rig_done(&r);
}

/* HTTP/2: the stream is reset after three seconds, the connection stays. That is giving up, whatever the loop was told last. */
static void test_stream_taken_back(void **state)
{
	static const char ask[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				  "\0\0\0\004\0\0\0\0\0"
				  "\0\0\003\001\005\0\0\0\001\202\204\206",
			  take_back[] = "\0\0\004\003\0\0\0\0\001\0\0\0\010";
	struct rig r;

	(void)state;
	start(&r);
	script_epoll_create(&r.s, 3);
	script_event(&r.s, (struct event){.id = WIRE_PIPE, .fd = 10, .a1 = 11});
	script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 10, EPOLLIN);
	connect_to(&r, 5);
	script_nonblock(&r.s, 5, true);
	script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 5, EPOLLIN);
	script_data(&r.s, WIRE_WRITE, 5, ask, sizeof(ask) - 1, sizeof(ask) - 1, 0);
	script_took(&r.s, 3 * SCRIPT_SEC);
	script_epoll_wait(&r.s, 3, 86400 * (int64_t)SCRIPT_SEC, 5, EPOLLIN);
	script_data(&r.s, WIRE_WRITE, 5, take_back, sizeof(take_back) - 1, sizeof(take_back) - 1, 0);
	script_pass(&r.s, 30 * SCRIPT_SEC);
	rig_finish(&r);
	rig_print(&r);
	assert_string_equal(rig_text(&r, 0, "phase", "response", "confidence", NULL), "proven");
	double seconds = rig_number(&r, 0, "phase", "response", "seconds", NULL);
	assert_true(seconds > 2.99 && seconds < 3.01);
	rig_done(&r);
}

/* A request that says how long its sender waits, in a loop whose timers are elsewhere. One that is waited for far longer said nothing. */
static void test_stated(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct rig r;
		start(&r);
		script_epoll_create(&r.s, 3);
		script_event(&r.s, (struct event){.id = WIRE_PIPE, .fd = 10, .a1 = 11});
		script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 10, EPOLLIN);
		connect_to(&r, 5);
		script_nonblock(&r.s, 5, true);
		script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 5, EPOLLIN);
		script_write(&r.s, 5, "GET /orders/17 HTTP/1.1\r\nHost: payments\r\ngrpc-timeout: 3S\r\n\r\n");
		script_took(&r.s, (late ? 30 : 1) * SCRIPT_SEC);
		script_epoll_wait(&r.s, 3, 86400 * (int64_t)SCRIPT_SEC, 5, EPOLLIN);
		script_read(&r.s, 5, RIG_200);
		script_close(&r.s, 5);
		rig_finish(&r);
		printf("%s\n", rig_text(&r, 0, "phase", "response", "evidence", NULL));
		assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), late ? "none" : "finite");
		assert_string_equal(rig_text(&r, 0, "verdict", NULL), late ? "none" : "total");
		assert_int_equal(rig_found(&r, "deadline.response.missing") != NULL, late);
		rig_done(&r);
	}
}

/* A loop of Node's that ticks as undici's clock does has a deadline of unknown length; after ten minutes it was not this one's. Other
 * programs tick so by chance. */
static void test_library_clock(void **state)
{
	static const struct {
		const char *module;
		int minutes;
		bool decided;
	} rows[] = {{"node", 1, false}, {"libnode.so.115", 1, false}, {"node", 11, true}, {"shop", 1, true}};

	(void)state;
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		struct rig r;
		rig_init(&r, &deadline_detector);
		r.s.stack = rig_stack(&r, "uv__io_poll", rows[row].module);
		script_epoll_create(&r.s, 3);
		script_event(&r.s, (struct event){.id = WIRE_PIPE, .fd = 10, .a1 = 11});
		script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 10, EPOLLIN);
		connect_to(&r, 5);
		script_nonblock(&r.s, 5, true);
		script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 5, EPOLLIN);
		script_write(&r.s, 5, RIG_GET);
		for (int i = 0; i < rows[row].minutes * 121; i++) {
			script_epoll_wait(&r.s, 3, 499 * (int64_t)SCRIPT_MSEC, -1, 0);
			script_tick(&r.s);
		}
		rig_finish(&r);
		const char *evidence = rig_text(&r, 0, "phase", "response", "evidence", NULL);
		printf("%s, %d min: %s\n", rows[row].module, rows[row].minutes, evidence);
		assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), rows[row].decided ? "none" : "unknown");
		assert_int_equal(strncmp(evidence, "undecided: the clock ticks", 26) == 0, !rows[row].decided);
		rig_done(&r);
	}
}

/* Slices without data: three of the same length show that nobody counts; two say nothing. */
static void test_slices(void **state)
{
	(void)state;
	for (int slices = 2; slices <= 3; slices++) {
		struct rig r;
		start(&r);
		connect_to(&r, 5);
		script_nonblock(&r.s, 5, true);
		script_write(&r.s, 5, RIG_GET);
		for (int i = 0; i < slices; i++)
			script_poll(&r.s, 5, POLLIN, 0, (int64_t)SCRIPT_SEC);
		script_poll(&r.s, 5, POLLIN, POLLIN, (int64_t)SCRIPT_SEC);
		script_read(&r.s, 5, RIG_200);
		script_close(&r.s, 5);
		rig_finish(&r);
		assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), slices == 3 ? "none" : "unknown");
		assert_int_equal(rig_found(&r, "deadline.response.missing") != NULL, slices == 3);
		rig_done(&r);
	}
}

/* Slices, but the program gave up in the end: what it did outweighs what it looked like. */
static void test_slices_then_give_up(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	connect_to(&r, 5);
	script_nonblock(&r.s, 5, true);
	script_write(&r.s, 5, RIG_GET);
	for (int i = 0; i < 5; i++)
		script_poll(&r.s, 5, POLLIN, 0, (int64_t)SCRIPT_SEC);
	script_close(&r.s, 5);
	rig_finish(&r);
	assert_null(rig_found(&r, "deadline.response.missing"));
	assert_string_equal(rig_text(&r, 0, "phase", "response", "confidence", NULL), "proven");
	double seconds = rig_number(&r, 0, "phase", "response", "seconds", NULL);
	assert_true(seconds > 4.9 && seconds < 5.1);
	rig_done(&r);
}

/* Limits that fall towards one moment are a deadline of the whole. */
static void test_falling_remainders(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	connect_to(&r, 5);
	script_nonblock(&r.s, 5, true);
	script_write(&r.s, 5, RIG_GET);
	script_took(&r.s, 2 * SCRIPT_SEC);
	script_poll_set(&r.s, &(struct wire_pollfd){.fd = 5, .events = POLLIN}, 1, 10 * (int64_t)SCRIPT_SEC, EINTR);
	script_took(&r.s, SCRIPT_SEC);
	script_poll(&r.s, 5, POLLIN, POLLIN, 8 * (int64_t)SCRIPT_SEC);
	script_read(&r.s, 5, RIG_200);
	script_close(&r.s, 5);
	rig_finish(&r);
	assert_string_equal(rig_text(&r, 0, "verdict", NULL), "total");
	double seconds = rig_number(&r, 0, "phase", "total", "seconds", NULL);
	assert_true(seconds > 9.9 && seconds < 10.1);
	rig_done(&r);
}

/* Slices of what is left, the last of which ends late, because its process gets no processor: the moment that it was for counts. */
static void test_last_slice_late(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	connect_to(&r, 5);
	script_nonblock(&r.s, 5, true);
	script_write(&r.s, 5, RIG_GET);
	script_took(&r.s, SCRIPT_SEC);
	script_poll(&r.s, 5, POLLIN, 0, SCRIPT_SEC);
	script_took(&r.s, 1340 * SCRIPT_MSEC);
	script_poll(&r.s, 5, POLLIN, 0, SCRIPT_SEC);
	script_close(&r.s, 5);
	rig_finish(&r);
	rig_print(&r);
	const double seconds = rig_number(&r, 0, "phase", "response", "seconds", NULL);
	assert_string_equal(rig_text(&r, 0, "phase", "response", "confidence", NULL), "proven");
	assert_true(seconds > 1.99 && seconds < 2.01);
	rig_done(&r);
}

/* alarm() with a handler that interrupts bounds a blocking read, and so does one without any handler; with SA_RESTART nobody knows. */
static void test_alarm(void **state)
{
	(void)state;
	for (int way = 0; way < 3; way++) {
		const bool restart = way == 1, handler = way < 2;
		struct rig r;
		start(&r);
		if (handler)
			script_event(&r.s,
				     (struct event){.id = WIRE_SIGACTION, .fd = -1, .a0 = 14, .a1 = restart ? 0x10000000 : 0});
		script_event(&r.s, (struct event){.id = WIRE_ITIMER, .fd = -1, .a1 = 3 * SCRIPT_SEC});
		connect_to(&r, 5);
		script_write(&r.s, 5, RIG_GET);
		script_took(&r.s, 300 * SCRIPT_MSEC);
		script_read(&r.s, 5, RIG_200);
		script_close(&r.s, 5);
		rig_finish(&r);
		assert_string_equal(rig_text(&r, 0, "verdict", NULL), restart ? "undecided" : "total");
		assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), restart ? "unknown" : "finite");
		assert_null(rig_found(&r, "deadline.response.missing"));
		rig_done(&r);
	}
}

/* An alarm was set for the call that it covers, although its process got no processor before it made it; one that is mostly over was not. */
static void test_alarm_long_before(void **state)
{
	(void)state;
	for (int spent = 0; spent < 2; spent++) {
		struct rig r;
		start(&r);
		script_event(&r.s, (struct event){.id = WIRE_SIGACTION, .fd = -1, .a0 = 14});
		script_event(&r.s, (struct event){.id = WIRE_ITIMER, .fd = -1, .a1 = 3 * SCRIPT_SEC});
		script_pass(&r.s, (spent ? 2000 : 1200) * SCRIPT_MSEC);
		connect_to(&r, 5);
		script_write(&r.s, 5, RIG_GET);
		script_took(&r.s, 300 * SCRIPT_MSEC);
		script_read(&r.s, 5, RIG_200);
		script_close(&r.s, 5);
		rig_finish(&r);
		const double seconds = rig_number(&r, 0, "phase", "total", "seconds", NULL);
		assert_true(spent ? seconds < 1.1 : seconds == 3.0);
		rig_done(&r);
	}
}

/* A watchdog thread shuts the socket down: bounded after all, and no finding though the call itself has no limit. */
static void test_watchdog_thread(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	connect_to(&r, 5);
	script_write(&r.s, 5, RIG_GET);
	uint64_t since = r.s.now;
	script_pass(&r.s, 2 * SCRIPT_SEC);
	script_inflight(&r.s, WIRE_READ, 5, WAIT_INFINITE, since);
	script_tick(&r.s);
	script_pass(&r.s, SCRIPT_SEC);
	r.s.tid = 101;
	script_shutdown(&r.s, 5, SHUT_RDWR);
	r.s.tid = 0;
	script_close(&r.s, 5);
	rig_finish(&r);
	rig_print(&r);
	assert_null(rig_found(&r, "deadline.response.missing"));
	assert_string_equal(rig_text(&r, 0, "verdict", NULL), "total");
	assert_string_equal(rig_text(&r, 0, "phase", "total", "confidence", NULL), "proven");
	rig_done(&r);
}

/* A connection from before it was watched, without a byte: closed after a while it waited for a peer that speaks first; still open, what it
 * waits for is not known, and that is told. */
static void test_greeting_from_before(void **state)
{
	(void)state;
	for (int closed = 0; closed < 2; closed++) {
		struct rig r;
		start(&r);
		const uint64_t made = r.s.now;
		script_pass(&r.s, SCRIPT_SEC);
		connected_before(&r, 5);
		script_event(&r.s, (struct event){.id = WIRE_OUTSTANDING, .fd = 5, .a0 = 1, .t0 = made, .t1 = r.s.now});
		script_pass(&r.s, 2 * SCRIPT_SEC);
		if (closed)
			script_close(&r.s, 5);
		rig_finish(&r);
		rig_print(&r);
		assert_int_equal(r.found_n, 0);
		assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), closed ? "finite" : "unknown");
		if (closed)
			assert_true(rig_number(&r, 0, "phase", "response", "seconds", NULL) >= 3.0);
		else
			assert_non_null(strstr(rig_text(&r, 0, "phase", "response", "evidence", NULL), "undecided: "));
		rig_done(&r);
	}
}

/* Its waits are not seen, but it looks once more for the answer and then closes: it gave up. A look long before says nothing. */
static void test_last_look(void **state)
{
	(void)state;
	for (int last = 0; last < 2; last++) {
		struct rig r;
		start(&r);
		connect_to(&r, 5);
		script_nonblock(&r.s, 5, true);
		script_write(&r.s, 5, RIG_GET);
		if (!last)
			script_read_err(&r.s, 5, EAGAIN);
		script_pass(&r.s, 3 * SCRIPT_SEC);
		if (last)
			script_read_err(&r.s, 5, EAGAIN);
		script_close(&r.s, 5);
		rig_finish(&r);
		assert_string_equal(rig_text(&r, 0, "phase", "response", "bound", NULL), last ? "finite" : "unknown");
		if (last) {
			const double seconds = rig_number(&r, 0, "phase", "response", "seconds", NULL);
			assert_true(seconds > 2.99 && seconds < 3.01);
		}
		rig_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_loop_gives_up),
		cmocka_unit_test(test_event_loop_timers),
		cmocka_unit_test(test_library_clock),
		cmocka_unit_test(test_stated),
		cmocka_unit_test(test_far_timer),
		cmocka_unit_test(test_read_of_what_was_announced),
		cmocka_unit_test(test_stream_taken_back),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_slices_then_give_up),
		cmocka_unit_test(test_falling_remainders),
		cmocka_unit_test(test_last_slice_late),
		cmocka_unit_test(test_alarm),
		cmocka_unit_test(test_alarm_long_before),
		cmocka_unit_test(test_watchdog_thread),
		cmocka_unit_test(test_greeting_from_before),
		cmocka_unit_test(test_last_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
