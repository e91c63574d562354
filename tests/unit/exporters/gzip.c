/* gzip there and back, and what is refused. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/gzip.h"

static void there_and_back(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 4096, 4097, 1 << 20};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct bytes in = {.data = malloc(sizes[i] + 1), .len = sizes[i]}, packed = {0}, out = {0};
		for (size_t k = 0; k < in.len; k++)
			in.data[k] = (uint8_t)(k * 31 >> 3);
		assert_int_equal(gzip_pack(&in, &packed), 0);
		assert_int_equal(gzip_unpack(&packed, in.len, &out), 0);
		assert_int_equal(out.len, in.len);
		assert_memory_equal(out.data, in.data, in.len);
		free(out.data);
		if (in.len > 0)
			assert_int_equal(gzip_unpack(&packed, in.len - 1, &out), -EMSGSIZE);
		packed.len -= 1; /* cut off */
		assert_int_equal(gzip_unpack(&packed, in.len, &out), -EBADMSG);
		free(packed.data);
		free(in.data);
	}
}

static void what_is_no_gzip(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "x", "\x1f\x8b", "not gzip at all, only text"};
	struct bytes out;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct bytes in = {.data = (uint8_t *)bad[i], .len = strlen(bad[i])};
		assert_int_equal(gzip_unpack(&in, 1000, &out), -EBADMSG);
	}
}

static void a_bomb_is_stopped(void **state)
{
	(void)state;
	struct bytes in = {.data = calloc(1, 64U << 20), .len = 64U << 20}, packed = {0}, out = {0};
	assert_int_equal(gzip_pack(&in, &packed), 0);
	assert_true(packed.len < 1U << 20);
	assert_int_equal(gzip_unpack(&packed, 4U << 20, &out), -EMSGSIZE);
	free(packed.data);
	free(in.data);
}

TEST_MAIN(cmocka_unit_test(there_and_back), cmocka_unit_test(what_is_no_gzip), cmocka_unit_test(a_bomb_is_stopped))
