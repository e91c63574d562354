/*
 * learn.c: what a place of a line held, by call site, word and shape; the same number again says nothing; equal steps; what is no number.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "ingest/learn.h"

struct told {
	size_t n;
	uint64_t slot;
	uint32_t values, passed, steps;
};

static void take(void *ctx, struct event *e)
{
	struct told *t = ctx;

	assert_int_equal(e->id, WIRE_SLOT);
	t->n++;
	t->slot = e->a0;
	t->values = (uint32_t)(e->a1 >> 32);
	t->passed = (uint32_t)e->a1;
	t->steps = (uint32_t)e->ret;
}

/* One line; `passes`: the scanner found a match at the first digit, up to `len` bytes. Its slot. */
static uint64_t line(struct learn *l, uint32_t stack, const char *text, size_t len, bool passes, struct told *t)
{
	const size_t at = strcspn(text, "0123456789");
	uint64_t slot = 0;

	if (passes)
		slot = learn_match(l, stack, (const uint8_t *)text, at, at + len);
	learn_line(l, stack, (const uint8_t *)text, strlen(text), take, t);
	return slot;
}

static void a_counter_passes_one_time_in_ten(void **state)
{
	struct counters counters = {0};
	struct learn *l = learn_new(&counters);
	struct told t = {0};
	char text[64];

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(text, sizeof text, "INFO tx 45395787%02u done", i);
		line(l, 7, text, 10, i % 10 == 0, &t);
	}
	learn_tell_all(l, take, &t);
	assert_int_equal(t.values, 100);
	assert_int_equal(t.passed, 10);
	assert_int_equal(t.steps, 98);
	assert_true(t.n < 30); /* told rarely */
	learn_free(l);
}

static void the_place_is_site_word_and_shape(void **state)
{
	struct counters counters = {0};
	struct learn *l = learn_new(&counters);
	struct told t = {0};
	const uint64_t first = line(l, 7, "pay 45395787 ok", 8, true, &t);

	(void)state;
	assert_int_not_equal(first, 0);
	assert_int_equal(line(l, 7, "x pay 45395788 ok", 8, true, &t), first);
	assert_int_not_equal(line(l, 8, "pay 45395787 ok", 8, true, &t), first);
	assert_int_not_equal(line(l, 7, "id 45395787 ok", 8, true, &t), first);
	assert_int_not_equal(line(l, 7, "pay 453957871 ok", 9, true, &t), first);
	/* other shapes and other words are not counted for it */
	line(l, 7, "pay 4539578x", 8, false, &t);
	line(l, 7, "pay 453957890", 8, false, &t);
	line(l, 7, "sum 45395789", 8, false, &t);
	assert_int_equal(line(l, 7, "pay 45395791", 8, true, &t), first);
	assert_int_equal(t.slot, first);
	assert_int_equal(t.values, 3);
	assert_int_equal(t.passed, 3);
	learn_free(l);
}

static void the_same_number_again_says_nothing(void **state)
{
	struct counters counters = {0};
	struct learn *l = learn_new(&counters);
	struct told t = {0};

	(void)state;
	for (int i = 0; i < 20; i++)
		line(l, 7, "card 4539578763621486", 16, true, &t);
	assert_int_equal(t.values, 1);
	assert_int_equal(t.passed, 1);
	learn_free(l);
}

static void words_have_no_slot(void **state)
{
	struct counters counters = {0};
	struct learn *l = learn_new(&counters);
	static const char *const texts[] = {"mail a1b2c3d4@example.net", "key 1234567abcdefgh", "pin 123456"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(learn_match(l, 7, (const uint8_t *)texts[i], strcspn(texts[i], " ") + 1, strlen(texts[i])), 0);
	assert_false(learn_any(l));
	learn_free(l);
}

static void slots_of_a_site_are_bounded(void **state)
{
	struct counters counters = {0};
	struct learn *l = learn_new(&counters);
	struct told t = {0};
	char text[64];

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(text, sizeof text, "%c%c 45395787", 'a' + i % 10, 'a' + i / 10);
		line(l, 7, text, 8, true, &t);
	}
	assert_true(counters.limit[LIMIT_REACHED_SLOTS] > 0);
	learn_free(l);
}

TEST_MAIN(cmocka_unit_test(a_counter_passes_one_time_in_ten), cmocka_unit_test(the_place_is_site_word_and_shape),
	  cmocka_unit_test(the_same_number_again_says_nothing), cmocka_unit_test(words_have_no_slot),
	  cmocka_unit_test(slots_of_a_site_are_bounded))
