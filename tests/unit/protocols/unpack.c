/* Beginnings of what was compressed: whole, cut at every byte, into too little room, and hostile. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "protocols/unpack.h"

/* "hello " and a copy of it by each kind of offset, then a literal with a length of its own. */
static const uint8_t snappy[] = "\x1a\x14hello \x09\x06\x16\x06\x00\xf0\x07 snappy!";
static const char snappy_text[] = "hello hello hello  snappy!";
#ifndef GAPSCOPE_SHIM_ONLY
/* zlib.compress(b"hello hello hello hello zlib") */
static const uint8_t zlib[] = "\x78\x9c\xcb\x48\xcd\xc9\xc9\x57\xc8\xc0\x20\xab\x72\x32\x93\x00\x98\x78\x0a\x82";
static const char zlib_text[] = "hello hello hello hello zlib";
#endif

static void whole(void **state)
{
	uint8_t out[64];

	(void)state;
	assert_int_equal(unpack_snappy(snappy, sizeof(snappy) - 1, out, sizeof(out)), strlen(snappy_text));
	assert_memory_equal(out, snappy_text, strlen(snappy_text));
#ifndef GAPSCOPE_SHIM_ONLY
	assert_int_equal(unpack_zlib(zlib, sizeof(zlib) - 1, out, sizeof(out)), strlen(zlib_text));
	assert_memory_equal(out, zlib_text, strlen(zlib_text));
#endif
}

/* What comes out of a part is the beginning of the whole, and never more than there is room for. */
static void parts(void **state)
{
	(void)state;
	for (size_t len = 0; len <= sizeof(snappy) - 1; len++) {
		for (size_t room = 1; room < 40; room++) {
			uint8_t *out = malloc(room); /* of its own size, so that a byte past its end is noticed */
			size_t n;

			assert_non_null(out);
			n = unpack_snappy(snappy, len, out, room);
			assert_true(n <= room && n <= strlen(snappy_text));
			assert_memory_equal(out, snappy_text, n);
#ifndef GAPSCOPE_SHIM_ONLY
			n = unpack_zlib(zlib, len, out, room);
			assert_true(n <= room && n <= strlen(zlib_text));
			assert_memory_equal(out, zlib_text, n);
#endif
			free(out);
		}
	}
}

static void hostile(void **state)
{
	uint8_t out[16], noise[64];
	uint32_t x = 1;

	(void)state;
	assert_int_equal(unpack_snappy((const uint8_t *)"\x10\x05\x09", 3, out, sizeof(out)),
			 0); /* a copy from before the beginning */
	for (int round = 0; round < 20000; round++) {
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)((x = x * 1664525U + 1013904223U) >> 24);
		assert_true(unpack_snappy(noise, sizeof(noise), out, sizeof(out)) <= sizeof(out));
		assert_true(unpack_zlib(noise, sizeof(noise), out, sizeof(out)) <= sizeof(out));
	}
}

TEST_MAIN(cmocka_unit_test(whole), cmocka_unit_test(parts), cmocka_unit_test(hostile))
