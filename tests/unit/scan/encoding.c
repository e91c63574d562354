/*
 * Base64, entropy and what is no value at all.
 */
#include "scan/find.h"

#include "scan/encoding.h"

static bool placeholder(const char *text)
{
	return is_placeholder((const uint8_t *)text, strlen(text));
}

static void base64(void **state)
{
	(void)state;
	/* RFC 4648, 10 */
	static const char *const rows[][2] = {{"Zg==", "f"},      {"Zm8=", "fo"},        {"Zm9v", "foo"},
					      {"Zm9vYg", "foob"}, {"Zm9vYmE=", "fooba"}, {"Zm9vYmFy", "foobar"}};
	uint8_t out[16];
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(base64_decode((const uint8_t *)rows[i][0], strlen(rows[i][0]), out, sizeof(out)),
				 strlen(rows[i][1]));
		assert_memory_equal(out, rows[i][1], strlen(rows[i][1]));
	}
	assert_int_equal(base64_decode((const uint8_t *)"-_-_", 4, out, sizeof(out)), 3);
	assert_int_equal(base64_decode((const uint8_t *)"Zm9v!", 5, out, sizeof(out)), 0);
	assert_int_equal(base64_decode((const uint8_t *)"Zm9vY", 5, out, sizeof(out)), 0);
	assert_int_equal(base64_decode((const uint8_t *)"Zm9vYmFy", 8, out, 5), 0);
}

static void entropies(void **state)
{
	(void)state;
	assert_true(entropy((const uint8_t *)"aaaaaaaa", 8) < 0.01);
	assert_true(entropy((const uint8_t *)"abababab", 8) > 0.99 && entropy((const uint8_t *)"abababab", 8) < 1.01);
	assert_true(entropy((const uint8_t *)"abcdefgh", 8) > 2.99);
}

static void placeholders(void **state)
{
	(void)state;
	static const char *const none[] = {
		"",         "********",          "xxxx",       "null",        "None",     "${API_KEY}",   "$PASSWORD",
		"%s",       "<secret>",          "[FILTERED]", "{{ token }}", "redacted", "your-api-key", "AKIAIOSFODNN7EXAMPLE",
		"--------", "$(cat /run/secret)"};
	static const char *const value[] = {"hunter2", "$x18jTOexiA9", "correct-horse", "Tr0ub4dor&3", "$2b$12$abcdefgh"};
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_true(placeholder(none[i]));
	for (size_t i = 0; i < sizeof(value) / sizeof(*value); i++)
		assert_false(placeholder(value[i]));
}

static void randomness(void **state)
{
	(void)state;
	assert_true(is_random((const uint8_t *)"q8Zr2LmX0vTb7NcK", 16));
	assert_false(is_random((const uint8_t *)"application-name", 16));
	assert_false(is_random((const uint8_t *)"1234567890123456", 16));
	assert_false(is_random((const uint8_t *)"aaaaaaaaaaaaaaa1", 16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64),
		cmocka_unit_test(entropies),
		cmocka_unit_test(placeholders),
		cmocka_unit_test(randomness),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
