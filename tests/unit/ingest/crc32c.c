/* crc32c.c: the values of RFC 3720 appendix B.4, and any split gives the same sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/crc32c.h"

static void published_values_hold(void **state)
{
	uint8_t bytes[32];

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x8a9136aaU);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43U);
	for (uint8_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x46dd794eU);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283U);
	assert_int_equal(crc32c(0, "", 0), 0);
}

static void any_split_gives_the_same(void **state)
{
	static const char text[] = "The quick brown fox jumps over the lazy dog, twice";

	(void)state;
	for (size_t i = 0; i <= sizeof(text); i++)
		assert_int_equal(crc32c(crc32c(0, text, i), text + i, sizeof(text) - i), crc32c(0, text, sizeof(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_values_hold),
		cmocka_unit_test(any_split_gives_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
