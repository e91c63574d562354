/*
 * US numbers: ranges that are issued.
 */
#include "scan/find.h"

#include "scan/validators.h"

static void ssn(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"ssn=536-22-1234", "US_SSN=536-22-1234"},   {"applicant 536-22-1234 verified", "US_SSN=536-22-1234"},
		{"ssn: 536221234", "US_SSN=536221234"},      {"2024-05-07 536-22-1234", "US_SSN=536-22-1234"},
		{"itin 912-70-1234", "US_ITIN=912-70-1234"},
	};
	FIND_ALL(rows);
}

static void not_ssn(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"ssn=666-45-6789", ""}, {"ssn=000-12-3456", ""}, {"ssn=900-12-3456", ""},  {"ssn=123-00-4567", ""},
		{"ssn=123-45-0000", ""}, {"ssn=078-05-1120", ""}, {"part=536-22-1234", ""}, {"1536-22-1234", ""},
		{"536-22-12345", ""},    {"536-22-1234-1", ""},   {"536221234", ""},        {"itin 912-12-1234", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ssn),
		cmocka_unit_test(not_ssn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
