/*
 * Checks and polls: failures among good answers at the same pace are no retries, whichever came first.
 */
#include "detectors/attempts.h"

/* A check every 250 ms whose target fails by chance, in short runs and in long ones: no finding, whatever the order. */
static void test_a_check_that_fails_by_chance(void **state)
{
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (int round = 0; round < 400; round++) {
		struct bench b;
		uint64_t percent = 10 + next_random(&seed) % 70, failed = 0;
		bench_init(&b);
		for (int i = 0; i < 60; i++) {
			bool bad = next_random(&seed) % 100 < percent;
			uint64_t wander = next_random(&seed) % 25 * NS_PER_MS;
			failed += bad;
			attempt(&b, 235 * NS_PER_MS + wander, bad ? RETRY_FAILED : RETRY_OK, 1, 0);
		}
		retry_end_all(&b.r, b.now);
		assert_true(failed > 0);
		for (unsigned int rule = 0; rule < RETRY_RULES; rule++)
			assert_true(b.k->hits[rule].count == 0 || (rule == RETRY_NO_BACKOFF && retry_was_pace(b.k)));
		retry_keys_free(&b.r);
	}
}

/* Retries at a fixed delay of a client that otherwise comes at another pace stay what they are. */
static void test_fixed_retries_are_no_pace(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (int call = 0; call < 6; call++) {
		for (int i = 0; i < 8; i++)
			attempt(&b, i ? 200 * NS_PER_MS : 5 * NS_PER_S, i < 7 ? RETRY_FAILED : RETRY_OK, 1, 0);
	}
	retry_end_all(&b.r, b.now);
	assert_false(retry_was_pace(b.k));
	assert_true(b.k->hits[RETRY_NO_BACKOFF].count > 0);
	retry_keys_free(&b.r);
}

static void test_pace(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_false(retry_was_pace(b.k)); /* nothing is known */
	for (int i = 0; i < 5; i++)
		attempt(&b, 100 * NS_PER_MS, RETRY_OK, 1, 0);
	assert_true(retry_keeps_pace(b.k, 120 * NS_PER_MS));
	assert_true(retry_keeps_pace(b.k, 60 * NS_PER_MS));
	assert_false(retry_keeps_pace(b.k, 10 * NS_PER_MS));
	assert_false(retry_keeps_pace(b.k, 900 * NS_PER_MS));
	assert_true(retry_keeps_period(b.k, 101 * NS_PER_MS));
	assert_false(retry_keeps_period(b.k, 202 * NS_PER_MS));
	retry_keys_free(&b.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_check_that_fails_by_chance),
		cmocka_unit_test(test_fixed_retries_are_no_pace),
		cmocka_unit_test(test_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
