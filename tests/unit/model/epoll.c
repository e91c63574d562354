/* epoll sets: who is told of a wait, through dup, modification, close and limits. */
#include "test.h"

#include "model/witness.h"

struct fixture {
	struct script s;
	struct witness w;
};

static void client(struct script *s, int fd)
{
	script_socket_of(s, fd, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	script_connect(s, fd, "10.0.0.9", 80, EINPROGRESS);
	script_epoll_ctl(s, 4, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT);
}

static void begin(struct fixture *f)
{
	script_init(&f->s);
	witness_init(&f->w, f->s.model, "wait");
	script_epoll_create(&f->s, 4);
}

static void only_what_is_outstanding(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	client(&f.s, 5);
	script_epoll_wait(&f.s, 4, WAIT_INFINITE, 5, EPOLLOUT);
	witness_is(&f.w, "wait 5 connect by epoll ready limit infinite of 1\n");
	script_epoll_wait(&f.s, 4, WAIT_INFINITE, -1, 0); /* connected, nothing asked: idle */
	witness_is(&f.w, "");
	script_write(&f.s, 5, "x");
	script_epoll_wait(&f.s, 4, 100 * (int64_t)SCRIPT_MSEC, -1, 0);
	script_epoll_wait(&f.s, 4, 0, -1, 0);
	script_epoll_wait(&f.s, 4, WAIT_INFINITE, 5, EPOLLIN);
	script_read(&f.s, 5, "y");
	script_epoll_wait(&f.s, 4, WAIT_INFINITE, -1, 0);
	witness_is(&f.w, "wait 5 read by epoll timed-out limit 100ms of 1\nwait 5 read by epoll ready limit infinite of 1\n");
	script_done(&f.s);
}

static void another_became_ready(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	client(&f.s, 5);
	client(&f.s, 6);
	script_epoll_wait(&f.s, 4, WAIT_INFINITE, 6, EPOLLOUT);
	witness_is(&f.w,
		   "wait 5 connect by epoll interrupted limit infinite of 2\nwait 6 connect by epoll ready limit infinite of 2\n");
	script_inflight(&f.s, WIRE_EPOLL_WAIT, 4, WAIT_INFINITE, f.s.now);
	witness_is(&f.w, "wait 5 connect by epoll pending limit infinite of 2\n");
	script_done(&f.s);
}

static void members_leave(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	client(&f.s, 5);
	client(&f.s, 6);
	client(&f.s, 7);
	script_epoll_ctl(&f.s, 4, EPOLL_CTL_DEL, 5, 0);
	script_close(&f.s, 6);
	script_shutdown(&f.s, 7, SHUT_RDWR);
	script_epoll_wait(&f.s, 4, WAIT_INFINITE, -1, 0);
	witness_is(&f.w, "");
	script_done(&f.s);
}

static void a_duplicate_is_the_same_set(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	client(&f.s, 5);
	script_dup(&f.s, 4, 9, 0);
	script_close(&f.s, 4);
	script_epoll_wait(&f.s, 9, WAIT_INFINITE, -1, 0);
	witness_is(&f.w, "wait 5 connect by epoll timed-out limit infinite of 1\n");
	script_close(&f.s, 9);
	script_done(&f.s);
}

static void modified_user_data_finds_it(void **state)
{
	struct fixture f;
	uint32_t events = EPOLLIN;
	struct wire_epoll ready = {.data = 777, .events = EPOLLOUT};

	(void)state;
	begin(&f);
	client(&f.s, 5);
	script_event(&f.s, (struct event){.id = WIRE_EPOLL_CTL,
					  .fd = 4,
					  .a0 = (uint64_t)EPOLL_CTL_MOD << 32 | 5,
					  .a1 = 777,
					  .data = (const uint8_t *)&events,
					  .data_len = 4});
	script_event(&f.s, (struct event){.id = WIRE_EPOLL_WAIT,
					  .fd = 4,
					  .ret = 1,
					  .a1 = (uint64_t)-1,
					  .data = (const uint8_t *)&ready,
					  .data_len = sizeof(ready)});
	witness_is(&f.w, "wait 5 connect by epoll ready limit infinite of 1\n");
	assert_int_equal(model_conn(f.s.model, 100, 5)->connect_err, 0);
	script_done(&f.s);
}

static unsigned int seen[300];

static void count(void *ctx, const struct wait *w)
{
	(void)ctx;
	seen[w->conn->fd]++;
}

static void a_crowd_is_told_in_turn(void **state)
{
	struct script s;

	(void)state;
	memset(seen, 0, sizeof(seen));
	script_init(&s);
	assert_int_equal(model_observe(s.model, &(struct observer){.wait = count}, NULL), 0);
	script_epoll_create(&s, 4);
	for (int fd = 10; fd < 10 + 128; fd++)
		client(&s, fd);
	script_epoll_wait(&s, 4, WAIT_INFINITE, -1, 0);
	script_epoll_wait(&s, 4, WAIT_INFINITE, -1, 0);
	for (int fd = 10; fd < 10 + 128; fd++)
		assert_int_equal(seen[fd], 1);
	script_done(&s);
}

static struct wait last;

static void keep(void *ctx, const struct wait *w)
{
	(void)ctx;
	last = *w;
}

static void a_timer_in_the_set_is_told(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	assert_int_equal(model_observe(s.model, &(struct observer){.wait = keep}, NULL), 0);
	script_epoll_create(&s, 4);
	client(&s, 5);
	script_event(&s, (struct event){.id = WIRE_TIMERFD_CREATE, .fd = -1, .ret = 8});
	script_epoll_ctl(&s, 4, EPOLL_CTL_ADD, 8, EPOLLIN);
	script_epoll_wait(&s, 4, WAIT_INFINITE, -1, 0);
	assert_true(last.timer_due_ns == 0);
	uint64_t armed = s.now;
	script_event(&s, (struct event){.id = WIRE_TIMERFD_SETTIME, .fd = 8, .a1 = 5 * SCRIPT_SEC});
	script_epoll_wait(&s, 4, WAIT_INFINITE, -1, 0);
	assert_true(last.timer_due_ns == armed + 5 * SCRIPT_SEC);
	script_pass(&s, 6 * SCRIPT_SEC);
	script_epoll_wait(&s, 4, WAIT_INFINITE, -1, 0);
	assert_true(last.timer_due_ns == 0);
	script_done(&s);
}

static void the_set_is_bounded(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	script_epoll_create(&s, 4);
	for (unsigned int i = 0; i < LIMIT_EPOLL_ENTRIES + 3; i++) {
		script_socket(&s, (int)(i + 10));
		script_epoll_ctl(&s, 4, EPOLL_CTL_ADD, (int)(i + 10), EPOLLIN);
	}
	assert_int_equal(s.counters.limit[LIMIT_REACHED_EPOLL], 3);
	script_done(&s);
}

/* While a protocol knows a request to be open, the wait goes on after the first bytes. */
static void an_open_request_is_outstanding(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	script_epoll_create(&s, 4);
	client(&s, 5);
	script_epoll_ctl(&s, 4, EPOLL_CTL_ADD, 5, EPOLLIN);
	script_read(&s, 5, "y");
	struct request q = {.conn = model_conn(s.model, 100, 5)};
	model_request_start(s.model, &q);
	witness_init(&w, s.model, "wait");
	script_epoll_wait(&s, 4, WAIT_INFINITE, -1, 0);
	witness_is(&w, "wait 5 read by epoll timed-out limit infinite of 1\n");
	model_request_end(s.model, &q);
	script_epoll_wait(&s, 4, WAIT_INFINITE, -1, 0);
	witness_is(&w, "");
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(an_open_request_is_outstanding), cmocka_unit_test(only_what_is_outstanding),
	  cmocka_unit_test(another_became_ready), cmocka_unit_test(members_leave), cmocka_unit_test(a_duplicate_is_the_same_set),
	  cmocka_unit_test(modified_user_data_finds_it), cmocka_unit_test(a_crowd_is_told_in_turn),
	  cmocka_unit_test(a_timer_in_the_set_is_told), cmocka_unit_test(the_set_is_bounded))
