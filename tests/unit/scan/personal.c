/*
 * What only a key tells: verification codes, birth dates, coordinates, health codes and names.
 */
#include "scan/find.h"

#include "scan/validators.h"

static void keyed(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"cvv=123", "CVV=123"},
		{"lat=52.520008, lon=13.404954", "GEO=52.520008, lon=13.404954"},
		/* as many digits as a double has, which no int holds */
		{"lat=52.520008123456789, lon=13.404954123456789", "GEO=52.520008123456789, lon=13.404954123456789"},
		{"{\"lat\":52.520008,\"lng\":-13.404954}", "GEO=52.520008,\"lng\":-13.404954"},
		{"the dob is 1984-10-12", "DOB=1984-10-12"},
		{"diagnosis=I10", "HEALTH=I10"},
		{"\"securityCode\":\"9311\"", "CVV=9311"},
		{"card verification code 352", "CVV=352"},
		{"dob=1984-10-12", "DOB=1984-10-12"},
		{"born 29.05.1921", "DOB=29.05.1921"},
		{"date of birth 03/21/2020", "DOB=03/21/2020"},
		{"birthDate: 19840131", "DOB=19840131"},
		{"gps position -54.326142,-22.923919", "GEO=-54.326142,-22.923919"},
		{"\"location\":\"60.855961,77.901037\"", "GEO=60.855961,77.901037"},
		{"diagnosis=J45.909", "HEALTH=J45.909"},
		{"icd10: E11.9", "HEALTH=E11.9"},
		{"first_name=Alice", "PERSON_NAME=Alice"},
		{"\"fullName\":\"Alice van Smith\"", "PERSON_NAME=Alice"},
		{"cardholder: Alice Smith", "PERSON_NAME=Alice Smith"},
	};
	FIND_ALL(rows);
}

static void not(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"lat=45.258,82.237", ""},
		{"diagnosis: E11 not found", ""},
		{"lat=45.258 p99=82.237", ""},
		{"status 352", ""},
		{"cvv=12", ""},
		{"cvv=12345", ""},
		{"2015-10-18 18:07:26", ""},
		{"dob=1984-13-40", ""},
		{"dob=99999999", ""},
		{"location: 60,77", ""},
		{"position 95.123456,10.123456", ""},
		{"code J45.909", ""},
		{"diagnosis=none", ""},
		{"name=Alice", ""},
		{"first_name=NULL_VALUE", ""},
		{"last_name=null", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keyed),
		cmocka_unit_test(not ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
