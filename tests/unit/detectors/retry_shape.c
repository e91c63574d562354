/*
 * Shapes of back-offs, and the property that noise, which only lengthens gaps, never makes an offender of a client that backs off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detectors/retry_shape.h"

#define MS 1000000ULL
#define NONE_BELOW (60 * MS)

static enum backoff shape(size_t n, const uint64_t *ms)
{
	uint64_t gaps[SHAPE_GAPS_MAX];

	for (size_t i = 0; i < n; i++)
		gaps[i] = ms[i] * MS;
	return shape_of(gaps, n, NONE_BELOW);
}
#define SHAPE(...) shape(sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (const uint64_t[]){__VA_ARGS__})

static void test_shapes(void **state)
{
	(void)state;
	assert_int_equal(shape_of(NULL, 0, NONE_BELOW), BACKOFF_NONE);
	assert_int_equal(SHAPE(1, 1, 2, 1), BACKOFF_NONE);
	assert_int_equal(SHAPE(59, 59, 59), BACKOFF_NONE);
	assert_int_equal(SHAPE(60, 60, 60), BACKOFF_CONSTANT);
	assert_int_equal(SHAPE(1000, 1001, 1002, 1100, 1000), BACKOFF_CONSTANT);
	assert_int_equal(SHAPE(1000, 1300, 1600, 1900), BACKOFF_LINEAR);
	assert_int_equal(SHAPE(200, 400, 801, 1000, 1000), BACKOFF_EXPONENTIAL); /* capped: no line, near as it is to one */
	assert_int_equal(SHAPE(200, 401, 800, 1001), BACKOFF_EXPONENTIAL);
	assert_int_equal(SHAPE(0, 100, 1, 200, 0, 400, 2, 800), BACKOFF_EXPONENTIAL); /* each tried twice by the runtime */
	assert_int_equal(SHAPE(0, 100, 1, 200, 70, 400, 2), BACKOFF_EXPONENTIAL);
	assert_int_equal(SHAPE(0, 300, 1, 300, 0, 300, 2, 300), BACKOFF_CONSTANT);
	assert_int_equal(SHAPE(0, 1, 300, 0, 1, 300, 0, 1, 300), BACKOFF_NONE);
	assert_int_equal(SHAPE(100, 200, 300, 400, 500), BACKOFF_LINEAR);
	assert_int_equal(SHAPE(1000, 2000), BACKOFF_EXPONENTIAL);
	assert_int_equal(SHAPE(1000, 2000, 4000), BACKOFF_EXPONENTIAL);
	assert_int_equal(SHAPE(100, 200, 400, 800, 1600, 1600, 1600, 1600), BACKOFF_EXPONENTIAL);
	assert_int_equal(SHAPE(100, 300, 900, 2700), BACKOFF_EXPONENTIAL);
	assert_int_equal(SHAPE(0, 1000, 2000, 4000), BACKOFF_EXPONENTIAL); /* a first immediate retry */
	assert_int_equal(SHAPE(0, 1000, 1000, 1000), BACKOFF_CONSTANT);
	assert_int_equal(SHAPE(15, 30, 55, 110), BACKOFF_EXPONENTIAL); /* it only begins small */
	assert_int_equal(SHAPE(15, 30, 59), BACKOFF_NONE);
	assert_int_equal(SHAPE(15, 20, 15, 110), BACKOFF_NONE);
	assert_int_equal(SHAPE(80, 350, 90, 1200, 700), BACKOFF_EXPONENTIAL); /* random, and growing */
	assert_int_equal(SHAPE(700, 120, 900, 100, 700), BACKOFF_IRREGULAR);
	assert_int_equal(SHAPE(900, 300, 800), BACKOFF_IRREGULAR);
	assert_int_equal(SHAPE(100, 200, 300, 1900, 500, 600), BACKOFF_LINEAR); /* one of them held up */
	assert_int_equal(SHAPE(100, 200, 300, 400, 500, 500, 500, 500), BACKOFF_LINEAR);
	assert_int_equal(SHAPE(10, 20, 30, 40, 50, 60, 70), BACKOFF_LINEAR);
	assert_int_equal(SHAPE(1000, 1000, 3000, 1000, 2000, 1000, 1000, 1000), BACKOFF_CONSTANT);
	assert_int_equal(SHAPE(100, 100, 200, 300, 500), BACKOFF_EXPONENTIAL);
	assert_int_equal(SHAPE(1000, 800, 1250, 900, 1100), BACKOFF_CONSTANT); /* drawn around a second */
	assert_int_equal(SHAPE(20, 90, 50, 310), BACKOFF_EXPONENTIAL);
}

static bool constant(size_t n, const uint64_t *ms)
{
	return shape_is_constant(ms, n);
}
#define CONSTANT(...) constant(sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (const uint64_t[]){__VA_ARGS__})

static void test_constant(void **state)
{
	(void)state;
	assert_true(CONSTANT(1000));
	assert_true(CONSTANT(1000, 1100));
	assert_false(CONSTANT(1000, 1200));
	assert_true(CONSTANT(1000, 2500, 1010, 1005));
	assert_false(CONSTANT(1000, 1010, 2500, 4000)); /* it grows in the end */
	assert_false(CONSTANT(1000, 800, 1250, 900, 1100));
}

static void test_median(void **state)
{
	const uint64_t gaps[] = {5, 1, 4, 2};

	(void)state;
	assert_int_equal(shape_median(gaps, 0), 0);
	assert_int_equal(shape_median(gaps, 3), 4);
	assert_int_equal(shape_median(gaps, 4), 2);
}

static void steps_of(struct shape_step *steps, size_t sequences, size_t gaps, uint64_t spread)
{
	for (size_t s = 0; s < sequences; s++) {
		for (size_t k = 0; k < gaps; k++)
			shape_step_add(&steps[k], (100ULL << k) * MS + (s % 2) * spread);
	}
}

static void test_jitter(void **state)
{
	struct shape_step same[SHAPE_STEPS_MAX] = {{0}}, random[SHAPE_STEPS_MAX] = {{0}}, few[SHAPE_STEPS_MAX] = {{0}},
			  short_ones[SHAPE_STEPS_MAX] = {{0}};

	(void)state;
	steps_of(same, 5, 3, 4 * MS);
	assert_int_equal(shape_jitter(same, SHAPE_STEPS_MAX, 5), JITTER_NO);
	steps_of(random, 5, 1, 300 * MS);
	steps_of(random, 5, 1, 300 * MS);
	assert_int_equal(shape_jitter(random, SHAPE_STEPS_MAX, 5), JITTER_YES);
	shape_step_add(&same[0], 900 * MS); /* one that was held up: of six */
	shape_step_add(&same[1], 900 * MS);
	assert_int_equal(shape_jitter(same, SHAPE_STEPS_MAX, 5), JITTER_NO);
	steps_of(few, 4, 3, 0);
	assert_int_equal(shape_jitter(few, SHAPE_STEPS_MAX, 5), JITTER_UNKNOWN);
	steps_of(short_ones, 5, 1, 0); /* fewer than six gaps in all */
	assert_int_equal(shape_jitter(short_ones, SHAPE_STEPS_MAX, 5), JITTER_UNKNOWN);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* The offence is a median below the threshold. Whatever lengthens gaps, it stays absent once it is absent. */
static void test_noise_makes_no_offender(void **state)
{
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint64_t gaps[SHAPE_GAPS_MAX], base = (60 + next_random(&seed) % 1000) * MS;
		size_t n = 3 + next_random(&seed) % (SHAPE_GAPS_MAX - 3);
		unsigned int kind = (unsigned int)(next_random(&seed) % 3);
		for (size_t i = 0; i < n; i++)
			gaps[i] = kind == 0 ? base : kind == 1 ? base * (i + 1) : base << (i < 8 ? i : 8);
		assert_int_not_equal(shape_of(gaps, n, NONE_BELOW), BACKOFF_NONE);
		for (size_t i = 0; i < n; i++) {
			if (next_random(&seed) % 2)
				gaps[i] += next_random(&seed) % (5000 * MS);
		}
		assert_int_not_equal(shape_of(gaps, n, NONE_BELOW), BACKOFF_NONE);
	}
}

/* Load on the machine of a few per cent does not hide the shape. */
static void test_little_noise_keeps_the_shape(void **state)
{
	uint64_t seed = 1181783497276652981ULL;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint64_t constant[8], doubling[8];
		for (size_t i = 0; i < 8; i++) {
			constant[i] = 1000 * MS + next_random(&seed) % (80 * MS);
			doubling[i] = (100ULL << i) * MS;
			doubling[i] += next_random(&seed) % (doubling[i] / 20);
		}
		assert_int_equal(shape_of(constant, 8, NONE_BELOW), BACKOFF_CONSTANT);
		assert_int_equal(shape_of(doubling, 8, NONE_BELOW), BACKOFF_EXPONENTIAL);
	}
}

/* Many gaps alike but for what a busy machine adds do not grow, however long the longest of them is; those that are drawn wider do. */
static void test_noise_is_no_growth(void **state)
{
	uint64_t seed = 2463534242ULL;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint64_t noisy[SHAPE_GAPS_MAX], drawn[SHAPE_GAPS_MAX];
		for (size_t i = 0; i < SHAPE_GAPS_MAX; i++) {
			uint64_t noise = next_random(&seed) % (20 * MS), top = (200ULL << (i < 5 ? i : 5)) * MS;
			noisy[i] = 75 * MS + noise +
				   (i < 2                    ? 25 * MS
				    : next_random(&seed) % 8 ? 0
							     : next_random(&seed) % (300 * MS));
			drawn[i] = top / 2 + next_random(&seed) % (top / 2);
		}
		assert_int_not_equal(shape_of(noisy, SHAPE_GAPS_MAX, NONE_BELOW), BACKOFF_EXPONENTIAL);
		assert_int_equal(shape_of(drawn, SHAPE_GAPS_MAX, NONE_BELOW), BACKOFF_EXPONENTIAL);
	}
}

/* Share of 2,000 sequences of `n` gaps that are told as `wanted`. draw(k, seed): the k-th delay in ms. Scheduling adds up to 10 ms, and one gap in
 * twenty is held up for long. */
static unsigned int per_cent(enum backoff wanted, size_t n, uint64_t (*draw)(size_t k, uint64_t *seed))
{
	uint64_t seed = 4101842887655102017ULL;
	unsigned int right = 0;

	for (int round = 0; round < 2000; round++) {
		uint64_t gaps[SHAPE_GAPS_MAX];
		for (size_t k = 0; k < n; k++) {
			uint64_t held_up = next_random(&seed) % 20 ? 0 : next_random(&seed) % (400 * MS);
			gaps[k] = draw(k, &seed) * MS + next_random(&seed) % (10 * MS) + held_up;
		}
		right += shape_of(gaps, n, NONE_BELOW) == wanted;
	}
	return right / 20;
}

static uint64_t drawn_between(uint64_t least, uint64_t most, uint64_t *seed)
{
	return least + next_random(seed) % (most - least + 1);
}

static uint64_t always(size_t k, uint64_t *seed)
{
	(void)k;
	(void)seed;
	return 500;
}

static uint64_t around(size_t k, uint64_t *seed)
{
	(void)k;
	return drawn_between(400, 600, seed);
}

static uint64_t by_steps(size_t k, uint64_t *seed)
{
	(void)seed;
	return 300 * (k + 1);
}

static uint64_t doubling(size_t k, uint64_t *seed)
{
	(void)seed;
	return 200ULL << (k < 5 ? k : 5);
}

static uint64_t equal_jitter(size_t k, uint64_t *seed)
{
	uint64_t top = doubling(k, seed);

	return drawn_between(top / 2, top, seed);
}

static uint64_t full_jitter(size_t k, uint64_t *seed)
{
	return drawn_between(0, doubling(k, seed), seed);
}

/* Real delays on a busy machine, of as many gaps as a short and a long sequence have. */
static void test_most_are_told_right(void **state)
{
	static const struct {
		enum backoff wanted;
		uint64_t (*draw)(size_t k, uint64_t *seed);
		size_t n;
		unsigned int least;
	} rows[] = {
		{BACKOFF_CONSTANT, always, 3, 90},          {BACKOFF_CONSTANT, always, 6, 97},
		{BACKOFF_CONSTANT, always, 24, 99},         {BACKOFF_CONSTANT, around, 6, 85},
		{BACKOFF_CONSTANT, around, 24, 90},         {BACKOFF_LINEAR, by_steps, 4, 85},
		{BACKOFF_LINEAR, by_steps, 7, 95},          {BACKOFF_LINEAR, by_steps, 24, 97},
		{BACKOFF_EXPONENTIAL, doubling, 3, 90},     {BACKOFF_EXPONENTIAL, doubling, 24, 99},
		{BACKOFF_EXPONENTIAL, equal_jitter, 4, 92}, {BACKOFF_EXPONENTIAL, equal_jitter, 9, 97},
		{BACKOFF_EXPONENTIAL, full_jitter, 5, 90},  {BACKOFF_EXPONENTIAL, full_jitter, 12, 97},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned int right = per_cent(rows[i].wanted, rows[i].n, rows[i].draw);
		print_message("%s, %zu gaps: %u %% right\n", backoff_name(rows[i].wanted), rows[i].n, right);
		assert_true(right >= rows[i].least);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(backoff_name(BACKOFF_EXPONENTIAL), "exponential");
	assert_string_equal(backoff_name(BACKOFF_NONE), "none");
	assert_string_equal(jitter_name(JITTER_UNKNOWN), "unknown");
}

/* Three delays drawn from 200, 400 and 800 ms are by even steps now and then; seldom as they were asked for. */
static void test_three_drawn_delays(void **state)
{
	uint64_t draw = 3;
	unsigned int lines = 0, asked = 0;
	const uint64_t ms = MS, steps[] = {100 * ms, 200 * ms, 300 * ms}, nearly[] = {139 * ms, 380 * ms, 584 * ms};

	(void)state;
	for (unsigned int i = 0; i < 2000; i++) {
		uint64_t gaps[3];
		for (unsigned int k = 0; k < 3; k++)
			gaps[k] = next_random(&draw) % ((UINT64_C(200) << k) * ms);
		lines += shape_of(gaps, 3, 60 * ms) == BACKOFF_LINEAR;
		asked += shape_of_asked(gaps, 3, 60 * ms) == BACKOFF_LINEAR;
	}
	assert_true(3 * asked < lines && lines < 400);
	assert_int_equal(shape_of(steps, 3, 60 * ms), BACKOFF_LINEAR);
	assert_int_equal(shape_of_asked(steps, 3, 60 * ms), BACKOFF_LINEAR);
	assert_int_equal(shape_of(nearly, 3, 60 * ms), BACKOFF_LINEAR);
	assert_int_equal(shape_of_asked(nearly, 3, 60 * ms), BACKOFF_EXPONENTIAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_constant),
		cmocka_unit_test(test_median),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_noise_makes_no_offender),
		cmocka_unit_test(test_little_noise_keeps_the_shape),
		cmocka_unit_test(test_noise_is_no_growth),
		cmocka_unit_test(test_most_are_told_right),
		cmocka_unit_test(test_three_drawn_delays),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
