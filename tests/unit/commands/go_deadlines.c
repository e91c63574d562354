/* go_deadlines.c: what a Go program's calls, played by hand, say of its descriptors. */
#include "commands/go_deadlines.h"

#include "go_table.h"

#define SECOND 1000000000ULL
#define NOW (50 * SECOND)
#define WALL (1800000000ULL * SECOND)
#define SECONDS_1885_TO_1970 2682288000ULL
#define UNKNOWN (-2)
#define UNTOLD (-99)
/* Goroutines, by where they lie. */
#define ONE 0xc000002380U
#define TWO 0xc000102e00U

enum { CANCEL, TIMER, BACKGROUND, TCP, ROUND_TRIP, IDLE, APP, WAKES, CALLS, SENDS, POLLS, CLOSES_IDLE, LIMITED, BODY, CUT };
static const char *const names[] = {
	[CANCEL] = "context.(*cancelCtx).Deadline",
	[TIMER] = "context.(*timerCtx).Deadline",
	[BACKGROUND] = "context.backgroundCtx.Deadline",
	[TCP] = "net.(*TCPConn).Close",
	[ROUND_TRIP] = "net/http.(*persistConn).roundTrip",
	[IDLE] = "net/http.(*Transport).tryPutIdleConnLocked",
	[APP] = "main.pay",
	[WAKES] = "runtime.goroutineReady",
	[CALLS] = "time.goFunc",
	[SENDS] = "time.sendTime",
	[POLLS] = "runtime.netpollReadDeadline",
	[LIMITED] = "io.(*LimitedReader).Read",
	[BODY] = "net/http.(*body).readLocked",
	[CLOSES_IDLE] = "net/http.(*persistConn).closeConnIfStillIdle-fm",
	[CUT] = NULL,
};

struct heard {
	int64_t of[WIRE_DEADLINE_OTHERS + 1]; /* the latest, by what */
	int fd[WIRE_DEADLINE_OTHERS + 1];
	size_t sleeps, woke, slept_before, reads, bodies;
};

static void hear(void *ctx, const struct wire_record *r)
{
	struct heard *h = ctx;

	assert_int_equal(r->event, WIRE_DEADLINE);
	assert_true(r->a0 >= WIRE_DEADLINE_READ && r->a0 <= WIRE_DEADLINE_OTHERS);
	h->of[r->a0] = (int64_t)r->a1;
	h->fd[r->a0] = r->fd;
}

static void hear_sleep(void *ctx, uint32_t tid, const struct wire_record *r)
{
	struct heard *h = ctx;

	assert_true(tid >= 0x80000000U);
	h->sleeps += r->event == WIRE_INFLIGHT && r->a0 == WIRE_SLEEP && r->a1 == SECOND;
	h->woke += r->event == WIRE_SLEEP;
	h->slept_before += r->event == WIRE_INFLIGHT && (r->flags & WIRE_F_BEFORE);
}

static void hear_reads(void *ctx, int fd, uint64_t now_ns, const uint64_t callers[GO_CALLERS], bool body)
{
	struct heard *h = ctx;

	h->reads += fd == 7 && now_ns == NOW && callers[0] != 0;
	h->bodies += body;
}

struct rig {
	struct go_deadlines *g;
	struct heard heard;
	struct go_sink to;
};

static void rig_init(struct rig *r, bool whole)
{
	*r = (struct rig){.g = go_deadlines_new(go_table(names), whole),
			  .to = {.say = hear, .sleeps = hear_sleep, .reads = hear_reads, .ctx = &r->heard}};
	assert_non_null(r->g);
	for (size_t i = 0; i <= WIRE_DEADLINE_OTHERS; i++)
		r->heard.of[i] = UNTOLD;
}

struct said {
	enum probe_go_what what;
	uint64_t at, task, args[4];
	size_t caller;   /* a function's number, APP if nothing is said */
	uint64_t object; /* the moment among a timer's bytes */
};

static void timer(struct rig *r, struct said s)
{
	struct probe_go_timer t = {.callers = {go_address(s.caller ? s.caller : APP)}};
	struct probe_call c = {.kind = PROBE_GO, .nr = (uint16_t)s.what, .t0 = s.at, .task = s.task, .data_len = sizeof(t)};

	memcpy(c.args, s.args, sizeof(s.args));
	memcpy(t.object + 40, &s.object, sizeof(s.object));
	go_deadlines_call(r->g, &c, (const uint8_t *)&t, WALL, &r->to);
}

/* due 0: no deadline in the chain */
static void chain(struct rig *r, enum probe_go_what what, uint64_t task, uint64_t at, int fd, uint64_t due)
{
	static struct probe_go_chain k;
	const uint64_t wall = 1ULL << 63 | ((WALL + due) / SECOND + SECONDS_1885_TO_1970) << 30 | due % SECOND;
	const struct probe_call c = {.kind = PROBE_GO, .nr = (uint16_t)what, .t0 = at, .task = task, .data_len = sizeof(k)};

	memset(&k, 0, sizeof(k));
	k.conn.method[0] = go_address(TCP);
	k.conn.fd[0] = fd;
	k.nodes[0].method = go_address(due ? TIMER : CANCEL);
	if (due)
		memcpy(k.nodes[0].bytes + 88, &wall, sizeof(wall));
	k.nodes[1].method = go_address(BACKGROUND);
	k.nodes_n = 2;
	go_deadlines_call(r->g, &c, (const uint8_t *)&k, WALL, &r->to);
}

static void moves(struct rig *r, uint64_t task, uint64_t at, uint64_t fd, bool reads)
{
	const struct probe_call c = {.kind = PROBE_CALL, .t0 = at, .t1 = at, .task = task, .ret = 10, .args = {fd}};

	go_deadlines_moves(r->g, &c, reads, &r->to);
}

static void timers_of_anybody(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, true);
	go_deadlines_tick(r.g, NOW, &r.to);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_OTHERS], -1);
	timer(&r, (struct said){GO_NEW_TIMER, NOW, ONE, {NOW + 3 * SECOND}, 0, 0});
	assert_true(r.heard.of[WIRE_DEADLINE_OTHERS] == (int64_t)(3 * SECOND));
	/* Ticks, and the timers of idle connections, end nothing. */
	timer(&r, (struct said){GO_NEW_TIMER, NOW, ONE, {NOW + 9 * SECOND, SECOND}, 0, 0});
	timer(&r, (struct said){GO_NEW_TIMER, NOW, ONE, {NOW + 90 * SECOND}, IDLE, 0});
	assert_true(r.heard.of[WIRE_DEADLINE_OTHERS] == (int64_t)(3 * SECOND));
	/* Set anew, then stopped: by the moment that is in it. */
	timer(&r, (struct said){GO_RESET_TIMER, NOW + SECOND, ONE, {0, NOW + 7 * SECOND}, 0, NOW + 3 * SECOND});
	assert_true(r.heard.of[WIRE_DEADLINE_OTHERS] == (int64_t)(6 * SECOND));
	timer(&r, (struct said){GO_STOP_TIMER, NOW + SECOND, ONE, {0}, 0, NOW + 7 * SECOND});
	assert_int_equal(r.heard.of[WIRE_DEADLINE_OTHERS], -1);
	/* Up to Go 1.22 the timer itself says when: its second word. */
	struct probe_go_timer t = {.callers = {go_address(APP)}};
	const uint64_t words[3] = {0, NOW + 5 * SECOND, 0};
	const struct probe_call c = {.kind = PROBE_GO, .nr = GO_START_TIMER, .t0 = NOW + SECOND, .data_len = sizeof(t)};

	memcpy(t.object, words, sizeof(words));
	go_deadlines_call(r.g, &c, (const uint8_t *)&t, WALL, &r.to);
	assert_true(r.heard.of[WIRE_DEADLINE_OTHERS] == (int64_t)(4 * SECOND));
	/* It expires by itself. */
	go_deadlines_tick(r.g, NOW + 5 * SECOND, &r.to);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_OTHERS], -1);
	/* One that is far off is told only where there is no nearer one. */
	timer(&r, (struct said){GO_NEW_TIMER, NOW + 5 * SECOND, ONE, {NOW + 1805 * SECOND}, 0, 0});
	assert_true(r.heard.of[WIRE_DEADLINE_OTHERS] == (int64_t)(1800 * SECOND));
	timer(&r, (struct said){GO_NEW_TIMER, NOW + 5 * SECOND, ONE, {NOW + 25 * SECOND}, 0, 0});
	assert_true(r.heard.of[WIRE_DEADLINE_OTHERS] == (int64_t)(20 * SECOND));
	timer(&r, (struct said){GO_NEW_TIMER, NOW + 5 * SECOND, ONE, {NOW + 15 * SECOND}, 0, 0});
	timer(&r, (struct said){GO_NEW_TIMER, NOW + 5 * SECOND, ONE, {NOW + 2005 * SECOND}, 0, 0});
	assert_true(r.heard.of[WIRE_DEADLINE_OTHERS] == (int64_t)(20 * SECOND));
	go_deadlines_tick(r.g, NOW + 25 * SECOND, &r.to);
	assert_true(r.heard.of[WIRE_DEADLINE_OTHERS] == (int64_t)(1980 * SECOND));
	go_deadlines_free(r.g);
	/* Of a program that ran before, timers may have been missed: nothing is said of them. */
	rig_init(&r, false);
	timer(&r, (struct said){GO_NEW_TIMER, NOW, ONE, {NOW + 3 * SECOND}, 0, 0});
	assert_int_equal(r.heard.of[WIRE_DEADLINE_OTHERS], UNTOLD);
	go_deadlines_free(r.g);
}

static void more_timers_than_places(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, true);
	for (uint64_t i = 1; i <= 2000; i++)
		timer(&r, (struct said){GO_NEW_TIMER, NOW, ONE, {NOW + i * SECOND / 2}, 0, 0});
	assert_true(r.heard.of[WIRE_DEADLINE_OTHERS] == (int64_t)(1000 * SECOND));
	go_deadlines_tick(r.g, NOW + 1001 * SECOND, &r.to);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_OTHERS], -1);
	go_deadlines_free(r.g);
}

static void of_the_descriptor(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, true);
	timer(&r, (struct said){GO_SET_DEADLINE, NOW, ONE, {0, 3 * SECOND, 'r', 7}, 0, 0});
	assert_true(r.heard.of[WIRE_DEADLINE_READ] == (int64_t)(3 * SECOND) && r.heard.fd[WIRE_DEADLINE_READ] == 7);
	timer(&r, (struct said){GO_SET_DEADLINE, NOW, ONE, {0, 0, 'w', 7}, 0, 0});
	assert_int_equal(r.heard.of[WIRE_DEADLINE_WRITE], -1);
	timer(&r, (struct said){GO_SET_DEADLINE, NOW, ONE, {0, (uint64_t)-1, 'r' + 'w', 8}, 0, 0});
	assert_int_equal(r.heard.of[WIRE_DEADLINE_BOTH], 0);
	assert_int_equal(r.heard.fd[WIRE_DEADLINE_BOTH], 8);
	/* Taken from a context: then the context's timer is nobody else's. */
	timer(&r, (struct said){GO_NEW_TIMER, NOW, ONE, {NOW + 2 * SECOND}, 0, 0});
	assert_true(r.heard.of[WIRE_DEADLINE_OTHERS] == (int64_t)(2 * SECOND));
	timer(&r, (struct said){GO_SET_DEADLINE, NOW, ONE, {0, 2 * SECOND, 'w', 9}, 0, 0});
	assert_int_equal(r.heard.of[WIRE_DEADLINE_OTHERS], -1);
	/* Its connect is over, and the context goes on: it may end the handshake, whoever waits for it. */
	timer(&r, (struct said){GO_SET_DEADLINE, NOW + SECOND, ONE, {0, 0, 'w', 8}, 0, 0});
	assert_int_equal(r.heard.of[WIRE_DEADLINE_OTHERS], -1);
	timer(&r, (struct said){GO_SET_DEADLINE, NOW + SECOND, ONE, {0, 0, 'w', 9}, 0, 0});
	assert_true(r.heard.of[WIRE_DEADLINE_OTHERS] == (int64_t)SECOND);
	/* An operation's end stays that, whatever deadlines come and go meanwhile. */
	chain(&r, GO_ROUND_TRIP, ONE, NOW, 9, NOW + 2 * SECOND);
	timer(&r, (struct said){GO_SET_DEADLINE, NOW, ONE, {0, 2 * SECOND, 'r', 9}, 0, 0});
	timer(&r, (struct said){GO_SET_DEADLINE, NOW + SECOND, ONE, {0, 0, 'r', 9}, 0, 0});
	assert_int_equal(r.heard.of[WIRE_DEADLINE_OTHERS], -1);
	go_deadlines_free(r.g);
}

static void round_trips(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, true);
	timer(&r, (struct said){GO_NEW_TIMER, NOW, ONE, {NOW + 3 * SECOND}, 0, 0});
	chain(&r, GO_ROUND_TRIP, ONE, NOW, 7, NOW + 3 * SECOND);
	assert_true(r.heard.of[WIRE_DEADLINE_WHOLE] == (int64_t)(3 * SECOND) && r.heard.fd[WIRE_DEADLINE_WHOLE] == 7);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_HEAD], -1);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_OTHERS], -1); /* its timer is known */
	timer(&r, (struct said){GO_NEW_TIMER, NOW, ONE, {NOW + 2 * SECOND}, ROUND_TRIP, 0});
	assert_true(r.heard.of[WIRE_DEADLINE_HEAD] == (int64_t)(2 * SECOND));
	chain(&r, GO_ROUND_TRIP, ONE, NOW + SECOND, 7, 0);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_WHOLE], -1);
	/* The connection's own goroutine writes: that says nothing of it. */
	chain(&r, GO_DONE, TWO, NOW + SECOND, 0, NOW + 9 * SECOND);
	moves(&r, TWO, NOW + SECOND, 7, false);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_WHOLE], -1);
	go_deadlines_free(r.g);
}

static void who_asks_and_writes(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, true);
	timer(&r, (struct said){GO_NEW_TIMER, NOW, ONE, {NOW + 3 * SECOND}, 0, 0});
	chain(&r, GO_DONE, ONE, NOW, 0, NOW + 3 * SECOND);
	moves(&r, TWO, NOW, 7, false); /* another goroutine */
	assert_int_equal(r.heard.of[WIRE_DEADLINE_WHOLE], UNTOLD);
	moves(&r, ONE, NOW, 7, false);
	assert_true(r.heard.of[WIRE_DEADLINE_WHOLE] == (int64_t)(3 * SECOND));
	/* The next operation asks nothing. */
	moves(&r, ONE, NOW, 7, true);
	moves(&r, ONE, NOW, 7, false);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_WHOLE], UNKNOWN);
	/* The context is done with: a dial's, say. */
	chain(&r, GO_DONE, ONE, NOW, 0, NOW + 3 * SECOND);
	timer(&r, (struct said){GO_STOP_TIMER, NOW, ONE, {0}, 0, NOW + 3 * SECOND});
	r.heard.of[WIRE_DEADLINE_WHOLE] = UNTOLD;
	moves(&r, ONE, NOW, 8, false);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_WHOLE], UNTOLD);
	/* A context without a deadline; and one that was asked too long ago. */
	chain(&r, GO_DONE, ONE, NOW, 0, 0);
	moves(&r, ONE, NOW, 9, false);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_WHOLE], -1);
	go_deadlines_closed(r.g, 9);
	r.heard.of[WIRE_DEADLINE_WHOLE] = UNTOLD;
	moves(&r, ONE, NOW + 2 * SECOND, 9, false);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_WHOLE], UNTOLD);
	go_deadlines_free(r.g);
}

static void sleepers(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, true);
	timer(&r, (struct said){GO_SLEEP, NOW, ONE, {SECOND}, 0, 0});
	assert_int_equal(r.heard.sleeps, 1);
	assert_int_equal(r.heard.woke, 0);
	timer(&r, (struct said){GO_SLEEP, NOW + SECOND, ONE, {0}, 0, 0});
	assert_int_equal(r.heard.woke, 1);
	timer(&r, (struct said){GO_SLEEP, NOW + SECOND, ONE, {SECOND}, 0, 0});
	assert_int_equal(r.heard.sleeps, 2);
	assert_int_equal(r.heard.woke, 1);
	go_deadlines_free(r.g);
	go_deadlines_free(NULL);
}

static void found(struct rig *r, bool first, size_t code, size_t of, uint64_t when)
{
	const struct go_timer t = {.when = when,
				   .code = go_address(code),
				   .func = go_address(of),
				   .waiter = code == WAKES ? ONE : 0,
				   .callers = {go_address(of)}};

	go_deadlines_timer(r->g, &t, first, NOW, &r->to);
}

static int64_t others(struct rig *r)
{
	go_deadlines_tick(r->g, NOW, &r->to);
	return r->heard.of[WIRE_DEADLINE_OTHERS];
}

static void timers_from_before(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, false);
	/* These end nothing: of connections that rest, the runtime's own, ticks, one that is over. */
	found(&r, true, CALLS, CLOSES_IDLE, NOW + 90 * SECOND);
	found(&r, true, POLLS, APP, NOW + 80 * SECOND);
	found(&r, true, SENDS, IDLE, NOW + 70 * SECOND);
	found(&r, true, SENDS, APP, NOW);
	go_deadlines_timer(r.g, &(struct go_timer){.when = NOW + 60 * SECOND, .period = SECOND}, true, NOW, &r.to);
	assert_int_equal(others(&r), UNTOLD);
	go_deadlines_know_all(r.g);
	assert_int_equal(others(&r), -1);
	/* What calls something of the service's, or wakes somebody who is not known, may. */
	found(&r, false, CALLS, APP, NOW + 3 * SECOND);
	found(&r, false, CALLS, APP, NOW + 3 * SECOND); /* seen again */
	assert_true(others(&r) == (int64_t)(3 * SECOND));
	timer(&r, (struct said){GO_STOP_TIMER, NOW, ONE, {0}, 0, NOW + 3 * SECOND});
	assert_int_equal(others(&r), -1);
	/* Read before what set it was heard: it is one timer. */
	found(&r, false, SENDS, APP, NOW + 4 * SECOND);
	timer(&r, (struct said){GO_NEW_TIMER, NOW, ONE, {NOW + 4 * SECOND}, 0, 0});
	timer(&r, (struct said){GO_STOP_TIMER, NOW, ONE, {0}, 0, NOW + 4 * SECOND});
	assert_int_equal(others(&r), -1);
	/* A round trip's limit was set since, and is told. */
	found(&r, false, SENDS, ROUND_TRIP, NOW + 5 * SECOND);
	assert_int_equal(others(&r), -1);
	go_deadlines_free(r.g);
	/* Set before anybody watched, nobody knows of which round trip it is. */
	rig_init(&r, false);
	found(&r, true, SENDS, ROUND_TRIP, NOW + 5 * SECOND);
	go_deadlines_know_all(r.g);
	assert_true(others(&r) == (int64_t)(5 * SECOND));
	go_deadlines_free(r.g);
}

static void sleepers_from_before(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, false);
	found(&r, true, WAKES, APP, NOW + 2 * SECOND);
	assert_int_equal(r.heard.slept_before, 1);
	found(&r, true, WAKES, APP, NOW + 2 * SECOND);
	found(&r, false, WAKES, APP, NOW + 9 * SECOND);
	assert_int_equal(r.heard.slept_before, 1);
	timer(&r, (struct said){GO_SLEEP, NOW + 2 * SECOND, ONE, {SECOND}, 0, 0});
	assert_int_equal(r.heard.woke, 1);
	go_deadlines_know_all(r.g);
	assert_int_equal(others(&r), -1);
	go_deadlines_free(r.g);
}

static void descriptors_from_before(void **state)
{
	struct go_descriptor d = {.fd = 7,
				  .reader_known = true,
				  .read_due = NOW + SECOND,
				  .write_due = NOW + 2 * SECOND,
				  .callers = {go_address(BODY), go_address(APP)}};
	struct rig r;

	(void)state;
	rig_init(&r, false);
	go_deadlines_descriptor(r.g, &(struct go_descriptor){.fd = 7, .write_due = 1}, NOW, &r.to);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_READ], UNTOLD);
	assert_int_equal(r.heard.of[WIRE_DEADLINE_WRITE], UNTOLD);
	assert_int_equal(r.heard.reads, 0);
	go_deadlines_descriptor(r.g, &d, NOW, &r.to);
	assert_true(r.heard.of[WIRE_DEADLINE_READ] == (int64_t)SECOND && r.heard.fd[WIRE_DEADLINE_READ] == 7);
	assert_true(r.heard.of[WIRE_DEADLINE_WRITE] == (int64_t)(2 * SECOND));
	assert_int_equal(r.heard.reads, 1);
	assert_int_equal(r.heard.bodies, 0); /* perhaps a stream */
	d.callers[0] = go_address(LIMITED);
	d.callers[1] = go_address(BODY);
	go_deadlines_descriptor(r.g, &d, NOW, &r.to);
	assert_int_equal(r.heard.bodies, 1);
	go_deadlines_free(r.g);
}

TEST_MAIN(cmocka_unit_test(timers_of_anybody), cmocka_unit_test(more_timers_than_places), cmocka_unit_test(of_the_descriptor),
	  cmocka_unit_test(round_trips), cmocka_unit_test(who_asks_and_writes), cmocka_unit_test(sleepers),
	  cmocka_unit_test(timers_from_before), cmocka_unit_test(sleepers_from_before), cmocka_unit_test(descriptors_from_before))
