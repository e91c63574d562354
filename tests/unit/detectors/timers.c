/*
 * Timers of event loops: how far they reach while an answer is outstanding, and which of them a question brought.
 */
#include "detectors/deadline_rig.h"

static void begin(struct rig *r)
{
	rig_init(r, &timers_detector);
	r->s.stack = rig_stack(r, "charge", "shop");
	connect_in_loop(r);
}

/* The loop slept with one limit, woke, asked, slept with another (milliseconds; -1 without), and the answer came. */
static void ask_on(struct rig *r, int fd, int64_t before_ms, int64_t during_ms)
{
	script_epoll_wait(&r->s, 3, before_ms < 0 ? -1 : before_ms * (int64_t)SCRIPT_MSEC, 20, EPOLLIN);
	script_write(&r->s, fd, RIG_GET);
	script_epoll_wait(&r->s, 3, 0, -1, 0);
	script_epoll_wait(&r->s, 3, during_ms < 0 ? -1 : during_ms * (int64_t)SCRIPT_MSEC, fd, EPOLLIN);
	script_read(&r->s, fd, RIG_200);
	script_pass(&r->s, SCRIPT_SEC);
}

static void ask(struct rig *r, int64_t before_ms, int64_t during_ms)
{
	ask_on(r, 5, before_ms, during_ms);
}

static json_int_t number(const struct rig *r, const char *list, size_t i, const char *key)
{
	return json_integer_value(json_object_get(json_array_get(json_object_get(json_array_get(r->section, 0), list), i), key));
}

static double seconds(const struct rig *r, const char *list, size_t i, const char *key)
{
	return json_number_value(json_object_get(json_array_get(json_object_get(json_array_get(r->section, 0), list), i), key));
}

static size_t rows(const struct rig *r, const char *list)
{
	return json_array_size(json_object_get(json_array_get(r->section, 0), list));
}

/* Each question brings a timer of 3 s, whatever others the loop has. */
static void test_brought(void **state)
{
	static const int64_t before_ms[] = {30000, 5000, -1, 4200, 3001, 900};
	struct rig r;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < sizeof before_ms / sizeof *before_ms; i++)
		ask(&r, before_ms[i], before_ms[i] == 900 ? 890 : i == 1 ? 2990 : 3000);
	rig_finish(&r);
	assert_int_equal(json_array_size(r.section), 1);
	assert_string_equal(rig_text(&r, 0, "peer", NULL), "10.0.0.9:443");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(r.section, 0), "operations")), 6);
	assert_int_equal(rows(&r, "timers"), 1);
	/* The first was asked on a new connection, before which no sleep was seen; 3.001 s would have been no longer, nor 0.9 s. */
	assert_int_equal(number(&r, "timers", 0, "operations"), 3);
	assert_float_equal(seconds(&r, "timers", 0, "seconds"), 3, 0.001);
	assert_int_equal(rows(&r, "reaches"), 1);
	assert_float_equal(seconds(&r, "reaches", 0, "from_s"), 2.828, 0.001);
	assert_int_equal(number(&r, "reaches", 0, "operations"), 5);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

/* None does: the loop sleeps as it would have. */
static void test_not_brought(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	for (int i = 0; i < 5; i++)
		ask(&r, 30000, 29990);
	ask(&r, 6000, 5990);
	rig_finish(&r);
	assert_int_equal(rows(&r, "timers"), 0);
	assert_int_equal(rows(&r, "reaches"), 2);
	assert_float_equal(seconds(&r, "reaches", 0, "from_s"), 5.657, 0.001);
	assert_float_equal(seconds(&r, "reaches", 1, "from_s"), 26.909, 0.001);
	assert_int_equal(number(&r, "reaches", 1, "operations"), 5);
	rig_done(&r);
}

/* Of an operation with more than one sleep the longest reach counts: a tick that comes first says nothing. */
static void test_longest(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	for (int i = 0; i < 2; i++) {
		script_epoll_wait(&r.s, 3, 30 * (int64_t)SCRIPT_SEC, 20, EPOLLIN);
		script_write(&r.s, 5, RIG_GET);
		script_epoll_wait(&r.s, 3, 1 * (int64_t)SCRIPT_MSEC, -1, 0);
		ask(&r, 20000, 10); /* a second question before the answer to the first: the loop's sleep is both's */
		script_read(&r.s, 5, RIG_200);
	}
	rig_finish(&r);
	assert_float_equal(rig_number(&r, 0, "longest_s", NULL), 20, 0.01);
	rig_done(&r);
}

/* Loops that sleep without a limit, ticks of less than a second, requests that were never answered: nothing to tell. */
static void test_nothing(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	for (int i = 0; i < 5; i++) {
		ask(&r, -1, -1);
		ask(&r, 30000, 900);
	}
	script_epoll_wait(&r.s, 3, 30 * (int64_t)SCRIPT_SEC, 20, EPOLLIN);
	script_write(&r.s, 5, RIG_GET);
	script_epoll_wait(&r.s, 3, 3 * (int64_t)SCRIPT_SEC, 20, EPOLLIN);
	script_close(&r.s, 5);
	rig_finish(&r);
	assert_null(r.section);
	rig_done(&r);
}

/* Lengths of all kinds: timers that lie around for anything else do not add up, and one that comes again finds a place. */
static void test_many_lengths(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	for (int i = 0; i < 40; i++) {
		ask(&r, 100000, 1500 + 400 * (i % 20));
		ask(&r, 100000, 11000);
	}
	rig_finish(&r);
	const size_t n = rows(&r, "timers");
	json_int_t most = 0;
	for (size_t i = 0; i < n; i++)
		if (number(&r, "timers", i, "operations") > most)
			most = number(&r, "timers", i, "operations");
	assert_int_equal(most, 40);
	rig_done(&r);
}

/* Questions that nobody answers make room for others. */
static void test_unanswered(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	script_epoll_wait(&r.s, 3, 30 * (int64_t)SCRIPT_SEC, 20, EPOLLIN);
	for (int i = 0; i < 300; i++)
		script_write(&r.s, 5, RIG_GET);
	connect_to(&r, 6);
	script_nonblock(&r.s, 6, true);
	script_epoll_ctl(&r.s, 3, EPOLL_CTL_ADD, 6, EPOLLIN);
	for (int i = 0; i < 3; i++)
		ask_on(&r, 6, 30000, 3000);
	rig_finish(&r);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(r.section, 0), "operations")), 3);
	assert_int_equal(number(&r, "timers", 0, "operations"), 3);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_brought), cmocka_unit_test(test_not_brought),  cmocka_unit_test(test_longest),
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_many_lengths), cmocka_unit_test(test_unanswered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
