/*
 * How a phase ends: what was told while it went on is taken back, an exit counts only if the wait caused it, and bodies that drip.
 */
#include <netinet/tcp.h>

#include "detectors/deadline_rig.h"

static void connected(struct rig *r)
{
	rig_init(r, &deadline_detector);
	r->s.stack = rig_stack(r, "charge", "shop");
	script_socket(&r->s, 5);
	script_connect(&r->s, 5, "10.0.0.9", 443, 0);
}

static const char *bound(const struct rig *r, const char *phase)
{
	return rig_text(r, 0, "phase", phase, "bound", NULL);
}

static double seconds(const struct rig *r, const char *phase)
{
	return rig_number(r, 0, "phase", phase, "seconds", NULL);
}

/* While it waits, nobody gives up; when the process closes it after 3 s, that was its bound. */
static void test_taken_back(void **state)
{
	struct rig r;

	(void)state;
	connected(&r);
	uint64_t since = r.s.now;
	script_write(&r.s, 5, RIG_GET);
	for (int second = 1; second <= 3; second++) {
		script_pass(&r.s, SCRIPT_SEC);
		script_inflight(&r.s, WIRE_READ, 5, WAIT_INFINITE, since);
		script_tick(&r.s);
	}
	script_close(&r.s, 5);
	rig_finish(&r);
	assert_string_equal(bound(&r, "response"), "finite");
	assert_true(seconds(&r, "response") > 2.9 && seconds(&r, "response") < 3.1);
	assert_int_equal(rig_found(&r, "deadline.response.missing") != NULL, false);
	rig_done(&r);
}

/* SO_RCVTIMEO of 3 s ran out. Its own thread's exit is giving up; being killed is not, nor is another thread's exit. */
static void test_exit(void **state)
{
	enum { BY_ITSELF, BY_ANOTHER, KILLED, CASES };

	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct rig r;
		connected(&r);
		script_rcvtimeo(&r.s, 5, 3 * SCRIPT_SEC);
		script_write(&r.s, 5, RIG_GET);
		script_took(&r.s, 3 * SCRIPT_SEC);
		script_read_err(&r.s, 5, EAGAIN);
		if (i == BY_ANOTHER)
			r.s.tid = 101;
		if (i != KILLED)
			script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .fd = -1, .ret = 1});
		r.s.tid = 0;
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
		rig_finish(&r);
		assert_string_equal(bound(&r, "response"), "finite");
		assert_string_equal(rig_text(&r, 0, "phase", "response", "confidence", NULL),
				    i == BY_ITSELF ? "proven" : "suspected");
		rig_done(&r);
	}
}

/* Slices of a second, and a signal after 25 s: nothing was given up. */
static void test_killed_between_slices(void **state)
{
	struct rig r;

	(void)state;
	connected(&r);
	script_write(&r.s, 5, RIG_GET);
	for (int i = 0; i < 25; i++)
		script_poll(&r.s, 5, POLLIN, 0, (int64_t)SCRIPT_SEC);
	script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
	rig_finish(&r);
	assert_string_equal(bound(&r, "response"), "none");
	rig_done(&r);
}

static void drip(struct rig *r, int drops, uint64_t limit)
{
	script_rcvtimeo(&r->s, 5, limit);
	script_write(&r->s, 5, RIG_GET);
	script_read(&r->s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx");
	for (int i = 0; i < drops; i++) {
		script_took(&r->s, SCRIPT_SEC);
		script_read(&r->s, 5, "x");
	}
}

/* A byte a second, and a limit of 3 s for each: the whole has none, also if the service closes it because it was asked to end. */
static void test_drip_without_end(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		const int drops = i ? 9 : 1;
		const bool asked = i == 2;
		struct rig r;
		connected(&r);
		drip(&r, drops, 3 * SCRIPT_SEC);
		if (asked) {
			script_event(&r.s, (struct event){.id = WIRE_STOPPING, .fd = -1});
			script_close(&r.s, 5);
		}
		rig_finish(&r);
		assert_string_equal(bound(&r, "total"), drops > 5 ? "none" : "unknown");
		assert_int_equal(rig_found(&r, "deadline.total.missing") != NULL, drops > 5);
		rig_done(&r);
	}
}

/* Left in the middle of a drip: it was the whole that had a limit. */
static void test_drip_left(void **state)
{
	struct rig r;

	(void)state;
	connected(&r);
	drip(&r, 3, SCRIPT_SEC);
	script_close(&r.s, 5);
	rig_finish(&r);
	assert_string_equal(bound(&r, "total"), "finite");
	assert_true(seconds(&r, "total") > 2.9 && seconds(&r, "total") < 3.1);
	rig_done(&r);
}

/* The peer has not said a word, and slices go by: a deadline on connecting may be looked at between them, until the kernel's has passed. */
static void test_slices_while_set_up(void **state)
{
	(void)state;
	for (int slices = 25; slices < 200; slices += 125) {
		struct rig r;
		connected(&r);
		script_write(&r.s, 5, "\1\2\3startup");
		for (int i = 0; i < slices; i++)
			script_poll(&r.s, 5, POLLIN, 0, (int64_t)SCRIPT_SEC);
		rig_finish(&r);
		assert_string_equal(bound(&r, "response"), slices > 134 ? "none" : "unknown");
		assert_int_equal(rig_found(&r, "deadline.response.missing") != NULL, slices > 134);
		rig_done(&r);
	}
}

/* By attach: only where what was sent may have been a part of the set-up, and who waits is no library that asks as soon as it is connected. */
static void test_slices_from_before(void **state)
{
	enum { ASKED, SET_UP, SET_UP_BY_CURL, CASES };

	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct rig r;
		rig_init(&r, &deadline_detector);
		r.s.stack = rig_stack(&r, "wait", i == SET_UP_BY_CURL ? "libcurl.so.4" : "shop");
		connected_before(&r, 5);
		script_event(&r.s, (struct event){.id = WIRE_OUTSTANDING,
						  .fd = 5,
						  .a0 = i != ASKED ? WIRE_OUTSTANDING_SET_UP : WIRE_OUTSTANDING_ASKED,
						  .t0 = r.s.now,
						  .t1 = r.s.now});
		for (int n = 0; n < 25; n++)
			script_poll(&r.s, 5, POLLIN, 0, (int64_t)SCRIPT_SEC);
		rig_finish(&r);
		assert_string_equal(bound(&r, "response"), i == SET_UP ? "unknown" : "none");
		rig_done(&r);
	}
}

/* By attach: nobody has said anything on it, and then the process is killed. That much is told. */
static void test_silent_from_before(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &deadline_detector);
	connected_before(&r, 5);
	script_event(&r.s,
		     (struct event){.id = WIRE_OUTSTANDING, .fd = 5, .a0 = WIRE_OUTSTANDING_FRESH, .t0 = r.s.now, .t1 = r.s.now});
	script_pass(&r.s, 20 * SCRIPT_SEC);
	script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
	rig_finish(&r);
	assert_string_equal(bound(&r, "response"), "unknown");
	rig_done(&r);
}

/* A connect in slices: the kernel's bound, unless a library made it that leaves its deadline to whoever waits. */
static void test_connect_in_slices(void **state)
{
	static const char *const modules[] = {"libcurl.so.4", "libpq-9b38f5e3.so.5.17"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rig r;
		rig_init(&r, &deadline_detector);
		r.s.stack = rig_stack(&r, "connect", modules[i]);
		script_socket(&r.s, 5);
		script_connect(&r.s, 5, "10.0.0.9", 443, EINPROGRESS);
		for (int k = 0; k < 25; k++)
			script_poll(&r.s, 5, POLLOUT, 0, (int64_t)SCRIPT_SEC);
		rig_finish(&r);
		assert_string_equal(bound(&r, "connect"), i ? "unknown" : "kernel");
		rig_done(&r);
	}
}

/* Each is given up after 10 s, but the next begins every 2 s: 10 s is not how long its caller waits, if the pace is even. Begun at once after each
 * other, or by and by, they are calls of their own. */
static void test_next_began(void **state)
{
	static const struct {
		const char *what;
		uint64_t begin_ms[5];
		const char *says;
	} cases[] = {
		{"even", {0, 2000, 4010, 6020, 8000}, "unknown"},
		{"even, once it has begun", {0, 1400, 3410, 5420, 7400}, "unknown"},
		{"as they come", {0, 700, 3900, 4800, 8000}, "finite"},
		{"at once", {0, 1, 2, 3, 4}, "finite"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig r;
		rig_init(&r, &deadline_detector);
		r.s.stack = rig_stack(&r, "fetch", "shop");
		const uint64_t start = r.s.now;
		script_epoll_create(&r.s, 3);
		for (int k = 0; k < 5; k++) {
			r.s.now = start + cases[i].begin_ms[k] * SCRIPT_MSEC;
			script_socket(&r.s, 10 + k);
			script_connect(&r.s, 10 + k, "10.0.0.9", 443, EINPROGRESS);
			script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 10 + k, EPOLLOUT);
			script_epoll_wait(&r.s, 3, 9 * (int64_t)SCRIPT_SEC, 99, EPOLLIN); /* something else */
		}
		r.s.now = start + 10 * SCRIPT_SEC;
		script_close(&r.s, 10);
		rig_finish(&r);
		if (strcmp(bound(&r, "connect"), cases[i].says) != 0)
			rig_print(&r);
		assert_string_equal(bound(&r, "connect"), cases[i].says);
		rig_done(&r);
	}
}

/* It has spoken before: what waits in slices now is no set-up. */
static void test_slices_after_set_up(void **state)
{
	struct rig r;

	(void)state;
	connected(&r);
	script_write(&r.s, 5, "\1\2\3startup");
	script_read(&r.s, 5, "\4ready");
	script_write(&r.s, 5, "\1query");
	for (int i = 0; i < 25; i++)
		script_poll(&r.s, 5, POLLIN, 0, (int64_t)SCRIPT_SEC);
	rig_finish(&r);
	assert_string_equal(bound(&r, "response"), "none");
	rig_done(&r);
}

/* The caller waits for the drip in another thread, with a limit that is still to come. */
static void test_drip_under_a_watchdog(void **state)
{
	struct rig r;

	(void)state;
	connected(&r);
	const uint64_t began = r.s.now;
	drip(&r, 2, 3 * SCRIPT_SEC);
	script_event(&r.s, (struct event){.id = WIRE_INFLIGHT,
					  .tid = 101,
					  .fd = -1,
					  .t0 = began,
					  .t1 = r.s.now,
					  .a0 = WIRE_COND_WAIT,
					  .a1 = 30 * SCRIPT_SEC});
	for (int i = 0; i < 6; i++) {
		script_took(&r.s, SCRIPT_SEC / 2);
		script_read(&r.s, 5, "x");
	}
	rig_finish(&r);
	assert_string_equal(bound(&r, "total"), "unknown");
	assert_null(rig_found(&r, "deadline.total.missing"));
	rig_done(&r);
}

/* The service is asked to end and closes what waits, before or after the news of it: nothing was given up. */
static void test_asked_to_end(void **state)
{
	enum { NEWS_FIRST, NEWS_LATER, NO_NEWS, WAYS };

	(void)state;
	for (int way = 0; way < WAYS; way++) {
		for (int exits = 0; exits < 2; exits++) {
			struct rig r;
			connected(&r);
			script_write(&r.s, 5, RIG_GET);
			script_took(&r.s, 10 * SCRIPT_SEC);
			script_read_err(&r.s, 5, EINTR);
			if (way == NEWS_FIRST)
				script_event(&r.s, (struct event){.id = WIRE_STOPPING, .fd = -1});
			if (!exits)
				script_close(&r.s, 5);
			if (way == NEWS_LATER)
				script_event(&r.s, (struct event){.id = WIRE_STOPPING, .fd = -1});
			script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .fd = -1});
			script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
			rig_finish(&r);
			assert_string_equal(bound(&r, "response"), way == NO_NEWS ? "finite" : "none");
			rig_done(&r);
		}
	}
}

/* A poll announced the bytes: the blocking read that fetches them does not wait. */
static void test_read_after_poll(void **state)
{
	struct rig r;

	(void)state;
	connected(&r);
	script_write(&r.s, 5, RIG_GET);
	script_poll(&r.s, 5, POLLIN, POLLIN, 3 * (int64_t)SCRIPT_SEC);
	script_read(&r.s, 5, RIG_200);
	rig_finish(&r);
	assert_string_equal(bound(&r, "response"), "finite");
	assert_true(seconds(&r, "response") == 3.0);
	rig_done(&r);
}

/* The answer was announced and left unread: whatever that is, nobody gave up waiting. */
static void test_announced_is_no_give_up(void **state)
{
	struct rig r;

	(void)state;
	connected(&r);
	script_write(&r.s, 5, RIG_GET);
	script_took(&r.s, 300 * SCRIPT_MSEC);
	script_poll(&r.s, 5, POLLIN, POLLIN, 3 * (int64_t)SCRIPT_SEC);
	script_close(&r.s, 5);
	rig_finish(&r);
	assert_string_equal(bound(&r, "response"), "finite");
	assert_true(seconds(&r, "response") == 3.0);
	assert_string_equal(rig_text(&r, 0, "phase", "response", "confidence", NULL), "suspected");
	rig_done(&r);
}

/* A question that is dated behind the connection's end, as what was looked up and what was seen can be told: it waited for no time, not for 584
 * years. */
static void test_ended_before_it_began(void **state)
{
	(void)state;
	for (int closed = 0; closed <= 1; closed++) {
		struct rig r;
		connected(&r);
		script_event(&r.s, (struct event){.id = WIRE_OUTSTANDING, .fd = 5, .t0 = r.s.now + SCRIPT_SEC});
		if (closed)
			script_close(&r.s, 5);
		rig_finish(&r);
		assert_null(rig_found(&r, "deadline.response.missing"));
		assert_string_equal(bound(&r, "response"), "unknown");
		rig_done(&r);
	}
}

/* By attach: a blocking read of which nobody sees what it brought, and then its thread closes. It was an answer, unless the read's own limit, or an
 * alarm, comes first, or another thread closes. */
static void test_answer_unseen(void **state)
{
	enum { BY_ITSELF, BY_ANOTHER, LIMITED, AT_ITS_LIMIT, ALARMED, CASES };
	static const char *const want[CASES] = {"none", "finite", "finite", "finite", "finite"};
	static const double seconds[CASES] = {-1, 2, 3, 2, 2};

	(void)state;
	for (int i = 0; i < CASES; i++) {
		const int64_t limit = i == LIMITED        ? 3 * (int64_t)SCRIPT_SEC
				      : i == AT_ITS_LIMIT ? 2 * (int64_t)SCRIPT_SEC
							  : WAIT_INFINITE;
		struct rig r;
		rig_init(&r, &deadline_detector);
		connected_before(&r, 5);
		script_rcvtimeo(&r.s, 5, limit < 0 ? 0 : (uint64_t)limit);
		const uint64_t asked = r.s.now;
		script_event(
			&r.s,
			(struct event){.id = WIRE_OUTSTANDING, .fd = 5, .a0 = WIRE_OUTSTANDING_ASKED, .t0 = asked, .t1 = asked});
		if (i == ALARMED)
			script_event(&r.s, (struct event){.id = WIRE_ITIMER, .fd = -1, .a1 = 2 * SCRIPT_SEC});
		script_pass(&r.s, SCRIPT_SEC);
		script_inflight(&r.s, WIRE_READ, 5, limit, asked);
		script_pass(&r.s, SCRIPT_SEC + SCRIPT_MSEC);
		r.s.tid = i == BY_ANOTHER ? 101 : 0;
		script_close(&r.s, 5);
		rig_finish(&r);
		const double is = rig_number(&r, 0, "phase", "response", "seconds", NULL);
		assert_string_equal(bound(&r, "response"), want[i]);
		assert_true(is > seconds[i] - 0.05 && is < seconds[i] + 0.05);
		rig_done(&r);
	}
}

/* By attach: connect() was under way. Of a blocking one nobody sees how it returned: its own thread closes, and it may have failed, unless its limit was
 * up; another thread's close, or one behind a poll, is what ended it. */
static void test_connect_from_before(void **state)
{
	enum { BY_ITSELF, BY_ANOTHER, AT_ITS_LIMIT, BEFORE_ITS_LIMIT, POLLED, SYN_COUNT, GOES_ON, CASES };
	static const char *const want[CASES] = {"unknown", "finite", "finite", "unknown", "finite", "finite", "kernel"};
	const struct sockaddr_in to = script_address("10.0.0.9", 443);

	(void)state;
	for (int i = 0; i < CASES; i++) {
		const int64_t limit = i == AT_ITS_LIMIT       ? 3 * (int64_t)SCRIPT_SEC
				      : i == BEFORE_ITS_LIMIT ? 9 * (int64_t)SCRIPT_SEC
							      : WAIT_INFINITE;
		struct rig r;
		rig_init(&r, &deadline_detector);
		script_pass(&r.s, SCRIPT_SEC);
		connected_before(&r, 5);
		script_nonblock(&r.s, 5, i == POLLED);
		script_sndtimeo(&r.s, 5, limit < 0 ? 0 : (uint64_t)limit);
		if (i == SYN_COUNT)
			script_setsockopt(&r.s, 5, IPPROTO_TCP, TCP_SYNCNT, 1);
		/* it had gone on for a second */
		const uint64_t since = r.s.now - SCRIPT_SEC;
		script_event(&r.s, (struct event){.id = WIRE_CONNECTING,
						  .flags = WIRE_F_BEFORE,
						  .fd = 5,
						  .t0 = since,
						  .t1 = r.s.now,
						  .data = (const uint8_t *)&to,
						  .data_len = sizeof(to)});
		script_pass(&r.s, SCRIPT_SEC);
		if (i == POLLED) {
			const struct wire_pollfd set = {.fd = 5, .events = POLLOUT};
			script_event(&r.s, (struct event){.id = WIRE_INFLIGHT,
							  .fd = 5,
							  .t0 = since,
							  .t1 = r.s.now,
							  .a0 = WIRE_POLL,
							  .a1 = 3 * SCRIPT_SEC,
							  .data = (const uint8_t *)&set,
							  .data_len = sizeof(set)});
		} else {
			script_inflight(&r.s, WIRE_CONNECT, 5, limit, since);
		}
		r.s.now = since + 3 * SCRIPT_SEC + SCRIPT_MSEC;
		r.s.tid = i == BY_ANOTHER ? 101 : 0;
		if (i != GOES_ON)
			script_close(&r.s, 5);
		rig_finish(&r);
		assert_string_equal(bound(&r, "connect"), want[i]);
		if (strcmp(want[i], "finite") == 0)
			assert_true(seconds(&r, "connect") > 2.95 && seconds(&r, "connect") < 3.05);
		rig_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect_from_before),
		cmocka_unit_test(test_ended_before_it_began),
		cmocka_unit_test(test_taken_back),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_killed_between_slices),
		cmocka_unit_test(test_drip_without_end),
		cmocka_unit_test(test_drip_left),
		cmocka_unit_test(test_announced_is_no_give_up),
		cmocka_unit_test(test_asked_to_end),
		cmocka_unit_test(test_slices_while_set_up),
		cmocka_unit_test(test_silent_from_before),
		cmocka_unit_test(test_slices_after_set_up),
		cmocka_unit_test(test_slices_from_before),
		cmocka_unit_test(test_connect_in_slices),
		cmocka_unit_test(test_next_began),
		cmocka_unit_test(test_drip_under_a_watchdog),
		cmocka_unit_test(test_read_after_poll),
		cmocka_unit_test(test_answer_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
