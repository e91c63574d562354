/*
 * Calls that fail one after the other: told from one that never gives up, whatever is drawn; and never seen in one that does not end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "detectors/retry_calls.h"

#define TRIALS 150
enum { RETRY_PLACE = 11, PAUSE_PLACE = 22 };

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	return *seed ^= *seed << 17;
}

/* Drawn between zero and `most_ms`, and what a busy machine adds. */
static uint32_t drawn_us(uint64_t *seed, uint32_t most_ms)
{
	return (uint32_t)(next_random(seed) % (most_ms * 1000ULL + 1)) + (uint32_t)(next_random(seed) % 3000);
}

/* Full jitter: the ceiling of the k-th delay doubles from 100 ms up to 2 s. */
static uint32_t full_jitter(uint64_t *seed, uint32_t k)
{
	return drawn_us(seed, k < 5 ? 100U << k : 2000);
}

struct calls {
	uint32_t attempts, pause_ms; /* of a call; between two */
	bool pause_drawn;
};

static size_t fill_calls(struct calls_gap *gaps, size_t n, const struct calls *c, uint64_t *seed)
{
	for (uint32_t i = 0; i < n; i++) {
		bool between = i % c->attempts == c->attempts - 1;
		uint32_t pause = c->pause_drawn ? drawn_us(seed, c->pause_ms) : c->pause_ms * 1000 + drawn_us(seed, 0);
		gaps[i] = (struct calls_gap){.us = between ? pause : full_jitter(seed, i % c->attempts)};
	}
	return n;
}

/* By nothing but the length of gaps. */
static void test_drawn_delays(void **state)
{
	static const struct calls rows[] = {{3, 0, false}, {5, 0, false},   {3, 500, false}, {4, 2000, false},
					    {5, 30, true}, {4, 5000, true}, {2, 800, false}};
	struct calls_gap gaps[CALLS_GAPS_MAX];
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
		int right = 0, other = 0;
		for (int t = 0; t < TRIALS; t++) {
			struct calls_shown s = calls_look(gaps, fill_calls(gaps, 89, &rows[r], &seed));
			right += s.round == rows[r].attempts;
			other += s.round && s.round != rows[r].attempts;
		}
		printf("%u attempts, pause %u ms%s: right %d of %d, another number %d\n", rows[r].attempts, rows[r].pause_ms,
		       rows[r].pause_drawn ? " drawn" : "", right, TRIALS, other);
		assert_true(right >= TRIALS * 9 / 10);
		assert_true(other <= TRIALS / 20);
	}
}

/* One that never gives up is taken for calls once in hundreds, at any of the moments at which it is looked at. */
static void test_one_without_end(void **state)
{
	uint64_t seed = 362436069;
	int taken[4] = {0};

	(void)state;
	for (int t = 0; t < 4 * TRIALS; t++) {
		struct calls_gap gaps[CALLS_GAPS_MAX];
		uint32_t before = 100;
		for (uint32_t i = 0; i < CALLS_GAPS_MAX; i++) {
			const uint32_t ceiling = i < 5 ? 100U << i : 2000;
			before = drawn_us(&seed, 3 * before) / 1000 + 100;
			before = before < 3000 ? before : 3000;
			const uint32_t us[] = {full_jitter(&seed, i), drawn_us(&seed, 1000), before * 1000,
					       ceiling * 500 + drawn_us(&seed, ceiling / 2)};
			gaps[i] = (struct calls_gap){.us = us[t % 4]};
		}
		bool seen = false;
		for (size_t n = 20; n <= CALLS_GAPS_MAX; n += 9)
			seen = seen || calls_look(gaps, n).round;
		taken[t % 4] += seen;
	}
	printf("taken for calls of %d: full %d, flat %d, decorrelated %d, equal jitter %d\n", TRIALS, taken[0], taken[1], taken[2],
	       taken[3]);
	for (int i = 0; i < 4; i++)
		assert_true(taken[i] <= TRIALS / 50);
}

/* Something regular that adds a little to each fifth gap makes no calls of one loop. */
static void test_regular_hiccup(void **state)
{
	struct calls_gap gaps[100];

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		gaps[i] = (struct calls_gap){.us = 1000000 + i * 7919 % 500 + (i % 5 == 4 ? 60000 : 0)};
	assert_int_equal(calls_look(gaps, 100).round, 0);
	for (uint32_t i = 0; i < 100; i++)
		gaps[i].us = 2000 + i * 7919 % 500 + (i % 5 == 4 ? 9000 : 0);
	assert_int_equal(calls_look(gaps, 100).round, 0);
}

/* The pause is asked for by who makes the calls: as many attempts each or not, six calls show. */
static void test_depth(void **state)
{
	struct calls_gap gaps[64];
	size_t n = 0;

	(void)state;
	for (uint32_t call = 0; call < 7; call++) {
		for (uint32_t i = 0; i + 1 < 3 + call % 3; i++)
			gaps[n++] = (struct calls_gap){.us = 200000, .wait = RETRY_PLACE, .depth = 5};
		gaps[n++] = (struct calls_gap){.us = 200000, .wait = PAUSE_PLACE, .depth = 3};
		const struct calls_shown s = calls_look(gaps, n);
		assert_int_equal(s.round, call < 4 ? 0 : 5);
		assert_true(s.hint || call < 2);
		assert_false(s.even || s.one_place);
		assert_int_equal(s.calls, call < 4 ? 0 : call + 2);
	}
	for (size_t i = 0; i < n; i++)
		gaps[i].wait = RETRY_PLACE; /* one place, seen from here and from there: the stack was an old one */
	assert_int_equal(calls_look(gaps, n).round, 0);
	for (size_t i = 0; i < n; i++)
		gaps[i] = (struct calls_gap){.us = 200000, .wait = i ? PAUSE_PLACE : RETRY_PLACE, .depth = i ? 3 : 5};
	assert_int_equal(calls_look(gaps, n).round, 0); /* another place from the second gap on, for ever */
}

/* A library that calls itself for each attempt is back where it was at the next call; a pause is slept elsewhere, or not at all. */
static void test_places(void **state)
{
	struct calls_gap gaps[60];
	uint64_t seed = 362436069;

	(void)state;
	for (uint32_t kind = 0; kind < 3; kind++) {
		for (uint32_t i = 0; i < 60; i++) {
			uint32_t us = drawn_us(&seed, 400), at = i % 4;
			gaps[i] = kind == 0 ? (struct calls_gap){.us = us, .send = 100 + at}
					    : (struct calls_gap){.us = us,
								 .wait = at < 3      ? RETRY_PLACE
									 : kind == 1 ? PAUSE_PLACE
										     : 0};
		}
		gaps[9].wait = gaps[9].send = 0; /* not seen, once */
		const struct calls_shown s = calls_look(gaps, 60);
		assert_int_equal(s.round, 4);
		assert_true(s.even);
		assert_int_equal(s.calls, 16);
	}
	for (uint32_t i = 0; i < 60; i++)
		gaps[i] = (struct calls_gap){.us = drawn_us(&seed, 400), .wait = RETRY_PLACE, .send = i ? 8 : 7};
	assert_int_equal(calls_look(gaps, 60).round, 0); /* the first attempt only came from elsewhere */
	assert_true(calls_look(gaps, 60).one_place);
	for (uint32_t i = 0; i < 60; i++)
		gaps[i] = (struct calls_gap){.us = drawn_us(&seed, 400), .logged = i % 10 == 9};
	assert_int_equal(calls_look(gaps, 60).round, 0); /* a line for each tenth attempt proves nothing */
	assert_true(calls_look(gaps, 60).hint);
	assert_false(calls_look(NULL, 0).one_place);
}

/* Three calls of seven attempts, one delay, nothing slept between two calls; what a busy machine adds changes nothing. */
static void test_haste(void **state)
{
	struct calls_gap gaps[20];
	uint64_t seed = 362436069;

	(void)state;
	for (uint32_t t = 0; t < TRIALS; t++) {
		for (uint32_t i = 0; i < 20; i++)
			gaps[i] = (struct calls_gap){.us = (i % 7 < 6 ? 100000 : 0) + drawn_us(&seed, t),
						     .wait = i % 7 < 6 ? RETRY_PLACE : 0};
		const struct calls_shown s = calls_look(gaps, 20);
		assert_int_equal(s.round, 7);
		assert_int_equal(s.calls, 3);
		assert_true(s.even);
		assert_int_equal(calls_look(gaps, 13).round, 0); /* once it may have been anything */
		gaps[4].wait = 0;                                /* and at odd distances, too */
		assert_int_equal(calls_look(gaps, 20).round, 0);
	}
	for (uint32_t i = 0; i < 20; i++)
		gaps[i] = (struct calls_gap){.us = i % 2 ? 100000 : 0, .wait = i % 2 ? RETRY_PLACE : 0};
	assert_int_equal(calls_look(gaps, 20).round, 0); /* pairs: each attempt is tried again at once */
	for (uint32_t i = 0; i < 20; i++)
		gaps[i] = (struct calls_gap){.us = 1000};
	assert_int_equal(calls_look(gaps, 20).round, 0); /* nothing is known */
}

/* Calls in three lines of a program, one after the other, slept between at the same place or not. */
static void test_lines(void **state)
{
	static const uint32_t rows[][6] = {/* gaps from each line; attempts of a call */
					   {6, 7, 7, 7, 3, true},
					   {7, 7, 6, 7, 3, true}, /* a line told late */
					   {2, 12, 5, 12, 3, false},
					   {19, 25, 3, 0, 0, false},
					   {1, 9, 9, 0, 0, false}};
	struct calls_gap gaps[64];

	(void)state;
	for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
		size_t n = 0;
		for (uint32_t line = 0; line < 3; line++) {
			for (uint32_t i = 0; i < rows[r][line]; i++)
				gaps[n++] = (struct calls_gap){.us = 100000, .wait = RETRY_PLACE, .line = 10 + line};
		}
		const struct calls_shown s = calls_look(gaps, n);
		assert_int_equal(s.round, rows[r][3]);
		assert_int_equal(s.calls, rows[r][4]);
		assert_int_equal(s.even, rows[r][5]);
		gaps[n] = gaps[0]; /* the first line again: a loop of its own around them */
		assert_int_equal(calls_look(gaps, n + 1).round, 0);
	}
}

/* A pause slept further outside, at even distances: a hint from the second one on. */
static void test_even_pauses(void **state)
{
	struct calls_gap gaps[20];

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		gaps[i] =
			(struct calls_gap){.us = 100000, .wait = i % 7 < 6 ? RETRY_PLACE : PAUSE_PLACE, .depth = i % 7 < 6 ? 5 : 3};
	assert_false(calls_look(gaps, 13).hint);
	assert_true(calls_look(gaps, 14).hint);
	assert_true(calls_look(gaps, 20).hint);
	assert_int_equal(calls_look(gaps, 20).round, 0);
}

/* A worker thread that others wake for each job, but for those that had piled up. */
static void test_handed(void **state)
{
	struct calls_gap gaps[60];

	(void)state;
	for (uint32_t i = 0; i < 60; i++)
		gaps[i] = (struct calls_gap){.us = 1000 + i * 7919 % 90000, .woken = i < 20 || i % 2};
	assert_true(calls_look(gaps, 60).handed);
	assert_false(calls_look(gaps, 5).handed);
	for (uint32_t i = 0; i < 60; i++)
		gaps[i].woken = i % 3 == 0;
	assert_false(calls_look(gaps, 60).handed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawn_delays), cmocka_unit_test(test_one_without_end), cmocka_unit_test(test_regular_hiccup),
		cmocka_unit_test(test_depth),        cmocka_unit_test(test_places),          cmocka_unit_test(test_haste),
		cmocka_unit_test(test_lines),        cmocka_unit_test(test_even_pauses),     cmocka_unit_test(test_handed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
