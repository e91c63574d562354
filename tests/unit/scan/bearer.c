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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schemes),
		cmocka_unit_test(none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
