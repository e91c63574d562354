/*
 * Authorization headers, and their schemes where they stand alone.
 */
#include "scan/find.h"

#include "scan/validators.h"

static void schemes(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"Authorization: Bearer q8Zr2LmX0vTb7NcKq1", "BEARER_TOKEN=q8Zr2LmX0vTb7NcKq1"},
		{"\"Authorization\":[\"Bearer q8Zr2LmX0vTb7NcKq1\"]", "BEARER_TOKEN=q8Zr2LmX0vTb7NcKq1"},
		{"sent Bearer q8Zr2LmX0vTb7NcKq1 ok", "BEARER_TOKEN=q8Zr2LmX0vTb7NcKq1"},
		{"Authorization: Basic Ym9iOmRyYWdvbjQ5ODY=", "BASIC_AUTH=Ym9iOmRyYWdvbjQ5ODY="},
		{"\"authorization\":\"Basic Ym9iOmRyYWdvbjQ5ODY=\"", "BASIC_AUTH=Ym9iOmRyYWdvbjQ5ODY="},
		{"Authorization: SSWS 00q8Zr2LmX0vTb7NcKq1Wf6Hs9", "BEARER_TOKEN=00q8Zr2LmX0vTb7NcKq1Wf6Hs9"},
		{"authorization: Splunk 123e4567-e89b-42d3-a456-42661417a000", "BEARER_TOKEN=123e4567-e89b-42d3-a456-42661417a000"},
		{"authorization: q8Zr2LmX0vTb7NcKq1Wf6Hs9", "BEARER_TOKEN=q8Zr2LmX0vTb7NcKq1Wf6Hs9"},
	};
	FIND_ALL(rows);
}

static void none(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"Authorization: Bearer ****", ""},
		{"Authorization: Bearer", ""},
		{"Bearer token expired", ""},
		{"Bearer authentication-required", ""},
		{"Authorization: Basic bm8gY29sb24gaGVyZQ==", ""},
		{"Authorization: Basic Ym9iOioqKio=", ""},
		{"Authorization: Digest username", ""},
		{"Authorization: Signature keyId=q8Zr2LmX0vTb7NcKq1Wf6Hs9", ""},
		{"authorization: com.acme.security.Authorization2Handler", ""},
		{"Basic configuration-of-things", ""},
	};
	FIND_ALL(rows);
}

/* A value that ends the text with an '=': what lies behind the text is not its own. */
static void at_the_end(void **state)
{
	(void)state;
	char key[] = "0123456789abcde", text[] = "Authorization: GoogleLogin q8Zr2LmX0vTb7NcKd3Wf6Hs9=", behind[sizeof(text)];
	struct scanner *s = scanner_new((const uint8_t *)key);
	assert_non_null(s);
	size_t n = sizeof(text) - 1;
	memcpy(behind, text, sizeof(text));
	behind[n] = 'x';
	size_t alone = scan_text(s, (const uint8_t *)text, n, NULL, NULL);
	assert_int_equal(alone, 1);
	assert_int_equal(scan_text(s, (const uint8_t *)behind, n, NULL, NULL), alone);
	scanner_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schemes),
		cmocka_unit_test(none),
		cmocka_unit_test(at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
