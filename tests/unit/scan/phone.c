/*
 * Phones: country codes and lengths; national ones only after a key.
 */
#include "scan/find.h"

#include "scan/validators.h"

static void phones(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"calling +44 121 231 0406", "PHONE=+44 121 231 0406"},
		{"call +47 69261706", "PHONE=+47 69261706"},
		{"telefono_cliente=01212310406", "PHONE=01212310406"},
		{"tel:+441212310406", "PHONE=+441212310406"},
		{"phone=+1 (201) 555-0123", "PHONE=+1 (201) 555-0123"},
		{"sms to +33 1 23 44 63 07, ok", "PHONE=+33 1 23 44 63 07"},
		{"phone: 0121 231 0406", "PHONE=0121 231 0406"},
		{"Contact +31 10 125 7006 for user 42", "PHONE=+31 10 125 7006"},
		{"\"phoneNumber\":\"+61412316711\"", "PHONE=+61412316711"},
	};
	FIND_ALL(rows);
}

static void not_phones(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"+84 31-10-2018", ""}, {"+47 69261706", ""},         {"rss +4948562 kB", ""},    {"10:00:00 +0200", ""},
		{"+1234", ""},          {"rows=5270753345", ""},      {"a+441212310406", ""},     {"+999 123 456 789", ""},
		{"pid=7317877127", ""}, {"+4412123104061234567", ""}, {"hotel: 01212310406", ""}, {"phone=12", ""},
		{"+4 326145", ""},      {"+59 27-11-2015", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phones),
		cmocka_unit_test(not_phones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
