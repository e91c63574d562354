/*
 * Byte classes: all implementations agree with a plain test of each byte, at every length and offset.
 */
#include "scan/find.h"

#include "scan/classify.h"

static uint64_t bit(struct classes *c, size_t i, size_t map)
{
	return classes_maps(c)[map][1 + i / 64] >> (i % 64) & 1;
}

static void agree(void **state)
{
	(void)state;
	static uint8_t text[1024];
	static struct classes fast, plain;
	uint32_t random = 1;
	for (size_t i = 0; i < sizeof(text); i++) {
		random = random * 1664525 + 1013904223;
		text[i] = i < 256 ? (uint8_t)i : (uint8_t)(random >> 24);
	}
	for (size_t len = 0; len <= sizeof(text) - 7; len++) {
		memset(&plain, 0xff, sizeof(plain));
		assert_true(classify_with(CLASSIFY_PORTABLE, text + len % 7, len, &plain));
		for (enum classify_way way = CLASSIFY_AVX2; way <= CLASSIFY_WAYS; way++) {
			memset(&fast, 0xff, sizeof(fast));
			/* the last one: whichever this processor takes by itself */
			if (way == CLASSIFY_WAYS)
				classify(text + len % 7, len, &fast);
			else if (!classify_with(way, text + len % 7, len, &fast))
				continue;
			assert_memory_equal(&fast, &plain, sizeof(fast));
		}
	}
}

static void neighbours(void **state)
{
	(void)state;
	static struct classes c;
	memset(&c, 0xff, sizeof(c));
	classes_begin(&c);
	classes_end(&c, 4);
	for (size_t map = 0; map < CLASSES_N; map++) {
		assert_int_equal(classes_maps(&c)[map][0], 0);
		assert_int_equal(classes_maps(&c)[map][3], UINT64_MAX);
		assert_int_equal(classes_maps(&c)[map][4], 0);
		assert_int_equal(classes_maps(&c)[map][7], 0);
		assert_int_equal(classes_maps(&c)[map][8], UINT64_MAX);
	}
	classes_maps(&c)[2][CLASSES_WORDS] = 7;
	classes_go_on(&c);
	assert_int_equal(classes_maps(&c)[2][0], 7);
}

static void classes_of_bytes(void **state)
{
	(void)state;
	uint8_t text[256];
	static struct classes c;
	for (size_t i = 0; i < 256; i++)
		text[i] = (uint8_t)i;
	classify(text, sizeof(text), &c);
	for (size_t i = 0; i < 256; i++) {
		uint8_t b = (uint8_t)i;
		uint64_t want[] = {b >= '0' && b <= '9',
				   b >= 'A' && b <= 'Z',
				   b >= 'a' && b <= 'z',
				   b == '_',
				   b == '.',
				   b == '-',
				   b == ' ',
				   b == '=' || b == '>',
				   b == ':',
				   b == '@',
				   b == '+',
				   b == '\'' || b == '"',
				   b == ',',
				   b == '(',
				   b == '%' || b == '&' || b == '\\' || b == '\t' || b == 0x1b || b == 0xef};
		assert_int_equal(sizeof(want) / sizeof(*want), CLASSES_N);
		for (size_t map = 0; map < sizeof(want) / sizeof(*want); map++)
			assert_int_equal(bit(&c, i, map), want[map]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agree),
		cmocka_unit_test(neighbours),
		cmocka_unit_test(classes_of_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
