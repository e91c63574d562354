/* translate.c: each shape of system call becomes the record that the shim would have made of it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "probes/translate.h"
#include "test.h"

#define WALL_NS 1000000000000000000ULL

static struct translated to;

static struct wire_record *make(uint16_t nr, int64_t ret, const uint64_t *args, const void *data, uint32_t len)
{
	struct probe_call c = {.kind = PROBE_CALL,
			       .nr = nr,
			       .t0 = 5000000000ULL,
			       .t1 = 6000000000ULL,
			       .ret = ret,
			       .limit = -1,
			       .data_len = len,
			       .wanted = len,
			       .site = 7,
			       .policy = WIRE_POLICY_HEAD_1K};

	memcpy(c.args, args, sizeof(c.args));
	return translate_call(&c, data, WALL_NS, &to) ? &to.record : NULL;
}
#define MAKE(nr, ret, data, len, ...) make(nr, ret, (const uint64_t[6]){__VA_ARGS__}, data, len)

static void transfers(void **state)
{
	const struct wire_record *r = MAKE(SYS_recvfrom, 3, "abc", 3, 9, 0x1000, 512, MSG_PEEK | MSG_DONTWAIT);

	(void)state;
	assert_non_null(r);
	assert_int_equal(r->event, WIRE_READ);
	assert_int_equal(r->fd, 9);
	assert_int_equal(r->a0, 512);
	assert_int_equal(r->ret, 3);
	assert_int_equal(r->site, 7);
	assert_int_equal(r->t1, 6000000000ULL);
	assert_int_equal(r->flags, WIRE_F_SOCKET_CALL | WIRE_F_PEEK | WIRE_F_NONBLOCK);
	assert_memory_equal(to.data, "abc", 3);
	r = MAKE(SYS_read, -EAGAIN, NULL, 0, 4, 0x1000, 100);
	assert_int_equal(r->ret, -1);
	assert_int_equal(r->err, EAGAIN);
	r = MAKE(SYS_pwrite64, 5, "12345", 5, 4, 0x1000, 5, 0);
	assert_int_equal(r->event, WIRE_WRITE);
	assert_int_equal(r->flags, WIRE_F_POSITIONED);
	r = MAKE(SYS_sendmmsg, 2, "x", 1, 4, 0x1000, 2, 0, 0, 300);
	assert_int_equal(r->event, WIRE_SENDMMSG);
	assert_int_equal(r->a0, 300);
}

static void what_a_policy_leaves_out_is_not_told(void **state)
{
	struct probe_call c = {.nr = SYS_read, .ret = 1, .args = {5}, .policy = WIRE_POLICY_NONE};

	(void)state;
	assert_false(translate_call(&c, NULL, 0, &to));
	c.policy = WIRE_POLICY_SINK; /* reads of a log */
	assert_false(translate_call(&c, NULL, 0, &to));
	c.nr = SYS_write;
	assert_true(translate_call(&c, NULL, 0, &to));
	assert_int_equal(to.record.flags, WIRE_F_SINK);
	c.wanted = 100;
	assert_true(translate_call(&c, NULL, 0, &to));
	assert_int_equal(to.record.flags, WIRE_F_SINK | WIRE_F_TRUNCATED);
	c.nr = 511;
	assert_false(translate_call(&c, NULL, 0, &to));
}

static void descriptors(void **state)
{
	const uint32_t pair[2] = {7, 8}, on = 1;
	const uint64_t second_and_half[2] = {1, 500000};
	const struct wire_record *r = MAKE(SYS_socket, 6, NULL, 0, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)state;
	assert_int_equal(r->fd, 6);
	assert_int_equal(r->a0, (uint64_t)AF_INET << 32 | SOCK_STREAM | SOCK_NONBLOCK);
	assert_int_equal(r->flags, WIRE_F_NONBLOCK);
	r = MAKE(SYS_socketpair, 0, pair, 8, AF_UNIX, SOCK_STREAM, 0, 0x1000);
	assert_int_equal(r->fd, 7);
	assert_int_equal(r->a1, 8);
	assert_int_equal(r->data_len, 0);
	r = MAKE(SYS_pipe2, 0, pair, 8, 0x1000, O_CLOEXEC);
	assert_int_equal(r->fd, 7);
	assert_int_equal(r->a1, 8);
	assert_int_equal(r->a0, O_CLOEXEC);
	r = MAKE(SYS_connect, -EINPROGRESS, "\2\0", 2, 6, 0x1000, 16);
	assert_int_equal(r->a1, 1);
	assert_int_equal(r->flags, WIRE_F_NONBLOCK);
	assert_int_equal(r->data_len, 2);
	r = MAKE(SYS_accept4, 11, "\2\0", 2, 3, 0, 0, SOCK_CLOEXEC);
	assert_int_equal(r->event, WIRE_ACCEPT);
	assert_int_equal(r->fd, 3);
	assert_int_equal(r->ret, 11);
	assert_int_equal(r->a0, SOCK_CLOEXEC);
	r = MAKE(SYS_setsockopt, 0, second_and_half, 16, 6, SOL_SOCKET, SO_RCVTIMEO, 0x1000, 16);
	assert_int_equal(r->a1, 1500000000ULL);
	assert_int_equal(r->a0, (uint64_t)SOL_SOCKET << 32 | SO_RCVTIMEO);
	assert_null(MAKE(SYS_getsockopt, 0, &on, 4, 6, SOL_SOCKET, SO_RCVBUF, 0x1000, 0x2000));
	assert_non_null(MAKE(SYS_getsockopt, 0, &on, 4, 6, SOL_SOCKET, SO_ERROR, 0x1000, 0x2000));
	r = MAKE(SYS_fcntl, 0, NULL, 0, 6, F_SETFL, O_NONBLOCK);
	assert_int_equal(r->event, WIRE_SETFL);
	assert_int_equal(r->a0, O_NONBLOCK);
	r = MAKE(SYS_fcntl, 12, NULL, 0, 6, F_DUPFD_CLOEXEC, 10);
	assert_int_equal(r->event, WIRE_DUP);
	assert_int_equal(r->a0, O_CLOEXEC);
	assert_null(MAKE(SYS_fcntl, 2, NULL, 0, 6, F_GETFL, 0));
	assert_int_equal(MAKE(SYS_ioctl, 0, &on, 4, 6, FIONBIO, 0x1000)->a0, O_NONBLOCK);
	assert_null(MAKE(SYS_ioctl, 0, &on, 4, 6, TIOCGWINSZ, 0x1000));
	r = MAKE(SYS_close_range, 0, NULL, 0, 3, UINT32_MAX);
	assert_int_equal(r->event, WIRE_CLOSE);
	assert_int_equal(r->flags, WIRE_F_RANGE);
	assert_int_equal(r->a0, UINT32_MAX);
}

static void sets_of_descriptors(void **state)
{
	struct probe_select s = {0};
	const struct {
		uint32_t events;
		uint64_t data;
	} __attribute__((packed)) ready[2] = {{EPOLLIN, 77}, {EPOLLOUT, 1ULL << 40}};
	const struct wire_pollfd *polled = (const struct wire_pollfd *)(const void *)to.made;
	const struct wire_epoll *list = (const struct wire_epoll *)(const void *)to.made;
	const struct wire_record *r;
	uint32_t events;

	(void)state;
	s.asked[0][1] = 1;    /* 8 for reading */
	s.asked[1][1] = 3;    /* 8 and 9 for writing */
	s.answered[1][1] = 2; /* 9 is ready */
	r = MAKE(SYS_pselect6, 1, &s, sizeof(s), 10, 1, 1, 1);
	assert_int_equal(r->event, WIRE_POLL);
	assert_int_equal(r->a0, 2);
	assert_int_equal(r->data_len, 2 * sizeof(*polled));
	assert_int_equal(polled[0].fd, 8);
	assert_int_equal(polled[0].events, 5);
	assert_int_equal(polled[0].revents, 0);
	assert_int_equal(polled[1].fd, 9);
	assert_int_equal(polled[1].revents, 4);
	r = MAKE(SYS_epoll_pwait, 2, ready, sizeof(ready), 3, 0x1000, 64, (uint64_t)-1);
	assert_int_equal(r->event, WIRE_EPOLL_WAIT);
	assert_int_equal(r->a1, (uint64_t)-1);
	assert_int_equal(r->data_len, 2 * sizeof(*list));
	assert_int_equal(list[0].data, 77);
	assert_int_equal(list[1].events, EPOLLOUT);
	assert_int_equal(list[1].data, 1ULL << 40);
	r = MAKE(SYS_epoll_ctl, 0, ready, 12, 3, EPOLL_CTL_ADD, 9, 0x1000);
	assert_int_equal(r->a0, (uint64_t)EPOLL_CTL_ADD << 32 | 9);
	assert_int_equal(r->a1, 77);
	memcpy(&events, to.data, sizeof(events));
	assert_int_equal(events, EPOLLIN);
	assert_int_equal(MAKE(SYS_epoll_create1, 5, NULL, 0, 0)->fd, 5);
}

static void times(void **state)
{
	const uint64_t spec[4] = {0, 0, 2, 5}; /* once, after 2 s and 5 ns */
	const uint64_t wall[4] = {0, 0, WALL_NS / 1000000000U + 8, 0};
	struct probe_call c = {
		.nr = SYS_clock_nanosleep, .t0 = 5000000000ULL, .limit = 7000000000LL, .args = {CLOCK_MONOTONIC, TIMER_ABSTIME}};

	(void)state;
	assert_true(translate_call(&c, NULL, WALL_NS, &to));
	assert_int_equal(to.record.a1, 2000000000ULL);
	c.args[1] = 0;
	assert_true(translate_call(&c, NULL, WALL_NS, &to));
	assert_int_equal(to.record.a1, 7000000000ULL);
	assert_int_equal(MAKE(SYS_timerfd_settime, 0, spec, 32, 5, 0, 0x1000)->a1, 2000000005ULL);
	/* An absolute time of day: 8 s after the clock's zero, made 5 s after it. */
	assert_int_equal(MAKE(SYS_timerfd_settime, 0, wall, 32, 5, TIMER_ABSTIME, 0x1000)->a1, 3000000000ULL);
	/* An absolute time that is past already is not "disarmed". */
	assert_int_equal(MAKE(SYS_timerfd_settime, 0, spec, 32, 5, TIMER_ABSTIME, 0x1000)->a1, 1);
	assert_int_equal(MAKE(SYS_setitimer, 0, spec, 32, 0, 0x1000)->a1, 2000005000ULL);
	assert_null(MAKE(SYS_setitimer, 0, spec, 32, 1, 0x1000)); /* not of real time */
}

static void waits_are_known_by_their_call(void **state)
{
	struct probe_slot slot = {.nr = SYS_epoll_pwait, .args = {3, 0, 0, 250}};
	int fd = 0;

	(void)state;
	assert_int_equal(translate_waiting(&slot, &fd), WIRE_EPOLL_WAIT);
	assert_int_equal(fd, 3);
	assert_int_equal(translate_limit(&slot), 250000000);
	slot.args[3] = UINT32_MAX;
	assert_int_equal(translate_limit(&slot), -1);
	slot.nr = SYS_ppoll;
	assert_int_equal(translate_waiting(&slot, &fd), WIRE_POLL);
	assert_int_equal(fd, -1);
	slot.nr = SYS_close;
	assert_int_equal(translate_waiting(&slot, &fd), 0);
}

static void every_row_has_a_rule(void **state)
{
	struct probe_rule rules[PROBE_SYSCALLS] = {0};
	size_t n = 0;

	(void)state;
	translate_rules(rules);
	for (uint16_t nr = 0; nr < PROBE_SYSCALLS; nr++)
		n += (rules[nr].flags & RULE_WATCH) != 0;
	assert_true(n >= 50);
	assert_true(rules[SYS_read].flags & RULE_READS);
	assert_int_equal(rules[SYS_getpid].flags, 0);
}

static void events_of_calls(void **state)
{
	(void)state;
	assert_int_equal(translate_event(SYS_read), WIRE_READ);
	assert_int_equal(translate_event(SYS_writev), WIRE_WRITE);
	assert_int_equal(translate_event(SYS_getpid), 0);
}

TEST_MAIN(cmocka_unit_test(events_of_calls), cmocka_unit_test(transfers), cmocka_unit_test(what_a_policy_leaves_out_is_not_told),
	  cmocka_unit_test(descriptors), cmocka_unit_test(sets_of_descriptors), cmocka_unit_test(times),
	  cmocka_unit_test(waits_are_known_by_their_call), cmocka_unit_test(every_row_has_a_rule))
