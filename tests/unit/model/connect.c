/* Connection attempts: told once each, with the end that was proven. */
#include "test.h"

#include "model/witness.h"

struct fixture {
	struct script s;
	struct witness w;
};

static void begin(struct fixture *f, int err)
{
	script_init(&f->s);
	witness_init(&f->w, f->s.model, "connect close");
	script_socket(&f->s, 5);
	if (err == EINPROGRESS)
		script_nonblock(&f->s, 5, true);
	script_connect(&f->s, 5, "10.0.0.9", 80, err);
}

static void blocking(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 0);
	witness_is(&f.w, "connect 5 10.0.0.9:80 ok 1us\n");
	script_done(&f.s);
	begin(&f, ECONNREFUSED);
	witness_is(&f.w, "connect 5 10.0.0.9:80 ECONNREFUSED 1us\n");
	script_close(&f.s, 5);
	witness_is(&f.w, "close 5 connect-failed\n");
	script_done(&f.s);
}

static void poll_and_so_error(void **state)
{
	struct fixture f;

	(void)state;
	for (int err = 0; err <= ECONNREFUSED; err += ECONNREFUSED) {
		begin(&f, EINPROGRESS);
		script_took(&f.s, 10 * SCRIPT_MSEC);
		script_poll(&f.s, 5, POLLOUT, POLLOUT, 1000 * (int64_t)SCRIPT_MSEC);
		witness_is(&f.w, ""); /* select says writable for a failed one, too */
		script_pass(&f.s, SCRIPT_SEC);
		script_so_error(&f.s, 5, err);
		witness_is(&f.w, err ? "connect 5 10.0.0.9:80 ECONNREFUSED 10001us\n" : "connect 5 10.0.0.9:80 ok 10001us\n");
		script_so_error(&f.s, 5, 0);
		witness_is(&f.w, "");
		script_done(&f.s);
	}
}

/* select, where one buffer for two sets keeps nothing of what it found but the count. */
static void a_select_that_keeps_its_count_only(void **state)
{
	const struct wire_pollfd set = {.fd = 5, .events = POLLOUT | POLLPRI};
	struct fixture f;

	(void)state;
	begin(&f, EINPROGRESS);
	script_event(&f.s, (struct event){.id = WIRE_POLL,
					  .fd = -1,
					  .ret = 1,
					  .a0 = 1,
					  .a1 = 4 * SCRIPT_SEC,
					  .data = (const uint8_t *)&set,
					  .data_len = sizeof(set)});
	script_so_error(&f.s, 5, 0);
	witness_is(&f.w, "connect 5 10.0.0.9:80 ok 2us\n");
	script_done(&f.s);
}

static void so_error_zero_before_the_end_proves_nothing(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, EINPROGRESS);
	script_so_error(&f.s, 5, 0);
	witness_is(&f.w, "");
	assert_int_equal(model_conn(f.s.model, 100, 5)->connect_err, EINPROGRESS);
	script_done(&f.s);
}

static void data_proves(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, EINPROGRESS);
	script_write_err(&f.s, 5, EAGAIN);
	witness_is(&f.w, "");
	script_write(&f.s, 5, "x");
	witness_is(&f.w, "connect 5 10.0.0.9:80 ok 3us\n");
	script_done(&f.s);

	begin(&f, EINPROGRESS);
	script_poll(&f.s, 5, POLLOUT, POLLOUT, WAIT_INFINITE);
	script_read_err(&f.s, 5, EAGAIN); /* waits for a greeting */
	witness_is(&f.w, "connect 5 10.0.0.9:80 ok 2us\n");
	script_done(&f.s);

	begin(&f, EINPROGRESS);
	script_read_err(&f.s, 5, ECONNREFUSED);
	witness_is(&f.w, "connect 5 10.0.0.9:80 ECONNREFUSED 2us\n");
	script_done(&f.s);
}

static void epoll_proves_success_but_not_failure(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, EINPROGRESS);
	script_epoll_create(&f.s, 7);
	script_epoll_ctl(&f.s, 7, EPOLL_CTL_ADD, 5, EPOLLOUT);
	script_epoll_wait(&f.s, 7, WAIT_INFINITE, 5, EPOLLOUT);
	witness_is(&f.w, "connect 5 10.0.0.9:80 ok 4us\n");
	script_done(&f.s);

	begin(&f, EINPROGRESS);
	script_epoll_create(&f.s, 7);
	script_epoll_ctl(&f.s, 7, EPOLL_CTL_ADD, 5, EPOLLOUT);
	script_epoll_wait(&f.s, 7, WAIT_INFINITE, 5, EPOLLOUT | EPOLLERR | EPOLLHUP);
	witness_is(&f.w, "");
	script_so_error(&f.s, 5, EHOSTUNREACH);
	witness_is(&f.w, "connect 5 10.0.0.9:80 EHOSTUNREACH 4us\n");
	script_done(&f.s);
}

static void asked_again_is_not_another_attempt(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, EINPROGRESS);
	script_connect(&f.s, 5, "10.0.0.9", 80, EALREADY);
	witness_is(&f.w, "");
	script_connect(&f.s, 5, "10.0.0.9", 80, EISCONN);
	witness_is(&f.w, "connect 5 10.0.0.9:80 ok 3us\n");
	script_connect(&f.s, 5, "10.0.0.9", 80, EISCONN);
	witness_is(&f.w, "");
	script_done(&f.s);
}

static void after_a_failure_the_same_socket_may_try_again(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, ECONNREFUSED);
	script_connect(&f.s, 5, "10.0.0.9", 80, 0);
	witness_is(&f.w, "connect 5 10.0.0.9:80 ECONNREFUSED 1us\nconnect 5 10.0.0.9:80 ok 1us\n");
	assert_int_equal(model_conn(f.s.model, 100, 5)->end, CONN_OPEN);
	script_done(&f.s);
}

static void given_up(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, EINPROGRESS);
	script_poll(&f.s, 5, POLLOUT, 0, 3 * (int64_t)SCRIPT_SEC);
	script_close(&f.s, 5);
	witness_is(&f.w, "connect 5 10.0.0.9:80 ETIMEDOUT 3000002us\nclose 5 connect-failed\n");
	script_done(&f.s);

	begin(&f, EINPROGRESS);
	script_close(&f.s, 5); /* another address was faster */
	witness_is(&f.w, "connect 5 10.0.0.9:80 ECANCELED 2us\nclose 5 by-us\n");
	script_done(&f.s);
}

static void interrupted_goes_on(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, EINTR);
	witness_is(&f.w, "");
	script_write(&f.s, 5, "x");
	witness_is(&f.w, "connect 5 10.0.0.9:80 ok 2us\n");
	script_done(&f.s);
}

static void datagram_sockets_attempt_nothing(void **state)
{
	struct fixture f;

	(void)state;
	script_init(&f.s);
	witness_init(&f.w, f.s.model, "connect wait");
	script_socket_of(&f.s, 5, AF_INET, SOCK_DGRAM);
	script_connect(&f.s, 5, "10.0.0.2", 53, 0);
	witness_is(&f.w, "");
	assert_string_equal(model_conn(f.s.model, 100, 5)->peer, "10.0.0.2:53");
	assert_int_equal(model_conn(f.s.model, 100, 5)->role, CONN_CLIENT);
	script_done(&f.s);
}

static void announce(struct script *s, int fd)
{
	const struct sockaddr_in to = script_address("10.0.0.9", 80);

	script_event(s, (struct event){.id = WIRE_CONNECTING, .fd = fd, .data = (const uint8_t *)&to, .data_len = sizeof(to)});
}

/* connect was entered: its peer is known at once, its end is told once, whether it returns or is left. */
static void announced(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "connect wait");
	script_socket(&s, 5);
	announce(&s, 5);
	assert_string_equal(model_conn(s.model, 100, 5)->peer, "10.0.0.9:80");
	script_took(&s, 2 * SCRIPT_MSEC);
	script_connect(&s, 5, "10.0.0.9", 80, 0);
	witness_is(&w, "wait 5 connect by call ready limit infinite of 1\nconnect 5 10.0.0.9:80 ok 2000us\n");
	script_socket(&s, 6);
	announce(&s, 6);
	script_pass(&s, 3 * SCRIPT_SEC);
	script_inflight(&s, WIRE_CONNECT, 6, -1, s.now - 3 * SCRIPT_SEC);
	script_close(&s, 6);
	witness_is(&w, "wait 6 connect by call pending limit infinite of 1\nconnect 6 10.0.0.9:80 ECANCELED 3000002us\n");
	script_done(&s);
}

/* An attempt from before we watched: it goes on when connect asks how it fares, and its end is told once. */
static void from_before(void **state)
{
	const struct sockaddr_in to = script_address("10.0.0.9", 80);
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "connect");
	script_event(&s, (struct event){.id = WIRE_FD_KIND,
					.fd = 5,
					.a0 = WIRE_FD_SOCKET,
					.a1 = O_NONBLOCK,
					.data = (const uint8_t *)&to,
					.data_len = sizeof(to)});
	script_event(&s, (struct event){.id = WIRE_CONNECTING,
					.flags = WIRE_F_BEFORE,
					.fd = 5,
					.data = (const uint8_t *)&to,
					.data_len = sizeof(to)});
	assert_true(model_conn(s.model, 100, 5)->connect_before);
	script_pass(&s, SCRIPT_MSEC);
	script_connect(&s, 5, "10.0.0.9", 80, EALREADY);
	witness_is(&w, "");
	script_so_error(&s, 5, ECONNREFUSED);
	witness_is(&w, "connect 5 10.0.0.9:80 ECONNREFUSED 1003us\n");
	script_connect(&s, 5, "10.0.0.9", 80, ECONNREFUSED);
	assert_false(model_conn(s.model, 100, 5)->connect_before);
	script_done(&s);
}

/* SO_SNDTIMEO that ran out looks like a non-blocking socket to the shim. */
static void send_timeout(void **state)
{
	const struct sockaddr_in to = script_address("10.0.0.9", 80);
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "connect wait");
	script_socket(&s, 5);
	script_sndtimeo(&s, 5, 2 * SCRIPT_SEC);
	script_took(&s, 2 * SCRIPT_SEC);
	script_event(&s, (struct event){.id = WIRE_CONNECT,
					.fd = 5,
					.ret = -1,
					.err = EINPROGRESS,
					.flags = WIRE_F_NONBLOCK,
					.a1 = 1,
					.data = (const uint8_t *)&to,
					.data_len = sizeof(to)});
	assert_false(model_conn(s.model, 100, 5)->nonblocking);
	script_close(&s, 5);
	witness_is(&w, "wait 5 connect by call timed-out limit 2000ms of 1\nconnect 5 10.0.0.9:80 ETIMEDOUT 2000001us\n");
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(announced), cmocka_unit_test(from_before), cmocka_unit_test(send_timeout), cmocka_unit_test(blocking),
	  cmocka_unit_test(poll_and_so_error), cmocka_unit_test(a_select_that_keeps_its_count_only),
	  cmocka_unit_test(so_error_zero_before_the_end_proves_nothing), cmocka_unit_test(data_proves),
	  cmocka_unit_test(epoll_proves_success_but_not_failure), cmocka_unit_test(asked_again_is_not_another_attempt),
	  cmocka_unit_test(after_a_failure_the_same_socket_may_try_again), cmocka_unit_test(given_up),
	  cmocka_unit_test(interrupted_goes_on), cmocka_unit_test(datagram_sockets_attempt_nothing))
