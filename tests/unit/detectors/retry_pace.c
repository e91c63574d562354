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

/* Rounds every 400 ms; now and then one takes 3 s, or a pause as long comes in between. `makes_up`: rounds missed follow at once. */
static uint64_t hits_of_rounds(bool pause, bool makes_up, uint32_t tries, uint64_t percent)
{
	const uint64_t period = 400 * NS_PER_MS, start = 1000 * NS_PER_S;
	uint64_t seed = 88172645463325252ULL, now = start, due = start, hits = 0;
	struct bench b;

	bench_init(&b);
	for (int i = 0; i < 600; i++) {
		const uint64_t held_up = i % 40 == 20 ? 3 * NS_PER_S + next_random(&seed) % period : 0;
		now += pause ? held_up : 0;
		if (i % 40 > 20 && i % 40 < 28 && next_random(&seed) % 5 == 0)
			now += 150 * NS_PER_MS; /* it gets no processor while it makes up for them */
		now = now > due ? now : due;
		for (uint32_t n = 0; n < tries; n++) {
			bool bad = next_random(&seed) % 100 < percent;
			struct retry_attempt a = {
				.start_ns = now, .end_ns = now + 2 * NS_PER_MS, .pid = 1, .tid = 1, .answered = true};
			a.end_ns += pause ? 0 : held_up;
			a.result = bad ? RETRY_FAILED : RETRY_OK;
			retry_attempt(&b.r, b.k, &a);
			now = a.end_ns + NS_PER_MS / 2;
			if (!bad)
				break;
		}
		due += period;
		while (!makes_up && due <= now)
			due += period;
	}
	retry_end_all(&b.r, now);
	for (unsigned int rule = 0; rule < RETRY_RULES; rule++) {
		bool of_pace = rule == RETRY_NO_BACKOFF || (rule == RETRY_NO_JITTER && b.k->backoff == BACKOFF_CONSTANT);
		if (!of_pace || !retry_was_pace(b.k)) /* what is said of a pace is held back */
			hits += b.k->hits[rule].count;
	}
	assert_int_equal(b.k->unbounded, false);
	retry_keys_free(&b.r);
	return hits;
}

/* A check that was held up asks several times at once, as often as rounds were missed, and tries nothing again. */
static void test_rounds_that_were_owed(void **state)
{
	(void)state;
	for (uint64_t percent = 10; percent <= 60; percent += 10) {
		assert_int_equal(hits_of_rounds(false, true, 1, percent), 0);
		assert_int_equal(hits_of_rounds(true, true, 1, percent), 0);
		assert_int_equal(hits_of_rounds(false, false, 1, percent), 0);
	}
}

/* Tries of one round at once stay what they are, in a client that makes up for rounds and in one that does not. */
static void test_tries_of_a_round(void **state)
{
	(void)state;
	assert_true(hits_of_rounds(false, true, 6, 40) > 3);
	assert_true(hits_of_rounds(true, true, 6, 40) > 3);
	assert_true(hits_of_rounds(true, false, 6, 40) > 3);
}

/* More rounds are made up for than were seen to be missed, since records were lost: it goes on at once after good answers as well. Where
 * nothing else went on at once, tries do not pass for rounds. */
static void test_more_than_was_owed(void **state)
{
	(void)state;
	for (int good = 0; good < 2; good++) {
		struct bench b;
		bench_init(&b);
		for (int i = 0; i < 20; i++)
			attempt(&b, 400 * NS_PER_MS, RETRY_OK, 1, 0);
		attempt(&b, 900 * NS_PER_MS, RETRY_OK, 1, 0);
		for (int i = 0; i < 8; i++)
			attempt(&b, good ? NS_PER_MS : 400 * NS_PER_MS, RETRY_OK, 1, 0);
		for (int i = 0; i < 6; i++)
			attempt(&b, NS_PER_MS, RETRY_FAILED, 1, 0);
		retry_end_all(&b.r, b.now);
		assert_int_equal(b.k->hits[RETRY_NO_BACKOFF].count == 0, good);
		retry_keys_free(&b.r);
	}
}

/* A job of a timer starts a program each time, which takes longer to come up on a busy machine than the pause lasts. */
static void test_a_process_each_time(void **state)
{
	struct bench b;
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	bench_init(&b);
	for (uint32_t i = 0; i < 60; i++) {
		struct retry_attempt a = {.parent = 1, .pid = 100 + i, .tid = 100 + i, .answered = true};
		a.process_ns = b.now + 1000 * NS_PER_MS + next_random(&seed) % 30 * NS_PER_MS;
		a.start_ns = a.process_ns + (300 + next_random(&seed) % 3000) * NS_PER_MS;
		a.end_ns = b.now = a.start_ns + NS_PER_MS;
		a.result = i > 30 && i < 40 ? RETRY_FAILED : RETRY_OK;
		retry_attempt(&b.r, b.k, &a);
	}
	retry_end_all(&b.r, b.now);
	assert_true(b.k->max_attempts > 3);
	assert_true(retry_was_pace(b.k));
	retry_keys_free(&b.r);
}

static void test_another_period(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (int i = 0; i < 10; i++)
		attempt(&b, 100 * NS_PER_MS, RETRY_OK, 1, 0);
	for (int i = 0; i < 30; i++)
		attempt(&b, 300 * NS_PER_MS, RETRY_OK, 1, 0);
	assert_true(retry_keeps_period(b.k, 301 * NS_PER_MS));
	const struct retry_attempt soon = {.start_ns = b.now + NS_PER_MS};
	assert_false(retry_keeps_schedule(b.k, &soon));
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
		cmocka_unit_test(test_rounds_that_were_owed),
		cmocka_unit_test(test_tries_of_a_round),
		cmocka_unit_test(test_more_than_was_owed),
		cmocka_unit_test(test_a_process_each_time),
		cmocka_unit_test(test_another_period),
		cmocka_unit_test(test_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
