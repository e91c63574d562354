/*
 * Gaps as they were asked for: sleeps and waits of an event loop that a busy machine makes late, and work between them.
 */
#include "detectors/attempts.h"

static void wait_event(struct bench *b, uint16_t id, uint64_t t0, int64_t asked_ns, uint64_t took_ns)
{
	const struct event e = {.id = id, .pid = 1, .tid = 1, .t0 = t0, .t1 = t0 + took_ns, .a1 = (uint64_t)asked_ns};

	retry_asked_event(&b->r, &e);
}

/* A gap of `asked`, of which nothing is left but sleep and what came late, told by `id`. */
static void try_again(struct bench *b, uint16_t id, uint64_t asked, uint64_t late, uint64_t work)
{
	wait_event(b, id, b->now + work / 2, (int64_t)asked, asked + late);
	attempt(b, asked + late + work, RETRY_FAILED, 1, 0);
}

/* Doubling delays, each of them late by up to twice its length. */
static void test_late_wakes_are_no_shape(void **state)
{
	static const uint16_t ids[] = {WIRE_SLEEP, WIRE_POLL, WIRE_EPOLL_WAIT, WIRE_COND_WAIT};
	struct bench b;

	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		uint64_t draw = seed;
		bench_init(&b);
		attempt(&b, 0, RETRY_FAILED, 1, 0);
		for (unsigned int i = 0; i < 5; i++) {
			const uint64_t asked = (100ULL << i) * NS_PER_MS;
			try_again(&b, ids[seed % 4], asked, next_random(&draw) % (2 * asked),
				  seed % 4 < 2 ? next_random(&draw) % (asked / 2) : 0);
		}
		assert_int_equal(b.k->backoff, BACKOFF_EXPONENTIAL);
		assert_int_equal(b.k->client->seq.gaps[4], 1600 * NS_PER_MS);
		retry_end_all(&b.r, b.now);
		for (unsigned int rule = 0; rule < RETRY_RULES; rule++)
			assert_int_equal(b.k->hits[rule].count, 0);
		retry_keys_free(&b.r);
	}
}

/* A fixed delay stays one. */
static void test_fixed_delays(void **state)
{
	struct bench b;
	uint64_t draw = 7;

	(void)state;
	bench_init(&b);
	attempt(&b, 0, RETRY_FAILED, 1, 0);
	for (unsigned int i = 0; i < 5; i++)
		try_again(&b, WIRE_SLEEP, 200 * NS_PER_MS, next_random(&draw) % (400 * NS_PER_MS), 0);
	assert_int_equal(b.k->backoff, BACKOFF_CONSTANT);
	retry_keys_free(&b.r);
}

static uint64_t gap_after(struct bench *b, uint64_t gap)
{
	attempt(b, gap, RETRY_FAILED, 1, 0);
	return b->k->client->seq.gaps[b->k->client->seq.gaps_n - 1];
}

static void test_what_stands_for_a_gap(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	attempt(&b, 0, RETRY_FAILED, 1, 0);
	assert_int_equal(gap_after(&b, 300 * NS_PER_MS), 300 * NS_PER_MS); /* nothing was seen */
	wait_event(&b, WIRE_SLEEP, b.now, 10 * NS_PER_MS, 30 * NS_PER_MS); /* it worked for most of it */
	assert_int_equal(gap_after(&b, 300 * NS_PER_MS), 280 * NS_PER_MS);
	wait_event(&b, WIRE_SLEEP, b.now, 40 * NS_PER_MS, 90 * NS_PER_MS); /* nobody becomes hasty */
	assert_int_equal(gap_after(&b, 90 * NS_PER_MS), 90 * NS_PER_MS);
	wait_event(&b, WIRE_EPOLL_WAIT, b.now, 60 * NS_PER_MS, 80 * NS_PER_MS); /* another timer, and late */
	wait_event(&b, WIRE_EPOLL_WAIT, b.now + 81 * NS_PER_MS, 119 * NS_PER_MS, 150 * NS_PER_MS);
	assert_int_equal(gap_after(&b, 240 * NS_PER_MS), 209 * NS_PER_MS);
	wait_event(&b, WIRE_POLL, b.now, -1, 200 * NS_PER_MS); /* no limit: it was woken */
	assert_int_equal(gap_after(&b, 220 * NS_PER_MS), 220 * NS_PER_MS);
	wait_event(&b, WIRE_SLEEP, b.now - 200 * NS_PER_MS, 100 * NS_PER_MS, 150 * NS_PER_MS); /* before the gap */
	assert_int_equal(gap_after(&b, 300 * NS_PER_MS), 300 * NS_PER_MS);
	for (unsigned int i = 0; i < 20; i++) /* slices: not all of them are kept */
		wait_event(&b, WIRE_SLEEP, b.now + i * 10 * NS_PER_MS, 9 * NS_PER_MS, 10 * NS_PER_MS);
	assert_int_equal(gap_after(&b, 200 * NS_PER_MS), 192 * NS_PER_MS);
	retry_keys_free(&b.r);
}

enum lag { IDLE_LOOP, NO_LOOP, ITS_TIMER, OTHER_THREAD, OF_GO };

/* Attempts of an event loop on a machine that holds it up for longer each time; in the third gap, what `lag` says besides. */
static void held_up(struct bench *b, struct script *s, enum lag lag)
{
	static const uint64_t gaps_ms[] = {137, 32, 185, 390};

	bench_init(b);
	script_init(s);
	script_start(s, 1, 0, "/bin/x");
	model_process(s->model, 1)->go = lag == OF_GO;
	b->r.env.model = s->model;
	wait_event(b, lag == NO_LOOP ? WIRE_POLL : WIRE_EPOLL_WAIT, b->now - NS_PER_S, 3 * (int64_t)NS_PER_S, NS_PER_MS);
	attempt(b, 0, RETRY_FAILED, 1, 0);
	for (size_t i = 0; i < sizeof gaps_ms / sizeof *gaps_ms; i++) {
		struct event e = {
			.id = WIRE_EPOLL_WAIT, .pid = 1, .tid = lag == OTHER_THREAD ? 2 : 1, .t0 = b->now, .a1 = 100 * NS_PER_MS};
		e.t1 = e.t0 + e.a1 + NS_PER_MS;
		if (i == 2 && (lag == ITS_TIMER || lag == OTHER_THREAD))
			retry_asked_event(&b->r, &e);
		wait_event(b, lag == NO_LOOP ? WIRE_POLL : WIRE_EPOLL_WAIT, b->now + gaps_ms[i] * NS_PER_MS - 30000, -1, 20000);
		attempt(b, gaps_ms[i] * NS_PER_MS, RETRY_FAILED, 1, 0);
	}
	retry_end_all(&b->r, b->now);
}

/* A loop that waits for nothing between its attempts asked for no delay, however late the machine lets it go on; that it is hasty is not held
 * against it then. One timer, anywhere in the process, may be a delay. */
static void test_a_busy_machine_is_no_back_off(void **state)
{
	(void)state;
	for (enum lag lag = IDLE_LOOP; lag <= OF_GO; lag++) {
		struct bench b;
		struct script s;
		held_up(&b, &s, lag);
		assert_int_equal(b.k->backoff == BACKOFF_NONE, lag == IDLE_LOOP);
		assert_int_equal(b.k->hits[RETRY_NO_BACKOFF].count, 0);
		retry_keys_free(&b.r);
		script_done(&s);
	}
}

/* Whoever waited for its timer in one gap of the sequence keeps its shape, whatever else the machine does. */
static void test_a_timer_is_a_back_off(void **state)
{
	uint64_t draw = 11;

	(void)state;
	for (unsigned int seed = 0; seed < 60; seed++) {
		struct bench b;
		struct script s;
		const unsigned int n = 2 + (unsigned int)(next_random(&draw) % 5), seen = (unsigned int)(next_random(&draw) % n);
		bench_init(&b);
		script_init(&s);
		script_start(&s, 1, 0, "/bin/x");
		b.r.env.model = s.model;
		attempt(&b, 0, RETRY_FAILED, 1, 0);
		for (unsigned int i = 0; i < n; i++) {
			const uint64_t asked = (70ULL << i) * NS_PER_MS, late = next_random(&draw) % asked;
			if (i == seen || next_random(&draw) % 2)
				wait_event(&b, WIRE_EPOLL_WAIT, b.now, (int64_t)asked, asked + late + 1);
			attempt(&b, asked + late + 1, RETRY_FAILED, 1, 0);
		}
		assert_int_not_equal(b.k->backoff, BACKOFF_NONE);
		retry_keys_free(&b.r);
		script_done(&s);
	}
}

/* Who rests without a limit is woken by another thread; who sleeps after it goes on by itself. */
static void test_woken(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	wait_event(&b, WIRE_COND_WAIT, b.now, -1, 30 * NS_PER_MS);
	assert_true(retry_asked_woken(&b.r, 1, b.now, b.now + 40 * NS_PER_MS));
	assert_false(retry_asked_woken(&b.r, 1, b.now + NS_PER_MS, b.now + 40 * NS_PER_MS));
	assert_false(retry_asked_woken(&b.r, 1, b.now, b.now + 20 * NS_PER_MS));
	assert_false(retry_asked_woken(&b.r, 2, b.now, b.now + 40 * NS_PER_MS));
	wait_event(&b, WIRE_SLEEP, b.now + 31 * NS_PER_MS, 5 * NS_PER_MS, 5 * NS_PER_MS);
	assert_false(retry_asked_woken(&b.r, 1, b.now, b.now + 40 * NS_PER_MS));
	wait_event(&b, WIRE_COND_WAIT, b.now + 50 * NS_PER_MS, 30 * NS_PER_MS, 20 * NS_PER_MS); /* with a limit */
	assert_false(retry_asked_woken(&b.r, 1, b.now + 50 * NS_PER_MS, b.now + 80 * NS_PER_MS));
	retry_keys_free(&b.r);
}

/* A Retry-After is kept by the time that passed. */
static void test_a_promise_is_kept_by_the_clock(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	struct retry_attempt a = {.start_ns = b.now, .end_ns = b.now + NS_PER_MS, .result = RETRY_FAILED, .pid = 1, .tid = 1};
	a.retry_after_ns = NS_PER_S;
	retry_attempt(&b.r, b.k, &a);
	wait_event(&b, WIRE_SLEEP, a.end_ns, 900 * NS_PER_MS, NS_PER_S);
	a.start_ns = a.end_ns + NS_PER_S;
	a.end_ns = a.start_ns + NS_PER_MS;
	retry_attempt(&b.r, b.k, &a);
	assert_int_equal(b.k->client->seq.gaps[0], 900 * NS_PER_MS);
	assert_int_equal(b.k->hits[RETRY_IGNORES_RETRY_AFTER].count, 0);
	retry_keys_free(&b.r);
}

/* Whoever comes when the peer says chose neither a fixed delay nor one without jitter; who does the same unasked did. */
static void test_delays_that_the_peer_chose(void **state)
{
	struct bench b;

	(void)state;
	for (unsigned int stated = 0; stated < 2; stated++) {
		bench_init(&b);
		struct retry_attempt a = {.start_ns = b.now, .pid = 1, .tid = 1};
		for (unsigned int i = 0; i < 40; i++) {
			a.end_ns = a.start_ns + NS_PER_MS;
			a.result = RETRY_FAILED;
			a.caller = 1 + i / 5;
			a.retry_after_ns = stated ? NS_PER_S : 0;
			retry_attempt(&b.r, b.k, &a);
			a.start_ns = a.end_ns + NS_PER_S + i % 5 * NS_PER_MS;
		}
		retry_end_all(&b.r, b.now);
		assert_int_equal(b.k->sequences, 8);
		assert_int_equal(b.k->hits[RETRY_NO_BACKOFF].count > 0, !stated);
		assert_int_equal(b.k->hits[RETRY_NO_JITTER].count > 0, !stated);
		assert_int_equal(b.k->hits[RETRY_IGNORES_RETRY_AFTER].count, 0);
		retry_keys_free(&b.r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late_wakes_are_no_shape),
		cmocka_unit_test(test_fixed_delays),
		cmocka_unit_test(test_woken),
		cmocka_unit_test(test_a_busy_machine_is_no_back_off),
		cmocka_unit_test(test_a_timer_is_a_back_off),
		cmocka_unit_test(test_what_stands_for_a_gap),
		cmocka_unit_test(test_a_promise_is_kept_by_the_clock),
		cmocka_unit_test(test_delays_that_the_peer_chose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
