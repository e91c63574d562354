/* translate_waits.c: polls, sleeps and timers become the records that the shim would have made of them. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>

#include "translated.h"

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
	/* A POSIX timer that is deleted is one that is stopped. */
	const struct wire_record *gone = MAKE(SYS_timer_delete, 0, NULL, 0, 7);
	assert_int_equal(gone->event, WIRE_TIMER_SETTIME);
	assert_true(gone->a0 == 0 && gone->a1 == 0 && gone->fd == -1);
	assert_int_equal(MAKE(SYS_setitimer, 0, spec, 32, 0, 0x1000)->a1, 2000005000ULL);
	assert_null(MAKE(SYS_setitimer, 0, spec, 32, 1, 0x1000)); /* not of real time */
}

TEST_MAIN(cmocka_unit_test(sets_of_descriptors), cmocka_unit_test(times))
