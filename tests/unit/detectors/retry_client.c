/*
 * Processes side by side have sequences of their own; a chain of processes is one.
 */
#include "detectors/attempts.h"

/* An attempt of a process, `at` ms after the start, of 1 ms. */
static unsigned int of(struct bench *b, uint32_t pid, uint64_t at, enum retry_result result)
{
	const struct retry_attempt a = {.start_ns = b->now + at * NS_PER_MS,
					.end_ns = b->now + (at + 1) * NS_PER_MS,
					.result = result,
					.pid = pid,
					.tid = pid,
					.parent = 9,
					.process_ns = b->now - NS_PER_S,
					.request_id = pid * 1000 + at};

	return retry_attempt(&b->r, b->k, &a);
}

/* Eight workers, each of which tries four times with growing delays, out of step or not. */
static void workers(uint64_t step, bool overlapping)
{
	struct bench b;

	bench_init(&b);
	for (uint32_t round = 0; round < 4; round++) {
		for (uint32_t pid = 1; pid <= 8; pid++) {
			unsigned int before = of(&b, pid, (100U << round) + (overlapping ? pid % 2 : pid * step), RETRY_FAILED);
			if (round > 1)
				assert_int_equal(before, round);
			if (round > 1)
				assert_int_equal(b.k->client->seq.repeats,
						 pid * 1000 + (100U << (round - 1)) + (overlapping ? pid % 2 : pid * step));
		}
	}
	retry_end_all(&b.r, b.now + 60 * NS_PER_S);
	assert_true(b.k->side_by_side);
	assert_int_equal(b.k->attempts, 32);
	assert_int_equal(b.k->sequences, 8);
	assert_int_equal(b.k->gave_up, 8);
	assert_int_equal(b.k->bound, 4);
	assert_int_equal(b.k->max_attempts, 4);
	assert_int_equal(b.k->retries, 24);
	assert_int_equal(b.k->backoff, BACKOFF_EXPONENTIAL);
	assert_true(b.k->hits[RETRY_NO_JITTER].count > 0);
	for (unsigned int rule = 0; rule < RETRY_RULES; rule++)
		assert_true(rule == RETRY_NO_JITTER || b.k->hits[rule].count == 0);
	retry_keys_free(&b.r);
	assert_int_equal(b.r.clients, 0);
}

static void test_workers(void **state)
{
	(void)state;
	workers(3, false);
	workers(0, true);
}

/* One job that goes from worker to worker, never back, is one sequence. */
static void test_a_chain(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (uint32_t i = 0; i < 30; i++)
		of(&b, 1 + i / 2, 100 * i, RETRY_FAILED);
	assert_false(b.k->side_by_side);
	assert_int_equal(b.k->max_attempts, 30);
	assert_true(b.k->unbounded);
	retry_keys_free(&b.r);
}

/* Shells side by side that start a process for each attempt: each goes on with its own. */
static void test_loops_side_by_side(void **state)
{
	struct bench b;
	uint32_t pid = 100;

	(void)state;
	bench_init(&b);
	for (uint32_t round = 0; round < 10; round++) {
		for (uint32_t shell = 1; shell <= 2; shell++) {
			uint64_t at = b.now + (round * 100 + shell) * NS_PER_MS;
			pid++;
			const struct retry_attempt a = {.start_ns = at,
							.end_ns = at + 50 * NS_PER_MS, /* they overlap */
							.result = RETRY_FAILED,
							.pid = pid,
							.tid = pid,
							.parent = shell,
							.process_ns = at - NS_PER_MS};
			retry_attempt(&b.r, b.k, &a);
		}
	}
	assert_true(b.k->side_by_side);
	assert_int_equal(b.k->sequences, 2);
	assert_int_equal(b.k->max_attempts, 10);
	retry_keys_free(&b.r);
}

/* A worker that asks twice and gives up, begun anew each time: to the service that is one who never stops, however even the pauses are. */
static void test_begun_anew(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (uint32_t i = 0; i < 24; i++) {
		const uint64_t worker = i / 2, at = b.now + (worker * 80 + i % 2 * 72) * NS_PER_MS;
		const struct retry_attempt a = {.start_ns = at,
						.end_ns = at + NS_PER_MS,
						.result = RETRY_FAILED,
						.pid = 100 + (uint32_t)worker,
						.tid = 100 + (uint32_t)worker,
						.parent = 1,
						.process_ns = b.now + worker * 80 * NS_PER_MS - 5 * NS_PER_MS};
		retry_attempt(&b.r, b.k, &a);
	}
	retry_process_exit(&b.r, 111, 0);
	retry_end_all(&b.r, b.now + 24 * 80 * NS_PER_MS);
	assert_int_equal(b.k->sequences, 1);
	assert_int_equal(b.k->max_attempts, 24);
	assert_true(b.k->unbounded);
	retry_keys_free(&b.r);
}

/* More processes than there is room for: those with nothing under way make room, and it is counted. */
static void test_bounded(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	of(&b, 1, 0, RETRY_FAILED);
	of(&b, 2, 0, RETRY_FAILED);
	for (uint32_t pid = 3; pid < 4 * RETRY_SIDE_MAX; pid++)
		of(&b, pid, pid, pid % 2 ? RETRY_OK : RETRY_FAILED);
	assert_int_equal(b.r.clients, RETRY_SIDE_MAX);
	assert_true(b.counters.limit[LIMIT_REACHED_OPERATIONS] > 0);
	assert_int_equal(b.k->attempts, 4 * RETRY_SIDE_MAX - 1);
	retry_keys_free(&b.r);
	assert_int_equal(b.r.clients, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_workers), cmocka_unit_test(test_a_chain),
					   cmocka_unit_test(test_loops_side_by_side), cmocka_unit_test(test_begun_anew),
					   cmocka_unit_test(test_bounded)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
