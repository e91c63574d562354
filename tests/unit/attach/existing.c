/* Sockets of a child, as events: roles, peers, options, epoll sets. */
#include "attach/existing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

#include "attach/target.h"

#define KERNEL_TICK_NS 10000000U /* the kernel's own times are this exact */

struct seen {
	int client, server, listener, set, timer;
	bool roles_right, nonblocking, limit, member, asked, timed;
	uint64_t began_ns;
};

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static void on_event(void *ctx, const struct event *e)
{
	struct seen *s = ctx;
	const uint64_t role = e->a1 >> WIRE_ROLE_SHIFT & WIRE_ROLE_MASK;

	if (e->id == WIRE_OUTSTANDING && e->fd == s->client) {
		s->asked =
			e->t0 + KERNEL_TICK_NS >= s->began_ns && e->t1 >= e->t0 && e->t1 >= s->began_ns && e->t1 <= monotonic_ns();
		return;
	}
	assert_int_equal(e->t1, 42);
	if (e->id == WIRE_FD_KIND && e->fd == s->client)
		s->roles_right &= role == WIRE_ROLE_CLIENT && e->data_len >= sizeof(struct sockaddr_in);
	if (e->id == WIRE_FD_KIND && e->fd == s->server)
		s->roles_right &= role == WIRE_ROLE_SERVER;
	if (e->id == WIRE_FD_KIND && e->fd == s->listener)
		s->roles_right &= role == WIRE_ROLE_LISTENER && e->a1 >> WIRE_DOMAIN_SHIFT == AF_INET &&
				  (e->a1 >> WIRE_TYPE_SHIFT & 0xff) == SOCK_STREAM;
	if (e->id == WIRE_FD_KIND && e->fd == s->server)
		s->nonblocking = e->a1 & O_NONBLOCK;
	if (e->id == WIRE_SETSOCKOPT && e->fd == s->client && e->a0 == ((uint64_t)SOL_SOCKET << 32 | SO_RCVTIMEO))
		s->limit = e->a1 == 2500000000U;
	if (e->id == WIRE_TIMERFD_SETTIME && e->fd == s->timer)
		s->timed = e->a0 == 0 && e->a1 > 30000000000U && e->a1 <= 33000000000U;
	if (e->id == WIRE_EPOLL_CTL && e->fd == s->set)
		s->member = (uint32_t)e->a0 == (uint32_t)s->server && e->a1 == 77 && e->data_len == sizeof(uint32_t);
}

static void test_sockets(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval limit = {.tv_sec = 2, .tv_usec = 500000};
	struct epoll_event member = {.events = EPOLLIN, .data.u64 = 77};
	socklen_t len = sizeof(a);
	struct seen s = {.roles_right = true, .began_ns = monotonic_ns()};
	struct target child;

	(void)state;
	s.listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s.listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s.listener, 1), 0);
	assert_int_equal(getsockname(s.listener, (struct sockaddr *)&a, &len), 0);
	s.client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(s.client, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(setsockopt(s.client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	s.server = accept4(s.listener, NULL, NULL, SOCK_NONBLOCK);
	assert_int_equal(send(s.client, "q", 1, 0), 1);
	s.set = epoll_create1(0);
	assert_int_equal(epoll_ctl(s.set, EPOLL_CTL_ADD, s.server, &member), 0);
	s.timer = timerfd_create(CLOCK_MONOTONIC, 0);
	assert_int_equal(timerfd_settime(s.timer, 0, &(struct itimerspec){.it_value.tv_sec = 33}, NULL), 0);
	child = target_start();
	assert_true(existing_tell(child.pid, 42, on_event, &s) >= 4);
	assert_true(s.roles_right);
	assert_true(s.nonblocking);
	assert_true(s.limit);
	assert_true(s.member);
	assert_true(s.asked);
	assert_true(s.timed);
	assert_int_equal(existing_tell(3999999, 42, on_event, &s), -ESRCH);
	close(s.timer);
	close(s.set);
	close(s.server);
	close(s.client);
	close(s.listener);
	target_end(&child);
}

TEST_MAIN(cmocka_unit_test(test_sockets))
