/* packed.c: what zlib made is read back, cut off or not, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "ingest/packed.h"

#define GZIP 16

static const char text[] = "{\"version\":\"1.1\",\"host\":\"h\",\"short_message\":\"paid\",\"_card\":\"4539578763621486\"}";

static size_t pack(int window, uint8_t *out, size_t room)
{
	z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)text,
		      .avail_in = sizeof(text) - 1,
		      .next_out = out,
		      .avail_out = (uInt)room};

	assert_int_equal(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static void both_kinds(void **state)
{
	static const int windows[] = {15, 15 + GZIP};

	(void)state;
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		uint8_t packed[256], out[256];
		const size_t n = pack(windows[i], packed, sizeof(packed));

		assert_int_equal(packed_read(packed, n, out, sizeof(out)), sizeof(text) - 1);
		assert_memory_equal(out, text, sizeof(text) - 1);
		assert_int_equal(packed_read(packed, n, out, 7), 7);
		/* whatever is cut off: a part, and nothing that lies behind the end is read */
		for (size_t len = 0; len < n; len++) {
			uint8_t *copy = malloc(len > 0 ? len : 1);

			assert_non_null(copy);
			memcpy(copy, packed, len);
			assert_true(packed_read(copy, len, out, sizeof(out)) < sizeof(text));
			free(copy);
		}
	}
}

static void nothing_else(void **state)
{
	static const uint8_t others[][24] = {
		"{\"short_message\":\"paid\"}",
		"x is no zlib at all, no.",
		"\x1f\x8b\x00 gzip of another kind",
		"\x78\x02 a check that fails",
	};
	uint8_t out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(packed_read(others[i], sizeof(others[i]), out, sizeof(out)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_kinds),
		cmocka_unit_test(nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
