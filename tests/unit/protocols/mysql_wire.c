/* Numbers, flags and first packets of MySQL's protocol. */
#include "test.h"

#include "protocols/mysql_wire.h"

static void numbers(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		uint64_t value;
	} good[] = {
		{"\x00", 1, 0},
		{"\xfa", 1, 250},
		{"\xfc\x01\x02", 3, 0x201},
		{"\xfd\x01\x02\x03", 4, 0x30201},
		{"\xfe\x01\x02\x03\x04\x05\x06\x07\x08", 9, 0x807060504030201},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t value = 0;
		size_t at = 0;

		assert_true(mysql_number((const uint8_t *)good[i].bytes, good[i].len, &at, &value));
		assert_true(at == good[i].len && value == good[i].value);
		at = 0;
		assert_false(mysql_number((const uint8_t *)good[i].bytes, good[i].len - 1, &at, &value)); /* cut */
	}
	for (int bad = 0xfb; bad <= 0xff; bad += 4) { /* NULL, an error */
		const uint8_t b[9] = {(uint8_t)bad};
		uint64_t value;
		size_t at = 0;

		assert_false(mysql_number(b, sizeof(b), &at, &value));
	}
}

static void results_that_follow(void **state)
{
	(void)state;
	assert_false(mysql_more_after_ok((const uint8_t *)"\x07\0\0\1\0\0\0\2\0\0\0", 11));
	assert_true(mysql_more_after_ok((const uint8_t *)"\x07\0\0\1\0\0\0\12\0\0\0", 11));
	assert_true(mysql_more_after_ok((const uint8_t *)"\x09\0\0\1\0\xfc\1\1\0\12\0\0\0", 13));
	assert_false(mysql_more_after_ok((const uint8_t *)"\x07\0\0\1\0\0\0\12", 7)); /* cut */
}

static void first_packets(void **state)
{
	uint8_t login[64] = {60, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 1, 33};

	(void)state;
	assert_true(mysql_is_greeting((const uint8_t *)"\x10\0\0\0\n8.0.36\0abcdefgh", 20));
	assert_false(mysql_is_greeting((const uint8_t *)"\x10\0\0\1\n8.0.36\0abcdefgh", 20));
	assert_false(mysql_is_greeting((const uint8_t *)"\x10\0\0\0\nx.0.36\0abcdefgh", 20));
	assert_true(mysql_is_login(login, sizeof(login)));
	login[20] = 1;
	assert_false(mysql_is_login(login, sizeof(login)));
}

static void errors_that_pass(void **state)
{
	(void)state;
	assert_true(mysql_is_transient(1213) && mysql_is_transient(1040));
	assert_false(mysql_is_transient(1062) || mysql_is_transient(0));
}

TEST_MAIN(cmocka_unit_test(numbers), cmocka_unit_test(results_that_follow), cmocka_unit_test(first_packets),
	  cmocka_unit_test(errors_that_pass))
