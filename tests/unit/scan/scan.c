/*
 * The scanner as a whole: order, positions at every offset, hostile texts, redaction and fingerprints.
 */
#include "scan/find.h"

#include "scan/scan.h"
#include <stdlib.h>
#include <time.h>

/* Sanitizers and emulated processors are this much slower: what must hold of time is about the program as it is delivered. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__x86_64__)
#define SLOWER 16
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLOWER 16
#endif
#endif
#ifndef SLOWER
#define SLOWER 1
#endif

static void line(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"2024-05-07 user=bob@acme.io card=4111 1111 1111 1111 ip=10.0.0.1",
		 "EMAIL=bob@acme.io;CREDIT_CARD=4111 1111 1111 1111"},
		{"", ""},
		{"plain text", ""},
		{"password=bob@acme.io1", "PASSWORD=bob@acme.io1"},
	};
	FIND_ALL(rows);
}

static size_t count(const char *text, size_t len)
{
	struct scanner *s = scanner_new(NULL);
	assert_non_null(s);
	size_t n = scan_text(s, (const uint8_t *)text, len, NULL, NULL);
	scanner_free(s);
	return n;
}

struct spot {
	size_t start, end, n;
};

static void spot(void *ctx, const struct scan_match *m)
{
	struct spot *s = ctx;
	s->start = m->start;
	s->end = m->end;
	s->n++;
}

/* Each kind of value at every offset around the edges of words and chunks: same span, whatever stands before. */
static void every_offset(void **state)
{
	(void)state;
	static const char *const values[] = {
		"bob@acme.io",      "4111 1111 1111 1111",    "password=hunter2!", "+441212310406",
		"536-22-1234",      "GB33BUKB20201555555555", "RSSMRA85T10A562S",  "postgres://a:s3cr3tPw@db/x",
		"client_ip=8.8.4.4"};
	static char text[9000];
	struct scanner *s = scanner_new(NULL);
	assert_non_null(s);
	for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++) {
		size_t n = strlen(values[v]), first = 0, last = 0;
		for (size_t at = 0; at + n < sizeof(text); at = at == 200 ? 3900 : at == 4300 ? 8000 : at + 1) {
			memset(text, ' ', sizeof(text));
			memcpy(text + at, values[v], n);
			struct spot got = {0};
			(void)scan_text(s, (const uint8_t *)text, at % 2 ? sizeof(text) : at + n, spot, &got);
			if (at == 0) {
				first = got.start;
				last = got.end;
			}
			if (got.n != 1 || got.start != at + first || got.end != at + last)
				fail_msg("%s at %zu: %zu matches, %zu to %zu", values[v], at, got.n, got.start, got.end);
		}
	}
	scanner_free(s);
}

static void many(void **state)
{
	(void)state;
	/* a million matches in one line, told in order and each once */
	static const char one[] = "a@b.io,";
	size_t n = 1000000, len = sizeof(one) - 1;
	char *text = malloc(n * len);
	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * len, one, len);
	assert_int_equal(count(text, n * len), n);
	free(text);
}

/* Texts made to have every byte looked at again and again: the time per byte stays within a bound. */
static void hostile(void **state)
{
	(void)state;
	static const char *const units[] = {"=",
					    "key=",
					    "password=",
					    "password='",
					    "eyJ.",
					    "eyJ-",
					    "eyJhbGciOiJIUzI1NiJ9.",
					    "@",
					    "a@",
					    "a@b.",
					    "://a:",
					    ":",
					    "1",
					    "1 ",
					    "1-1",
					    "4111 ",
					    "+1",
					    "AA11",
					    "AAAAAA11",
					    "-----BEGIN PRIVATE KEY-----",
					    "-----BEGIN ",
					    "Bearer aaaaaaaaaaaaaaaa",
					    "ghp_",
					    "SG.",
					    "sk-",
					    "from 1::",
					    "a:b:",
					    "\xff",
					    "",
					    "AIza",
					    ";Password=",
					    "Authorization: Basic ",
					    "x.",
					    "lat=",
					    "%40",
					    "\\u0040",
					    "\x1b[3m",
					    "&lt;",
					    "VALUES('"};
	size_t len = (1U << 20) / SLOWER;
	char *text = malloc(len);
	assert_non_null(text);
	for (size_t u = 0; u < sizeof(units) / sizeof(*units); u++) {
		size_t n = units[u][0] == 0 ? 1 : strlen(units[u]);
		for (size_t i = 0; i < len; i++)
			text[i] = units[u][i % n];
		struct timespec a, b;
		assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a), 0);
		(void)count(text, len);
		assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b), 0);
		double ns = ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / (double)len;
		if (ns > 5000.0 * SLOWER)
			fail_msg("unit \"%s\": %.0f ns a byte", units[u], ns);
	}
	free(text);
}

static void redact_and_fingerprint(void **state)
{
	(void)state;
	uint8_t key[16] = "0123456789abcde", other[16] = "other key here!";
	struct scanner *a = scanner_new(key), *b = scanner_new(key), *c = scanner_new(other);
	assert_true(a != NULL && b != NULL && c != NULL);
	uint8_t text[] = "user=bob@acme.io password=hunter2! done";
	assert_int_equal(scan_redact(a, text, sizeof(text) - 1), 2);
	assert_string_equal((char *)text, "user=*********** password=******** done");
	assert_int_equal(scan_redact(a, text, sizeof(text) - 1), 0);
	const uint8_t *v = (const uint8_t *)"4111111111111111";
	assert_true(scan_fingerprint(a, v, 16) == scan_fingerprint(b, v, 16));
	assert_true(scan_fingerprint(a, v, 16) != scan_fingerprint(c, v, 16));
	assert_true(scan_fingerprint(a, v, 16) != scan_fingerprint(a, v, 15));
	scanner_free(a);
	scanner_free(b);
	scanner_free(c);
	scanner_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line),    cmocka_unit_test(every_offset),           cmocka_unit_test(many),
		cmocka_unit_test(hostile), cmocka_unit_test(redact_and_fingerprint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
