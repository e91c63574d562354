/*
 * The sieve leaves every place where something may begin or end, takes out most of the others, and is the same on every processor.
 */
#include "scan/find.h"

#include <stdlib.h>

#include "scan/prefilter.h"
#include "scan/sieve.h"
#include "scan/validators.h"

#define ROUNDS 4000U
#define BYTES ((size_t)PLACES_LANES * 64)

static bool has(const uint64_t *lanes, size_t i)
{
	return (lanes[i / 64] >> (i % 64) & 1) != 0;
}

static void places_of(const uint8_t *bytes, size_t len, struct places *ret)
{
	static struct classes c;
	memset(&c, 0, sizeof(c));
	classes_begin(&c);
	classify(bytes, len, &c);
	places_finder()(&c, 1, ret);
}

/* Words that are keys, their like, and what stands around them. */
static size_t make_text(uint8_t *text, uint32_t *random)
{
	static const char *const parts[] = {
		"password", "pass",   "pat",   "apiKey", "api_key", "client_ip",  "cvv2",        "icd-10", "user",   "Pan",
		"PAN",      "xpan",   "token", "2",      "_1",      "\"",         "\":",         "=",      ": ",     " ",
		"    ",     "'",      "]",     "ghp_",   "eyJ",     "Bearer ",    "c ",          "Basic ", "12:30",  ".",
		"e-mail",   "e_mail", "value", "nat.id", "abc",     "0123456789", "abcdefghijk", "x",      "card [", "> "};
	size_t n = 0;
	for (;;) {
		*random = *random * 1664525 + 1013904223;
		const char *part = parts[(*random >> 16) % (sizeof(parts) / sizeof(*parts))];
		if (n + strlen(part) > BYTES)
			return n;
		memcpy(text + n, part, strlen(part));
		n += strlen(part);
	}
}

static void nothing_lost(void **state)
{
	(void)state;
	uint32_t random = 7;
	size_t asked = 0, left = 0;
	keyvalue_prepare();
	vendor_prepare();
	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint8_t *bytes = malloc(BYTES);
		assert_non_null(bytes);
		size_t n = make_text(bytes, &random);
		const struct text t = {.bytes = bytes, .len = n};
		struct places before, after, portable;
		places_of(bytes, n, &before);
		after = portable = before;
		unsigned int any = sieve_finder()(&t, 0, PLACES_LANES, &after);
		assert_int_equal(sieve_portable(&t, 0, PLACES_LANES, &portable), any);
		assert_memory_equal(&after, &portable, sizeof(after));
		for (size_t lane = 0; lane < PLACES_LANES; lane++) {
			uint64_t left_there = after.tokens[lane] | after.made[lane] | after.keys[lane] | after.odd[lane] |
					      after.pem[lane] | after.rare[lane];
			assert_int_equal(any >> lane & 1, left_there != 0);
		}
		for (size_t i = 0; i < n; i++) {
			bool key = has(before.keys, i) || has(before.odd, i), kept = has(after.keys, i) || has(after.odd, i);
			/* the places are a part of those that were found */
			assert_true(key || !kept);
			assert_true(has(before.tokens, i) || !has(after.tokens, i));
			asked += key;
			left += kept;
			if (key && keyvalue_may_end(&t, i) && !kept)
				fail_msg("a key that ends at %zu of \"%.*s\" was lost", i, (int)n, (const char *)bytes);
			bool begins = i + 4 <= n && vendor_may_begin(bytes + i);
			if (has(before.tokens, i) && begins && !has(after.tokens, i))
				fail_msg("a token at %zu of \"%.*s\" was lost", i, (int)n, (const char *)bytes);
		}
		free(bytes);
	}
	printf("%zu of %zu separators left\n", left, asked);
	assert_true(left < asked);
}

static void schemes(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"Authorization: Bearer 8sK2jd73hGTw92mXq0LpZr4v", "BEARER_TOKEN=8sK2jd73hGTw92mXq0LpZr4v"},
		{"sent BEARER 8sK2jd73hGTw92mXq0LpZr4v now", "BEARER_TOKEN=8sK2jd73hGTw92mXq0LpZr4v"},
		{"pat=8sK2jd73hGTw92mXq0LpZr4v", ""},
		{"pwd=hunter2!", "PASSWORD=hunter2!"},
		{"x pwd: 'hunter2!'", "PASSWORD=hunter2!"},
		{"pass", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_lost),
		cmocka_unit_test(schemes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
