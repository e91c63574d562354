/*
 * Timers that the kernel keeps for a process, as watchdogs: while one is pending nobody knows whether it ends the wait; what it does when it fires is
 * evidence; once it has fired and the wait goes on, it does not.
 */
#include "detectors/deadline.h"
#include "detectors/deadline_rig.h"

#define SA_RESTARTS 0x10000000U

enum timer_kind { POSIX, ALARM, TIMERFD, KINDS };

static void set_timer(struct rig *r, enum timer_kind kind, uint64_t first, uint64_t period)
{
	static const uint16_t ids[KINDS] = {WIRE_TIMER_SETTIME, WIRE_ITIMER, WIRE_TIMERFD_SETTIME};
	static const uint64_t number = 7;
	struct event e = {.id = ids[kind], .fd = kind == TIMERFD ? 9 : -1, .a0 = period, .a1 = first};

	if (kind == POSIX) {
		e.data = (const uint8_t *)&number;
		e.data_len = sizeof number;
	}
	script_event(&r->s, e);
}

static void begin(struct rig *r)
{
	start(r);
	script_event(&r->s, (struct event){.id = WIRE_SIGACTION, .fd = -1, .a0 = 14, .a1 = SA_RESTARTS});
}

static void ask(struct rig *r)
{
	connect_to(r, 5);
	script_write(&r->s, 5, RIG_GET);
}

static void wait_on(struct rig *r, uint64_t since, int seconds)
{
	for (int i = 0; i < seconds; i++) {
		script_pass(&r->s, SCRIPT_SEC);
		script_inflight(&r->s, WIRE_READ, 5, WAIT_INFINITE, since);
		script_tick(&r->s);
	}
}

static const char *response(const struct rig *r)
{
	return rig_text(r, 0, "phase", "response", "bound", NULL);
}

/* Answered while the timer is pending; it is stopped afterwards, or before anything was asked. */
static void test_pending(void **state)
{
	enum { STOPPED_LATER, STOPPED_BEFORE, PERIODIC_FROM_BEFORE, WAYS };

	(void)state;
	for (enum timer_kind kind = 0; kind < KINDS; kind++) {
		for (int way = 0; way < WAYS; way++) {
			struct rig r;
			begin(&r);
			set_timer(&r, kind, 3 * SCRIPT_SEC, way == PERIODIC_FROM_BEFORE ? 3 * SCRIPT_SEC : 0);
			if (way == STOPPED_BEFORE)
				set_timer(&r, kind, 0, 0);
			if (way == PERIODIC_FROM_BEFORE)
				script_pass(&r.s, 3 * SCRIPT_SEC / 2);
			ask(&r);
			script_took(&r.s, 300 * SCRIPT_MSEC);
			script_read(&r.s, 5, RIG_200);
			script_pass(&r.s, SCRIPT_USEC);
			set_timer(&r, kind, 0, 0);
			rig_finish(&r);
			assert_string_equal(response(&r), way == STOPPED_LATER ? "unknown" : "none");
			assert_int_equal(rig_found(&r, "deadline.response.missing") != NULL, way != STOPPED_LATER);
			rig_done(&r);
		}
	}
}

/* Set long before, for a longer job: it may still end the wait. A descriptor's timer is somebody's who reads it. */
static void test_longer_job(void **state)
{
	(void)state;
	for (enum timer_kind kind = 0; kind < KINDS; kind++) {
		struct rig r;
		begin(&r);
		set_timer(&r, kind, 30 * SCRIPT_SEC, 0);
		script_pass(&r.s, 10 * SCRIPT_SEC);
		ask(&r);
		script_took(&r.s, 300 * SCRIPT_MSEC);
		script_read(&r.s, 5, RIG_200);
		rig_finish(&r);
		assert_string_equal(response(&r), kind == TIMERFD ? "none" : "unknown");
		rig_done(&r);
	}
}

/* It fires, and the wait goes on: not that bound. */
static void test_outlived(void **state)
{
	(void)state;
	for (enum timer_kind kind = 0; kind < KINDS; kind++) {
		struct rig r;
		begin(&r);
		ask(&r);
		const uint64_t since = r.s.now;
		set_timer(&r, kind, 2 * SCRIPT_SEC, 0);
		wait_on(&r, since, 5);
		rig_finish(&r);
		assert_string_equal(response(&r), "none");
		rig_done(&r);
	}
}

/* A handler that sets its alarm anew ticks. */
static void test_ticks(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	set_timer(&r, ALARM, SCRIPT_SEC, 0);
	script_pass(&r.s, SCRIPT_SEC);
	set_timer(&r, ALARM, SCRIPT_SEC, 0);
	script_pass(&r.s, 300 * SCRIPT_MSEC);
	ask(&r);
	script_took(&r.s, 300 * SCRIPT_MSEC);
	script_read(&r.s, 5, RIG_200);
	rig_finish(&r);
	assert_string_equal(response(&r), "none");
	rig_done(&r);
}

/* It fires, and what ends the wait is not seen: the shutdown of a thread that was gone with the process, a handler that ends it, the signal itself. */
static void test_fired(void **state)
{
	enum { SHUT_UNSEEN, EXIT_BY_ANOTHER, KILLED, KILLED_LATER, WAYS };

	(void)state;
	for (int way = 0; way < WAYS; way++) {
		struct rig r;
		begin(&r);
		ask(&r);
		const uint64_t since = r.s.now;
		set_timer(&r, POSIX, 2 * SCRIPT_SEC, 0);
		wait_on(&r, since, 1);
		script_pass(&r.s, SCRIPT_SEC + 2 * SCRIPT_MSEC + (way == KILLED_LATER ? SCRIPT_SEC : 0));
		if (way == SHUT_UNSEEN) {
			script_event(&r.s, (struct event){.id = WIRE_READ, .fd = 5, .t0 = since, .t1 = r.s.now});
			script_close(&r.s, 5);
		} else if (way == EXIT_BY_ANOTHER) {
			r.s.tid = 101;
			script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .fd = -1});
		} else {
			script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .pid = r.s.pid, .fd = -1});
		}
		rig_finish(&r);
		assert_string_equal(response(&r), way == KILLED_LATER ? "none" : "finite");
		if (way != KILLED_LATER) {
			const double seconds = rig_number(&r, 0, "phase", "response", "seconds", NULL);
			assert_true(seconds > 1.8 && seconds < 2.2);
		}
		rig_done(&r);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pending), cmocka_unit_test(test_longer_job), cmocka_unit_test(test_outlived),
		cmocka_unit_test(test_ticks),   cmocka_unit_test(test_fired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
