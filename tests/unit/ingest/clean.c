/* clean.c: a text that was kept is known, byte by byte, and no other is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/clean.h"

static int open_clean(void **state)
{
	*state = clean_new();
	return *state != NULL ? 0 : -1;
}

static int close_clean(void **state)
{
	clean_free(*state);
	return 0;
}

static bool known(struct clean *c, const void *bytes, size_t len)
{
	bool is;

	(void)clean_find(c, bytes, len, &is);
	return is;
}

static void keep(struct clean *c, const void *bytes, size_t len)
{
	bool is;

	clean_keep(clean_find(c, bytes, len, &is), bytes, len);
}

static void test_each_byte_counts(void **state)
{
	uint8_t text[CLEAN_BYTES];

	for (size_t len = 1; len <= 70; len++) {
		memset(text, 'a', sizeof(text));
		keep(*state, text, len);
		assert_true(known(*state, text, len));
		for (size_t i = 0; i < len; i++) {
			text[i] = 'b';
			assert_false(known(*state, text, len));
			text[i] = 'a';
		}
		/* neither a part of it nor one that goes on */
		assert_false(known(*state, "b", 1));
		assert_false(known(*state, text, len + 1));
	}
}

static void test_too_long_or_nothing(void **state)
{
	static const uint8_t text[CLEAN_BYTES + 1];

	keep(*state, text, CLEAN_BYTES);
	assert_true(known(*state, text, CLEAN_BYTES));
	keep(*state, text, CLEAN_BYTES + 1);
	assert_false(known(*state, text, CLEAN_BYTES + 1));
	keep(*state, text, 0);
	assert_false(known(*state, text, 0));
}

/* More texts than there are places: what is known is always what was kept, and the last one always is. */
static void test_many(void **state)
{
	const unsigned int many = 3 * CLEAN_PLACES;
	unsigned int still = 0;
	char text[64];

	for (unsigned int i = 0; i < many; i++) {
		const int len = snprintf(text, sizeof(text), "GET /orders/%u HTTP/1.1\r\nHost: payments\r\n\r\n", i);

		assert_false(known(*state, text, (size_t)len));
		keep(*state, text, (size_t)len);
		assert_true(known(*state, text, (size_t)len));
	}
	for (unsigned int i = 0; i < many; i++) {
		const int len = snprintf(text, sizeof(text), "GET /orders/%u HTTP/1.1\r\nHost: payments\r\n\r\n", i);

		still += known(*state, text, (size_t)len);
	}
	printf("%u of %u texts are still known, in %u places\n", still, many, CLEAN_PLACES);
	/* Evenly spread, 1 - exp(-3) of the places are in use. */
	assert_in_range(still, CLEAN_PLACES * 8 / 10, CLEAN_PLACES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_byte_counts, open_clean, close_clean),
		cmocka_unit_test_setup_teardown(test_too_long_or_nothing, open_clean, close_clean),
		cmocka_unit_test_setup_teardown(test_many, open_clean, close_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
