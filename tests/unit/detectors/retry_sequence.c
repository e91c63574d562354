/*
 * Sequences from attempts alone: what follows what, across callers, threads and pauses; and the property that longer gaps never turn a
 * client that backs off into an offender.
 */
#include "detectors/attempts.h"

static void test_follows(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(attempt(&b, 0, RETRY_FAILED, 1, 0), 0);
	assert_int_equal(attempt(&b, NS_PER_S, RETRY_FAILED, 1, 0), 1);
	assert_int_equal(attempt(&b, NS_PER_S, RETRY_OK, 1, 0), 2);
	assert_int_equal(attempt(&b, NS_PER_S, RETRY_OK, 1, 0), 0);
	assert_int_equal(b.k->recovered, 1);
	assert_int_equal(b.k->max_attempts, 3);
	assert_int_equal(b.k->retries, 2);
	retry_keys_free(&b.r);
}

static void test_other_caller_ends_it(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	attempt(&b, 0, RETRY_FAILED, 1, 10);
	attempt(&b, NS_PER_MS, RETRY_FAILED, 1, 10);
	attempt(&b, NS_PER_MS, RETRY_FAILED, 1, 11);
	assert_int_equal(b.k->gave_up, 1);
	assert_int_equal(b.k->bound, 2);
	assert_int_equal(b.k->sequences, 2);
	retry_keys_free(&b.r);
}

/* Threads that do the same at once: only attempts of one thread follow each other. */
static void test_concurrent_threads(void **state)
{
	struct bench b;
	const struct retry_attempt overlapping = {
		.start_ns = 1000 * NS_PER_S, .end_ns = 1001 * NS_PER_S, .result = RETRY_FAILED, .pid = 1, .tid = 2};

	(void)state;
	bench_init(&b);
	attempt(&b, 0, RETRY_FAILED, 1, 0);
	assert_int_equal(retry_attempt(&b.r, b.k, &overlapping), 0);
	assert_true(b.k->client->concurrent);
	for (uint32_t i = 0; i < 30; i++)
		attempt(&b, NS_PER_MS, RETRY_FAILED, 2 + i, 0);
	assert_int_equal(b.k->max_attempts, 1);
	retry_keys_free(&b.r);
}

static void test_expiry(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	attempt(&b, 0, RETRY_FAILED, 1, 0);
	attempt(&b, 30 * NS_PER_S, RETRY_FAILED, 1, 0); /* the window is now three times this gap */
	retry_expire(&b.r, b.now + 89 * NS_PER_S);
	assert_true(b.k->client->seq.active);
	retry_expire(&b.r, b.now + 91 * NS_PER_S);
	assert_false(b.k->client->seq.active);
	assert_int_equal(b.k->bound, 2);
	retry_keys_free(&b.r);
}

/* A session that ends leaves what goes on undecided; a process that ended by itself has given up. */
static void test_end_of_session(void **state)
{
	(void)state;
	for (int exits = 0; exits < 2; exits++) {
		struct bench b;
		bench_init(&b);
		attempt(&b, 0, RETRY_FAILED, 1, 0);
		attempt(&b, NS_PER_S, RETRY_FAILED, 1, 0);
		if (exits)
			retry_process_exit(&b.r, 1, 0);
		retry_end_all(&b.r, b.now + NS_PER_S);
		assert_int_equal(b.k->gave_up, exits);
		retry_keys_free(&b.r);
	}
}

static void test_no_jitter(void **state)
{
	(void)state;
	for (int spread = 0; spread < 2; spread++) {
		struct bench b;
		bench_init(&b);
		for (uint64_t s = 0; s < 6; s++) {
			attempt(&b, 100 * NS_PER_S, RETRY_FAILED, 1, 0);
			attempt(&b, 100 * NS_PER_MS + (spread ? s * 30 * NS_PER_MS : 0), RETRY_FAILED, 1, 0);
			attempt(&b, 200 * NS_PER_MS + (spread ? s * 90 * NS_PER_MS : 0), RETRY_OK, 1, 0);
		}
		assert_int_equal(b.k->hits[RETRY_NO_JITTER].count > 0, !spread);
		retry_keys_free(&b.r);
	}
}

/* The first delays of a random back-off may be small: a sequence is judged when it has ended, or is long. */
static void test_small_first_delays(void **state)
{
	static const uint64_t gaps_ms[] = {20, 35, 50, 180, 300};
	struct bench b;

	(void)state;
	bench_init(&b);
	attempt(&b, 0, RETRY_FAILED, 1, 0);
	for (size_t i = 0; i < 5; i++)
		attempt(&b, gaps_ms[i] * NS_PER_MS + 15 * NS_PER_MS, RETRY_FAILED, 1, 0);
	retry_process_exit(&b.r, 1, 0);
	retry_end_all(&b.r, b.now);
	assert_int_equal(b.k->gave_up, 1);
	assert_int_equal(b.k->hits[RETRY_NO_BACKOFF].count, 0);
	retry_keys_free(&b.r);
}

/* Calls that fail one after the other are no endless retry, and no layers: each gave up. They show whether delays are drawn. */
static void test_calls_one_after_the_other(void **state)
{
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (int drawn = 0; drawn < 2; drawn++) {
		struct bench b;
		bench_init(&b);
		for (uint64_t call = 0; call < 8; call++) {
			for (uint64_t i = 0; i < 4; i++)
				attempt(&b,
					(i ? 100U << i : 1500U) * NS_PER_MS +
						(drawn && i ? next_random(&seed) % ((50U << i) * NS_PER_MS) : 0),
					RETRY_FAILED, 1, 0);
		}
		retry_process_exit(&b.r, 1, 0);
		retry_end_all(&b.r, b.now);
		assert_int_equal(b.k->bound, 4);
		assert_int_equal(b.k->max_attempts, 4);
		assert_int_equal(b.k->sequences, 8);
		assert_int_equal(b.k->gave_up, 8);
		assert_int_equal(b.k->retries, 24);
		assert_false(b.k->unbounded);
		assert_int_equal(b.k->hits[RETRY_AMPLIFICATION].count, 0);
		assert_int_equal(b.k->hits[RETRY_NO_JITTER].count > 0, !drawn);
		retry_keys_free(&b.r);
	}
}

/* The same while the dependency stays down, however long: each call has its bound. */
static void test_rounds_without_end(void **state)
{
	(void)state;
	for (uint64_t rounds = 8; rounds <= 88; rounds += 16) {
		struct bench b;
		bench_init(&b);
		for (uint64_t i = 0; i < 4 * rounds; i++)
			attempt(&b, (i % 4 ? 100U << i % 4 : 1500U) * NS_PER_MS, RETRY_FAILED, 1, 0);
		retry_end_all(&b.r, b.now);
		assert_false(b.k->unbounded);
		assert_int_equal(b.k->hits[RETRY_UNBOUNDED].count, 0);
		assert_int_equal(b.k->bound, 4);
		assert_int_equal(b.k->sequences, rounds);
		assert_int_equal(b.k->gave_up, rounds - 1);
		retry_keys_free(&b.r);
	}
}

/* Work for the same peer between two failures of one thread: it had turned to something else. */
static void test_other_work_between(void **state)
{
	struct bench b;
	struct retry_attempt a = {.result = RETRY_FAILED, .pid = 1, .tid = 1};

	(void)state;
	bench_init(&b);
	for (uint32_t i = 0; i < 10; i++) {
		a.start_ns = b.now + i * NS_PER_S;
		a.end_ns = a.start_ns + NS_PER_MS;
		a.asked = 1 + (i < 4 ? i * 4 : 12 + (i - 3) * 5); /* three others between, then four */
		retry_attempt(&b.r, b.k, &a);
	}
	assert_int_equal(b.k->max_attempts, 4);
	assert_int_equal(b.k->sequences, 7);
	retry_keys_free(&b.r);
}

/* Bounded clients that back off, under noise that lengthens any of their gaps: never worse than information. */
static void test_noise_makes_no_offender(void **state)
{
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct bench b;
		bench_init(&b);
		uint64_t gap = (60 + next_random(&seed) % 500) * NS_PER_MS;
		unsigned int attempts = 3 + (unsigned int)(next_random(&seed) % 6);
		for (unsigned int i = 0; i < attempts; i++) {
			uint64_t noise = next_random(&seed) % 2 ? next_random(&seed) % (2 * NS_PER_S) : 0;
			attempt(&b, i ? (gap << i) + noise : 0, RETRY_FAILED, 1, 0);
		}
		for (unsigned int rule = 0; rule < RETRY_RULES; rule++)
			assert_true(!b.k->hits[rule].count || b.k->hits[rule].severity == SEVERITY_INFO);
		retry_keys_free(&b.r);
	}
}

/* One attempt of a sender that counts them. */
static void numbered(struct bench *b, uint8_t number)
{
	const struct retry_attempt a = {.start_ns = b->now + NS_PER_MS,
					.end_ns = b->now + 2 * NS_PER_MS,
					.result = RETRY_FAILED,
					.pid = 1,
					.tid = 1,
					.number = number};

	b->now = a.end_ns;
	retry_attempt(&b->r, b->k, &a);
}

/* Calls with nothing between them are told apart where the attempts are numbered, whether the first says so (AWS) or says nothing (gRPC). */
static void test_numbered_attempts(void **state)
{
	(void)state;
	for (uint8_t first = 0; first < 2; first++) {
		struct bench b;
		bench_init(&b);
		for (unsigned int call = 0; call < 8; call++) {
			for (uint8_t number = 1; number <= 3; number++)
				numbered(&b, number == 1 ? first : number);
		}
		retry_end_all(&b.r, b.now + 60 * NS_PER_S);
		assert_int_equal(b.k->sequences, 8);
		assert_int_equal(b.k->max_attempts, 3);
		assert_int_equal(b.k->bound, 3);
		assert_false(b.k->unbounded);
		assert_int_equal(b.k->hits[RETRY_NO_BACKOFF].count, 0); /* of two gaps nothing is said */
		retry_keys_free(&b.r);
	}
	struct bench b; /* nothing is said at all: one sequence */
	bench_init(&b);
	for (unsigned int i = 0; i < 24; i++)
		numbered(&b, 0);
	assert_int_equal(b.k->max_attempts, 24);
	assert_true(b.k->unbounded);
	retry_keys_free(&b.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows),
		cmocka_unit_test(test_other_caller_ends_it),
		cmocka_unit_test(test_concurrent_threads),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_end_of_session),
		cmocka_unit_test(test_no_jitter),
		cmocka_unit_test(test_calls_one_after_the_other),
		cmocka_unit_test(test_rounds_without_end),
		cmocka_unit_test(test_other_work_between),
		cmocka_unit_test(test_numbered_attempts),
		cmocka_unit_test(test_small_first_delays),
		cmocka_unit_test(test_noise_makes_no_offender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
