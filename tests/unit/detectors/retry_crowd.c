/*
 * Many at once: workers that fail once each, workers that each try again, tasks of one thread, and processes side by side.
 */
#include "detectors/attempts.h"

static void test_workers_that_fail_once(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (uint32_t i = 0; i < 30; i++)
		attempt(&b, NS_PER_MS, RETRY_FAILED, 1 + i, 0);
	retry_process_exit(&b.r, 1, 0);
	retry_end_all(&b.r, b.now);
	assert_int_equal(b.k->max_attempts, 1);
	assert_int_equal(b.k->sequences, 30);
	assert_int_equal(b.k->gave_up, 30);
	assert_int_equal(b.k->retries, 0);
	for (unsigned int rule = 0; rule < RETRY_RULES; rule++)
		assert_int_equal(b.k->hits[rule].count, 0);
	retry_keys_free(&b.r);
}

static void made(struct bench *b, uint32_t tid)
{
	const struct event e = {.id = WIRE_THREAD_MADE, .pid = 1, .tid = tid, .t0 = b->now, .t1 = b->now};

	retry_crowd_event(&b->r, &e);
}

/* A timer's thread makes the next one's when it has failed. */
static void test_timer_threads_are_one_client(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (uint32_t i = 0; i < 6; i++) {
		attempt(&b, (100U << i) * NS_PER_MS, RETRY_FAILED, 1 + i, 0);
		made(&b, 1 + i);
	}
	retry_process_exit(&b.r, 1, 0);
	retry_end_all(&b.r, b.now);
	assert_int_equal(b.k->max_attempts, 6);
	assert_int_equal(b.k->bound, 6);
	assert_int_equal(b.k->backoff, BACKOFF_EXPONENTIAL);
	retry_keys_free(&b.r);
}

/* A server's threads are made by one that asks nobody; that one of them makes another for something else means nothing. */
static void test_a_servers_threads_are_not(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (uint32_t i = 0; i < 30; i++) {
		made(&b, 99);
		attempt(&b, NS_PER_MS, RETRY_FAILED, 1 + i, 0);
		if (i % 3 == 0)
			made(&b, 1 + i);
	}
	retry_process_exit(&b.r, 1, 0);
	retry_end_all(&b.r, b.now);
	assert_int_equal(b.k->max_attempts, 1);
	assert_int_equal(b.k->hits[RETRY_UNBOUNDED].count, 0);
	retry_keys_free(&b.r);
}

/* A pool of two hands one client's attempts from thread to thread. */
static void test_a_pool_is_one_client(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (uint32_t i = 0; i < 24; i++)
		attempt(&b, NS_PER_MS, RETRY_FAILED, 1 + i % 2, 0);
	assert_int_equal(b.k->max_attempts, 24);
	assert_true(b.k->unbounded);
	retry_keys_free(&b.r);
}

/* Eight workers that back off, out of step: nobody is hasty, and nobody tries for ever. */
static void test_workers_that_try_again(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (uint64_t round = 0; round < 4; round++) {
		for (uint32_t i = 0; i < 8; i++)
			attempt(&b, i ? 5 * NS_PER_MS : (200U << round) * NS_PER_MS, RETRY_FAILED, 1 + i, 0);
	}
	retry_end_all(&b.r, b.now);
	assert_true(b.k->client->concurrent);
	assert_in_range(b.k->max_attempts, 1, 4);
	assert_false(b.k->unbounded);
	assert_int_equal(b.k->hits[RETRY_NO_BACKOFF].count, 0);
	retry_keys_free(&b.r);
}

/* Threads one after the other, until two overlap: what they seemed to be together is taken back. */
static void test_workers_that_overlap_later(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (uint32_t i = 0; i < 5; i++)
		attempt(&b, 5 * NS_PER_MS, RETRY_FAILED, 1 + i, 0);
	const struct retry_attempt overlapping = {
		.start_ns = b.now - 1, .end_ns = b.now + 1, .result = RETRY_FAILED, .pid = 1, .tid = 9};
	retry_attempt(&b.r, b.k, &overlapping);
	for (uint64_t i = 0; i < 3; i++)
		attempt(&b, (200U << i) * NS_PER_MS, RETRY_FAILED, 5, 0);
	retry_process_exit(&b.r, 1, 0);
	retry_end_all(&b.r, b.now);
	assert_int_equal(b.k->max_attempts, 3);
	assert_int_equal(b.k->backoff, BACKOFF_EXPONENTIAL);
	assert_int_equal(b.k->hits[RETRY_NO_BACKOFF].count, 0);
	retry_keys_free(&b.r);
}

/* Two processes by turns are two clients. */
static void test_processes_side_by_side(void **state)
{
	struct bench b;
	struct retry_attempt a = {.result = RETRY_FAILED};

	(void)state;
	bench_init(&b);
	for (uint32_t i = 0; i < 40; i++) {
		a.start_ns = b.now + i * 10 * NS_PER_MS;
		a.end_ns = a.start_ns + NS_PER_MS;
		a.pid = a.tid = 1 + i % 2;
		retry_attempt(&b.r, b.k, &a);
	}
	assert_true(b.k->side_by_side);
	assert_int_equal(b.k->max_attempts, 20);
	assert_false(b.k->unbounded);
	retry_keys_free(&b.r);
}

static void rounds_of_tasks(struct bench *b, uint32_t tasks, uint32_t rounds)
{
	struct retry_attempt a = {.result = RETRY_FAILED, .pid = 1, .tid = 1, .answered = true};

	for (uint32_t round = 0; round < rounds; round++) {
		for (uint32_t i = 0; i < tasks; i++) {
			a.start_ns = b->now + i;
			a.end_ns = b->now + NS_PER_MS + i;
			retry_attempt(&b->r, b->k, &a);
		}
		b->now += 200 * NS_PER_MS;
	}
}

static void test_tasks_of_one_thread(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	rounds_of_tasks(&b, 10, 4);
	assert_non_null(b.k->client->crowd);
	assert_int_equal(b.k->max_attempts, 1);
	for (unsigned int rule = 0; rule < RETRY_RULES; rule++)
		assert_int_equal(b.k->hits[rule].count, 0);
	rounds_of_tasks(&b, 10, 90); /* more than ninety each */
	assert_true(b.k->unbounded);
	retry_keys_free(&b.r);
}

/* What was concluded before the tasks were recognised is taken back. */
static void test_taken_back(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (uint32_t i = 0; i < 21; i++)
		attempt(&b, NS_PER_MS, RETRY_FAILED, 1, 0);
	assert_true(b.k->unbounded);
	b.k->client->seq.answered = true;
	const struct retry_attempt overlapping = {
		.start_ns = b.now - 1, .end_ns = b.now + 1, .result = RETRY_FAILED, .pid = 1, .tid = 1, .answered = true};
	retry_attempt(&b.r, b.k, &overlapping);
	assert_true(b.k->unbounded); /* one may be by accident */
	for (int i = 0; i < 7; i++)
		retry_attempt(&b.r, b.k, &overlapping);
	assert_false(b.k->unbounded);
	assert_int_equal(b.k->hits[RETRY_UNBOUNDED].count, b.k->hits[RETRY_UNBOUNDED].told);
	assert_false(b.k->client->seq.active);
	retry_keys_free(&b.r);
}

static void test_requests_of_a_thread(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(retry_crowd_asked(&b.r, b.k, &(struct request){.tid = 7, .t_start = 10}, 20), 1);
	assert_int_equal(retry_crowd_asked(&b.r, b.k, &(struct request){.tid = 7, .t_start = 20}, 30), 2);
	assert_int_equal(retry_crowd_asked(&b.r, b.k, &(struct request){.tid = 8, .t_start = 20}, 30), 1);
	assert_int_equal(retry_crowd_asked(&b.r, b.k, &(struct request){.tid = 7, .t_start = 29}, 40), 0); /* two at once */
	assert_int_equal(retry_crowd_asked(&b.r, b.k, &(struct request){.tid = 7, .t_start = 50}, 60), 0);
	retry_keys_free(&b.r);
}

/* What comes with each new connection is no other work of the thread. */
static void test_what_is_counted(void **state)
{
	struct bench b;
	struct request q = {.tid = 1, .t_start = 10};

	(void)state;
	bench_init(&b);
	assert_int_equal(retry_crowd_asked(&b.r, b.k, &q, 20), 1);
	q.setup = true;
	for (unsigned int i = 0; i < 9; i++) {
		q.t_start += 20;
		assert_int_equal(retry_crowd_asked(&b.r, b.k, &q, q.t_start + 10), 1);
	}
	q.setup = false;
	q.t_start += 20;
	assert_int_equal(retry_crowd_asked(&b.r, b.k, &q, q.t_start + 10), 2);
	assert_int_equal(retry_crowd_asked(&b.r, b.k, &q, q.t_start + 10), 0); /* two at once */
	retry_keys_free(&b.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_workers_that_fail_once),
		cmocka_unit_test(test_timer_threads_are_one_client),
		cmocka_unit_test(test_a_servers_threads_are_not),
		cmocka_unit_test(test_a_pool_is_one_client),
		cmocka_unit_test(test_workers_that_try_again),
		cmocka_unit_test(test_processes_side_by_side),
		cmocka_unit_test(test_tasks_of_one_thread),
		cmocka_unit_test(test_workers_that_overlap_later),
		cmocka_unit_test(test_taken_back),
		cmocka_unit_test(test_requests_of_a_thread),
		cmocka_unit_test(test_what_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
