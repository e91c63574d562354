/*
 * Values that stand there in another writing: found where they stand, whole, and not told twice; what is written so and is none stays none.
 */
#include "scan/find.h"

#include <stdlib.h>

#include "scan/plain.h"

#define TOKEN "q8Zr2LmX0vTb7NcKd3Wf6Hs9Pj4Gy1Ba"

static void writings(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"GET /u/bob%40acme.io/x HTTP/1.1", "EMAIL=bob%40acme.io"},
		{"GET /u/4929%201317%206264%200285 HTTP/1.1", "CREDIT_CARD=4929%201317%206264%200285"},
		{"password\xef\xbc\x9aTr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"{\"m\":\"bob\\u0040acme.io\"}", "EMAIL=bob\\u0040acme.io"},
		{"{\"m\":\"{\\\"m\\\":\\\"bob\\\\u0040acme.io\\\"}\"}", "EMAIL=bob\\\\u0040acme.io"},
		{"{\"contrase\\u00f1a\": \"Tr0ub4dor\"}", "PASSWORD=Tr0ub4dor"},
		{"{\"\\u5bc6\\u7801\": \"Tr0ub4dor\"}", "PASSWORD=Tr0ub4dor"},
		{"a=1&%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C=Tr0ub4dor&b=2", "PASSWORD=Tr0ub4dor"},
		{"\xe5\xaf\x86\xe7\xa0\x81\xef\xbc\x9aTr0ub4dor", "PASSWORD=Tr0ub4dor"},
		{"mail bob&#64;acme.io", "EMAIL=bob&#64;acme.io"},
		{"GET /x?phone%3D%2B14155552671", "PHONE=%2B14155552671"},
		{"url=/x?token\\u003d" TOKEN "\\u0026a=1", "API_KEY=" TOKEN},
		{"body \\x22password\\x22:\\x22Tr0ub4dor\\x22", "PASSWORD=Tr0ub4dor"},
		{"password&quot;:&quot;Tr0ub4dor&quot;", "PASSWORD=Tr0ub4dor"},
		{"GET /x?h=Bearer%20" TOKEN, "BEARER_TOKEN=" TOKEN},
		{"GET /x?authorization=Bearer+" TOKEN "&a=1", "BEARER_TOKEN=" TOKEN},
		{"\x1b[32mINFO\x1b[0m password=\x1b[1;31mTr0ub4dor\x1b[0m", "PASSWORD=Tr0ub4dor"},
		{"\x1b[36mapi_key=\x1b[0m" TOKEN, "API_KEY=" TOKEN},
		{"\x1b[31mbob@acme.io\x1b[0m", "EMAIL=bob@acme.io"},
		{"card \xef\xbc\x94\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91"
		 "\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91",
		 "CREDIT_CARD=\xef\xbc\x94\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91"
		 "\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91"},
	};
	FIND_ALL(rows);
}

static void base64(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		/* Bearer q8Zr…, {"password":"Tr0ub4dor"}, {"colour":"green and blue"} */
		{"h=QmVhcmVyIHE4WnIyTG1YMHZUYjdOY0tkM1dmNkhzOVBqNEd5MUJh",
		 "BEARER_TOKEN=QmVhcmVyIHE4WnIyTG1YMHZUYjdOY0tkM1dmNkhzOVBqNEd5MUJh"},
		{"body eyJwYXNzd29yZCI6IlRyMHViNGRvciJ9 ok", "PASSWORD=eyJwYXNzd29yZCI6IlRyMHViNGRvciJ9"},
		{"body eyJjb2xvdXIiOiJncmVlbiBhbmQgYmx1ZSJ9 ok", ""},
	};
	FIND_ALL(rows);
}

static void nothing(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"GET /a%20b%20c?q=100%25&r=a%2Fb HTTP/1.1", ""},
		{"C:\\users\\u0040\\x41", ""},
		{"\x1b[32mINFO\x1b[0m token=\x1b[31mnone\x1b[0m", ""},
		{"a &amp; b &lt;password&gt;&lt;/password&gt;", ""},
		{"git%40github.com", ""},
	};
	FIND_ALL(rows);
}

/* UTF-16, of either byte order. */
static void sixteen(void **state)
{
	static const char text[] = "card 4111111111111111";
	const size_t n = sizeof(text) - 1;
	struct scanner *s = scanner_new(NULL);
	(void)state;
	assert_non_null(s);
	for (size_t big = 0; big < 2; big++) {
		uint8_t wide[2 * sizeof(text)] = {0};
		for (size_t i = 0; i < n; i++)
			wide[2 * i + big] = (uint8_t)text[i];
		assert_int_equal(scan_redact(s, wide, 2 * n), 1);
		for (size_t i = 5; i < n; i++)
			assert_int_equal(wide[2 * i + big], '*');
	}
	scanner_free(s);
}

/* A line of nothing else costs no more than its length: each part of it is written out a bounded number of times. */
static void long_line(void **state)
{
	static const char unit[] = "a=bob%40acme.io&";
	const size_t units = 40000, n = units * (sizeof(unit) - 1);
	uint8_t *text = malloc(n);
	struct scanner *s = scanner_new(NULL);
	(void)state;
	assert_true(s != NULL && text != NULL);
	for (size_t i = 0; i < units; i++)
		memcpy(text + i * (sizeof(unit) - 1), unit, sizeof(unit) - 1);
	assert_int_equal(scan_text(s, text, n, NULL, NULL), units);
	free(text);
	scanner_free(s);
}

static void way_back(void **state)
{
	static const char line[] = "first\nx\x1b[31m%41\\u0042&lt;y\nlast";
	const struct text t = {.bytes = (const uint8_t *)line, .len = sizeof(line) - 1};
	struct plain p;
	(void)state;
	plain_line(&t, 7, &p);
	assert_int_equal(p.n, 5);
	assert_memory_equal(p.bytes, "xAB<y", 5);
	assert_int_equal(p.from, 6);
	assert_false(p.cut);
	assert_int_equal(p.start[1], 6);
	assert_int_equal(p.width[1], 3);
	assert_int_equal(p.start[3] + p.width[3], p.start[4]);
	plain_wipe(&p);
	assert_int_equal(p.bytes[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writings), cmocka_unit_test(base64),    cmocka_unit_test(nothing),
		cmocka_unit_test(sixteen),  cmocka_unit_test(long_line), cmocka_unit_test(way_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
