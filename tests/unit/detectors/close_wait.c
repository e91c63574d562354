/*
 * Sockets in CLOSE_WAIT: several, unused, for long; not what is worked on, and not a pool of idle ones.
 */
#include "detectors/samples.h"

#define RULE "resource.close_wait"

static void accept_some(struct rig *r, int n)
{
	script_listen(&r->s, 3, 80);
	for (int i = 0; i < n; i++) {
		script_accept(&r->s, 3, 10 + i, "10.1.1.1", 40000);
		script_read(&r->s, 10 + i, "hello");
	}
}

static void round_of(struct rig *r, int n)
{
	for (int i = 0; i < n; i++)
		sample_socket(&r->s, 10 + i, SAMPLE_CLOSE_WAIT, (struct sample_socket){.queue = 1});
}

/* `n` accepted ones lie in CLOSE_WAIT for so long, answered or not. */
static uint64_t left(int n, unsigned int seconds, bool answered)
{
	struct rig r;

	rig_init(&r, &close_wait_detector);
	accept_some(&r, n);
	for (int i = 0; answered && i < n; i++)
		script_write(&r.s, 10 + i, "bye");
	for (unsigned int i = 0; i < seconds; i++) {
		const uint64_t now = r.s.now;

		sample_counts(&r.s, 1, 9);
		r.s.now = now; /* one round, one time */
		for (int k = 0; k < n; k++) {
			r.s.now = now;
			sample_socket(&r.s, 10 + k, SAMPLE_CLOSE_WAIT, (struct sample_socket){.queue = 1});
		}
		sample_second(&r.s);
	}
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, RULE);
	const uint64_t count = f ? f->count : 0;
	rig_done(&r);
	return count;
}

static void test_accepted(void **state)
{
	(void)state;
	assert_int_equal(left(5, 30, true), 5);
	assert_int_equal(left(5, 80, false), 5);
	assert_int_equal(left(2, 80, true), 0);  /* too few */
	assert_int_equal(left(5, 10, true), 0);  /* not for long */
	assert_int_equal(left(5, 40, false), 0); /* they may be worked on */
}

/* Closed in time: each is seen once or twice. */
static void test_closed(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &close_wait_detector);
	accept_some(&r, 6);
	sample_counts(&r.s, 1, 9);
	round_of(&r, 6);
	for (int i = 0; i < 6; i++)
		script_close(&r.s, 10 + i);
	for (unsigned int i = 0; i < 60; i++) {
		sample_counts(&r.s, 1, 9);
		sample_second(&r.s);
	}
	rig_finish(&r);
	assert_null(rig_found(&r, RULE));
	rig_done(&r);
}

/* Connections of the service's own, whose peers close: one a second, or all at once. */
static bool connected(bool at_once)
{
	struct rig r;
	int open = 0;

	rig_init(&r, &close_wait_detector);
	for (int i = 0; i < 60; i++) {
		for (; open <= i && open < 40 && (!at_once || i == 0 || open < 40); open++) {
			script_socket(&r.s, 10 + open);
			script_connect(&r.s, 10 + open, "10.0.0.9", 80, 0);
			if (!at_once)
				continue;
			for (; open < 39; open++) {
				script_socket(&r.s, 11 + open);
				script_connect(&r.s, 11 + open, "10.0.0.9", 80, 0);
			}
		}
		const uint64_t now = r.s.now;
		sample_counts(&r.s, 1, 9);
		for (int k = 0; k < open; k++) {
			r.s.now = now;
			sample_socket(&r.s, 10 + k, SAMPLE_CLOSE_WAIT, (struct sample_socket){0});
		}
		sample_second(&r.s);
	}
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, RULE);
	if (f)
		assert_string_equal(f->peer, "10.0.0.9:80");
	rig_done(&r);
	return f != NULL;
}

static void test_connected(void **state)
{
	(void)state;
	assert_true(connected(false));
	assert_false(connected(true)); /* a pool whose server went away */
}

TEST_MAIN(cmocka_unit_test(test_accepted), cmocka_unit_test(test_closed), cmocka_unit_test(test_connected))
