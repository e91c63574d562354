/* Waits of single calls: which calls wait, with what limit, and how they end. */
#include "test.h"

#include "model/waiting.h"

static void reads_and_writes_that_block(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_write(&f.s, 5, "x");
	script_read(&f.s, 5, "y");
	witness_is(&f.w, "wait 5 write by call ready limit infinite of 1\nwait 5 read by call ready limit infinite of 1\n");
	script_rcvtimeo(&f.s, 5, 1500 * SCRIPT_MSEC);
	script_took(&f.s, 1500 * SCRIPT_MSEC);
	script_read_err(&f.s, 5, EAGAIN);
	script_read_err(&f.s, 5, EINTR);
	script_read_err(&f.s, 5, ECONNRESET);
	witness_is(&f.w, "wait 5 read by call timed-out limit 1500ms of 1\nwait 5 read by call interrupted limit 1500ms of 1\n"
			 "wait 5 read by call failed limit 1500ms of 1\n");
	script_done(&f.s);
}

static void calls_that_do_not_wait(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_event(&f.s, (struct event){.id = WIRE_READ, .fd = 5, .ret = -1, .err = EAGAIN, .a0 = 1, .a1 = MSG_DONTWAIT});
	script_event(&f.s, (struct event){.id = WIRE_READ, .fd = 5, .ret = 1, .a0 = 1, .flags = WIRE_F_NONBLOCK});
	script_nonblock(&f.s, 5, true);
	script_read_err(&f.s, 5, EAGAIN);
	script_write(&f.s, 5, "x");
	witness_is(&f.w, "");
	script_nonblock(&f.s, 5, false);
	script_read(&f.s, 5, "x");
	witness_is(&f.w, "wait 5 read by call ready limit infinite of 1\n");
	/* Made non-blocking where nobody looked: the first EAGAIN shows it. */
	script_read_err(&f.s, 5, EAGAIN);
	script_read(&f.s, 5, "x");
	witness_is(&f.w, "");
	assert_true(model_conn(f.s.model, 100, 5)->nonblocking);
	/* A file is not waited for. */
	script_open(&f.s, 6, "/etc/hosts", O_RDONLY);
	script_event(&f.s, (struct event){.id = WIRE_READ, .fd = 6, .ret = 10, .a0 = 10});
	witness_is(&f.w, "");
	script_done(&f.s);
}

static void connects(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_socket(&f.s, 6);
	script_connect(&f.s, 6, "10.0.0.9", 80, ETIMEDOUT);
	witness_is(&f.w, "wait 6 connect by call failed limit infinite of 1\n");
	script_socket(&f.s, 7);
	script_sndtimeo(&f.s, 7, 2 * SCRIPT_SEC);
	script_event(&f.s, (struct event){.id = WIRE_CONNECT, .fd = 7, .ret = -1, .err = EINPROGRESS});
	witness_is(&f.w, "wait 7 connect by call timed-out limit 2000ms of 1\n");
	script_socket(&f.s, 8);
	script_connect(&f.s, 8, "10.0.0.9", 80, EINPROGRESS);
	witness_is(&f.w, "");
	script_done(&f.s);
}

static void accepts(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_listen(&f.s, 3, 80);
	script_accept(&f.s, 3, 9, "10.0.0.7", 4000);
	witness_is(&f.w, "wait 3 accept by call ready limit infinite of 1\n");
	script_done(&f.s);
}

static void messages_have_a_limit_of_their_own(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_event(&f.s, (struct event){.id = WIRE_RECVMMSG, .fd = 5, .ret = 1, .a0 = 20, .a1 = (uint64_t)(200 * SCRIPT_MSEC)});
	script_event(&f.s, (struct event){.id = WIRE_RECVMMSG, .fd = 5, .ret = 1, .a0 = 20, .a1 = (uint64_t)-1});
	witness_is(&f.w, "wait 5 read by call ready limit 200ms of 1\nwait 5 read by call ready limit infinite of 1\n");
	assert_int_equal(model_conn(f.s.model, 100, 5)->bytes_in, 40);
	script_done(&f.s);
}

static void sleeps(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_sleep(&f.s, 250 * SCRIPT_MSEC);
	script_event(&f.s, (struct event){.id = WIRE_SLEEP, .fd = -1, .ret = -1, .err = EINTR, .a1 = SCRIPT_SEC});
	witness_is(&f.w, "wait - sleep by sleep timed-out limit 250ms of 0\nwait - sleep by sleep interrupted limit 1000ms of 0\n");
	script_done(&f.s);
}

/* Waits for other threads are told if they have a limit: a watchdog sleeps so. */
static void waits_for_threads(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_event(&f.s, (struct event){.id = WIRE_COND_WAIT, .fd = -1, .a1 = (uint64_t)-1});
	script_event(&f.s, (struct event){.id = WIRE_COND_WAIT, .fd = -1, .a1 = 3 * SCRIPT_SEC});
	script_event(&f.s, (struct event){.id = WIRE_COND_WAIT, .fd = -1, .a1 = 3 * SCRIPT_SEC, .err = ETIMEDOUT});
	script_inflight(&f.s, WIRE_COND_WAIT, -1, 3 * (int64_t)SCRIPT_SEC, f.s.now);
	script_inflight(&f.s, WIRE_COND_WAIT, -1, -1, f.s.now);
	witness_is(&f.w, "wait - sleep by cond ready limit 3000ms of 0\nwait - sleep by cond timed-out limit 3000ms of 0\n"
			 "wait - sleep by cond pending limit 3000ms of 0\n");
	script_done(&f.s);
}

TEST_MAIN(cmocka_unit_test(waits_for_threads), cmocka_unit_test(reads_and_writes_that_block),
	  cmocka_unit_test(calls_that_do_not_wait), cmocka_unit_test(connects), cmocka_unit_test(accepts),
	  cmocka_unit_test(messages_have_a_limit_of_their_own), cmocka_unit_test(sleeps))
