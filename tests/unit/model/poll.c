/* poll and select: a wait a descriptor, and the last set of a thread. */
#include "test.h"

#include "model/waiting.h"

static void one_descriptor(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_poll(&f.s, 5, POLLIN, POLLIN, 500 * (int64_t)SCRIPT_MSEC);
	script_poll(&f.s, 5, POLLOUT, POLLOUT, WAIT_INFINITE);
	uint64_t before = f.s.now;
	script_poll(&f.s, 5, POLLIN, 0, 500 * (int64_t)SCRIPT_MSEC);
	assert_int_equal(f.s.now - before, 500 * SCRIPT_MSEC);
	witness_is(&f.w, "wait 5 read by poll ready limit 500ms of 1\nwait 5 write by poll ready limit infinite of 1\n"
			 "wait 5 read by poll timed-out limit 500ms of 1\n");
	script_poll(&f.s, 5, POLLIN, 0, 0); /* a look, not a wait */
	witness_is(&f.w, "");
	script_done(&f.s);
}

static void what_is_waited_for_is_seen_by_state(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_socket_of(&f.s, 6, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	script_connect(&f.s, 6, "10.0.0.9", 81, EINPROGRESS);
	script_poll(&f.s, 6, POLLOUT, POLLOUT, (int64_t)SCRIPT_SEC);
	script_listen(&f.s, 7, 80);
	script_poll(&f.s, 7, POLLIN, POLLIN, WAIT_INFINITE);
	witness_is(&f.w, "wait 6 connect by poll ready limit 1000ms of 1\nwait 7 accept by poll ready limit infinite of 1\n");
	script_done(&f.s);
}

static void a_set(void **state)
{
	struct fixture f;
	struct wire_pollfd set[] = {{.fd = 5, .events = POLLIN, .revents = POLLIN}, {.fd = -1}, {.fd = 6, .events = POLLIN}};

	(void)state;
	begin(&f);
	script_socket(&f.s, 6);
	script_connect(&f.s, 6, "10.0.0.9", 81, 0);
	f.w.text[f.w.len = 0] = 0;
	script_poll_set(&f.s, set, 3, WAIT_INFINITE, 0);
	witness_is(&f.w, "wait 5 read by poll ready limit infinite of 3\nwait 6 read by poll interrupted limit infinite of 3\n");
	set[0].revents = 0;
	script_poll_set(&f.s, set, 3, WAIT_INFINITE, EINTR);
	witness_is(&f.w,
		   "wait 5 read by poll interrupted limit infinite of 3\nwait 6 read by poll interrupted limit infinite of 3\n");
	script_done(&f.s);
}

static void without_descriptors_it_is_a_sleep(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_poll_set(&f.s, NULL, 0, 300 * (int64_t)SCRIPT_MSEC, 0);
	witness_is(&f.w, "wait - sleep by poll timed-out limit 300ms of 0\n");
	script_poll_set(&f.s, NULL, 0, WAIT_INFINITE, EINTR);
	witness_is(&f.w, "");
	script_done(&f.s);
}

/* So a Ruby thread sleeps. With a socket in the set, or without a limit, it is none. */
static void of_a_pipe_it_is_a_wait_for_a_thread(void **state)
{
	struct fixture f;
	struct wire_pollfd set[] = {{.fd = 20, .events = POLLIN}, {.fd = 5, .events = POLLIN}};

	(void)state;
	begin(&f);
	script_event(&f.s, (struct event){.id = WIRE_PIPE, .fd = 20, .a1 = 21});
	script_poll_set(&f.s, set, 1, 300 * (int64_t)SCRIPT_MSEC, 0);
	witness_is(&f.w, "wait - sleep by poll timed-out limit 300ms of 0\n");
	script_inflight(&f.s, WIRE_POLL, 20, 300 * (int64_t)SCRIPT_MSEC, f.s.now);
	witness_is(&f.w, "wait - sleep by poll pending limit 300ms of 0\n");
	script_poll_set(&f.s, set, 1, WAIT_INFINITE, EINTR);
	witness_is(&f.w, "");
	script_poll_set(&f.s, set, 2, 300 * (int64_t)SCRIPT_MSEC, 0);
	witness_is(&f.w, "wait 5 read by poll timed-out limit 300ms of 2\n");
	script_done(&f.s);
}

static void one_that_does_not_return(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_pass(&f.s, 2 * SCRIPT_SEC);
	script_inflight(&f.s, WIRE_POLL, -1, WAIT_INFINITE, SCRIPT_EPOCH); /* nothing is known of its set */
	witness_is(&f.w, "");
	script_inflight(&f.s, WIRE_POLL, 5, WAIT_INFINITE, SCRIPT_EPOCH);
	witness_is(&f.w, "wait 5 read by poll pending limit infinite of 1\n");
	script_poll(&f.s, 5, POLLOUT, POLLOUT, WAIT_INFINITE);
	f.w.text[f.w.len = 0] = 0;
	script_inflight(&f.s, WIRE_POLL, -1, 9000 * (int64_t)SCRIPT_MSEC, SCRIPT_EPOCH);
	witness_is(&f.w, "wait 5 write by poll pending limit 9000ms of 1\n");
	f.s.tid = 101; /* another thread polled nothing */
	script_inflight(&f.s, WIRE_POLL, -1, WAIT_INFINITE, SCRIPT_EPOCH);
	witness_is(&f.w, "");
	f.s.tid = 0;
	script_event(&f.s, (struct event){.id = WIRE_THREAD_EXIT, .fd = -1});
	script_inflight(&f.s, WIRE_POLL, -1, WAIT_INFINITE, SCRIPT_EPOCH);
	witness_is(&f.w, "");
	script_done(&f.s);
}

static void a_first_one_that_does_not_return(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_socket(&f.s, 6);
	script_connect(&f.s, 6, "10.0.0.9", 81, 0);
	script_write(&f.s, 5, "x");
	script_write(&f.s, 6, "x");
	script_read(&f.s, 6, "y");
	f.w.text[f.w.len = 0] = 0;
	script_inflight(&f.s, WIRE_POLL, -1, WAIT_INFINITE, f.s.now);
	witness_is(&f.w, "wait 5 read by poll pending limit infinite of 1\n");
	/* A set whose descriptors are gone says nothing. */
	script_poll(&f.s, 6, POLLIN, POLLIN, WAIT_INFINITE);
	script_close(&f.s, 6);
	f.w.text[f.w.len = 0] = 0;
	script_inflight(&f.s, WIRE_POLL, -1, WAIT_INFINITE, f.s.now);
	witness_is(&f.w, "wait 5 read by poll pending limit infinite of 1\n");
	assert_null(model_conn(f.s.model, 100, 6));
	script_read(&f.s, 5, "y");
	f.w.text[f.w.len = 0] = 0;
	script_inflight(&f.s, WIRE_POLL, -1, WAIT_INFINITE, f.s.now);
	witness_is(&f.w, "");
	/* It waits for the connection that it has begun, too. */
	script_socket(&f.s, 7);
	script_connect(&f.s, 7, "10.0.0.9", 82, EINPROGRESS);
	f.w.text[f.w.len = 0] = 0;
	script_inflight(&f.s, WIRE_POLL, -1, WAIT_INFINITE, f.s.now);
	witness_is(&f.w, "wait 7 connect by poll pending limit infinite of 1\n");
	script_done(&f.s);
}

/* Where its set could be read, nothing is guessed. */
static void one_whose_set_is_known(void **state)
{
	const struct wire_pollfd set[2] = {{.fd = 5, .events = POLLIN}, {.fd = 6, .events = POLLIN, .revents = POLLIN}};
	struct fixture f;

	(void)state;
	begin(&f);
	script_socket(&f.s, 6);
	script_connect(&f.s, 6, "10.0.0.9", 81, 0);
	f.w.text[f.w.len = 0] = 0;
	script_event(&f.s, (struct event){.id = WIRE_INFLIGHT,
					  .fd = -1,
					  .a0 = WIRE_POLL,
					  .a1 = (uint64_t)WAIT_INFINITE,
					  .data = (const uint8_t *)set,
					  .data_len = sizeof(set)});
	witness_is(&f.w, "wait 5 read by poll pending limit infinite of 2\nwait 6 read by poll pending limit infinite of 2\n");
	script_done(&f.s);
}

TEST_MAIN(cmocka_unit_test(one_whose_set_is_known), cmocka_unit_test(one_descriptor),
	  cmocka_unit_test(what_is_waited_for_is_seen_by_state), cmocka_unit_test(a_set),
	  cmocka_unit_test(without_descriptors_it_is_a_sleep), cmocka_unit_test(of_a_pipe_it_is_a_wait_for_a_thread),
	  cmocka_unit_test(one_that_does_not_return), cmocka_unit_test(a_first_one_that_does_not_return))
