/*
 * Values of keys that name a secret: where they end, and which are none.
 */
#include "scan/find.h"

#include "scan/secrets.h"

static bool value(bool (*at)(const struct text *, size_t, struct span *), const char *text, size_t *ret_len)
{
	struct text t = {.bytes = (const uint8_t *)text, .len = strlen(text)};
	struct span span;
	if (!at(&t, 0, &span))
		return false;
	assert_int_equal(span.start, 0);
	*ret_len = span.end;
	return true;
}

static void secret(void **state)
{
	(void)state;
	size_t n;
	assert_true(value(secret_at, "q8Zr2LmX0vTb7NcK, next", &n));
	assert_int_equal(n, 16);
	assert_false(value(secret_at, "q8Zr2LmX0vTb7N", &n));
	assert_false(value(secret_at, "/var/lib/q8Zr2LmX0vTb7NcK", &n));
	assert_false(value(secret_at, "https://q8Zr2LmX0vTb7NcK", &n));
	assert_false(value(secret_at, "com.acme.v1.q8Zr2LmX0vTb7NcK", &n));
	assert_false(value(secret_at, "loadSecret1FromVault2(", &n));
}

static void short_ones(void **state)
{
	(void)state;
	size_t n;
	assert_true(value(short_secret_at, "q8Zr2LmX0vTb7N&x=1", &n));
	assert_int_equal(n, 14);
	assert_false(value(short_secret_at, "q8Zr2LmX0vT", &n));
	assert_false(value(short_secret_at, "q8Zr2LmX0vTb7NcK", &n));
	assert_false(value(short_secret_at, "RetryToken12", &n));
	assert_false(value(short_secret_at, "MyStep2Stage3", &n));
	assert_false(value(short_secret_at, "Step1Of2Done3", &n));
	assert_false(value(short_secret_at, "q8zr2lmx0vtb7n", &n));
	assert_string_equal(found("token=q8Zr2LmX0vTb7N, ok"), "API_KEY=q8Zr2LmX0vTb7N");
	assert_string_equal(found("token q8Zr2LmX0vTb7N is bad"), "");
}

static void letters(void **state)
{
	(void)state;
	size_t n;
	assert_true(value(letters_secret_at, "DqxvtBenyJrtkpzFCzAphcqc;", &n));
	assert_int_equal(n, 24);
	assert_false(value(letters_secret_at, "HttpServletRequestWrapper", &n));
	assert_false(value(letters_secret_at, "SmtpTransportStrengthScheme", &n));
	assert_false(value(letters_secret_at, "dqxvtbenyjrtkpzfczaphcqc", &n));
}

static void joined(void **state)
{
	(void)state;
	size_t n;
	assert_true(value(joined_secret_at, "123e4567-e89b-42d3-a456-42661417a000", &n));
	assert_int_equal(n, 36);
	assert_true(value(joined_secret_at, "q8Zr2LmX0vTb7NcKd3Wf6Hs9 ", &n));
	assert_false(value(joined_secret_at, "9f86d081884c7d65", &n));
	assert_false(value(joined_secret_at, "123e4567-e89b-42d3-a456-42661417a000.log", &n));
}

static void session(void **state)
{
	(void)state;
	size_t n;
	assert_true(value(session_at, "7ws2ml2ra9im1mackvdsve08et; Path=/", &n));
	assert_int_equal(n, 26);
	assert_false(value(session_at, "0x14ed93111f20005a", &n));
	assert_false(value(session_at, "1234567890123456", &n));
	assert_false(value(session_at, "abcdefghijklmnopq", &n));
	assert_false(value(session_at, "1", &n));
}

static void cloud(void **state)
{
	(void)state;
	size_t n;
	assert_true(value(aws_secret_at,
			  "RT5T/o6Dc9aQqZCzmHC/qtQ2"
			  "tun76i8Wh0l8cuyB\"",
			  &n));
	assert_int_equal(n, 40);
	assert_false(value(aws_secret_at,
			   "RT5T/o6Dc9aQqZCzmHC/qtQ2"
			   "tun76i8Wh0l8cuyB1",
			   &n));
	assert_false(value(aws_secret_at, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", &n));
	assert_false(value(aws_secret_at, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &n));
	char key[96];
	for (size_t i = 0; i < 86; i++)
		key[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[i * 37 % 64];
	memcpy(key + 86, "==;", 4);
	assert_true(value(azure_storage_at, key, &n));
	assert_int_equal(n, 88);
	assert_false(value(azure_storage_at, key + 1, &n));
}

static void passwords(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t sep, at, end; /* end 0: none */
	} rows[] = {
		{"=a;b", 0, 1, 0},
		{"=abc!,x", 0, 1, 5},
		{"='a b!c'", 0, 2, 7},
		{"=f(x1)9)", 0, 1, 0},
		{"=getpass()", 0, 1, 0},
		{": wrong for", 0, 2, 0},
		{":\"must be longer\"", 0, 2, 0},
		{"=a&b=c&d1", 0, 1, 0},
		{"=Winter86&x=1", 0, 1, 9},
		{"=\"unterminated", 0, 2, 0},
		{">Pa55<word<", 0, 1, 5},
		{"=V)H4xCRx", 0, 1, 9},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct text t = {.bytes = (const uint8_t *)rows[i].text, .len = strlen(rows[i].text)};
		struct span span = {0};
		bool got = password_at(&t, rows[i].sep, rows[i].at, &span);
		if (got != (rows[i].end != 0) || span.end != rows[i].end)
			fail_msg("%s: %d, end %zu", rows[i].text, got, span.end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secret),  cmocka_unit_test(short_ones), cmocka_unit_test(letters),   cmocka_unit_test(joined),
		cmocka_unit_test(session), cmocka_unit_test(cloud),      cmocka_unit_test(passwords),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
