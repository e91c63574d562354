/*
 * Values of an INSERT are told by the list of columns before them.
 */
#include "scan/find.h"

static void inserts(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"INSERT INTO users(id,password) VALUES(7,'Tr0ub4dor'),(8,'correcth0rse')",
		 "PASSWORD=Tr0ub4dor;PASSWORD=correcth0rse"},
		{"SELECT 1 FROM u WHERE pesel IN ('44051401359', '02070803628')", "PL_PESEL=44051401359;PL_PESEL=02070803628"},
		{"DELETE FROM u WHERE password NOT IN ('Tr0ub4dor') AND id = 3", "PASSWORD=Tr0ub4dor"},
		{"password in (header, query)", ""},
		{"password changed in ('admin console')", ""},
		{"INSERT INTO users (id, password) VALUES (7, 'Kx7veqWm2')", "PASSWORD=Kx7veqWm2"},
		{"insert into users(password,id) values ('Kx7veqWm2',7);", "PASSWORD=Kx7veqWm2"},
		{"INSERT INTO `u` (`id`, `ssn`, `dob`) VALUES (7, '536-90-4399', '1984-01-31')",
		 "US_SSN=536-90-4399;DOB=1984-01-31"},
		/* each row of several; a comma and a bracket within quotes divide nothing */
		{"INSERT INTO u (note, password) VALUES ('a, b)', 'Kx7veqWm2'), ('c', 'Lp9wrtYn4')",
		 "PASSWORD=Kx7veqWm2;PASSWORD=Lp9wrtYn4"},
		/* masked, a parameter, more values than columns, no columns */
		{"INSERT INTO u (id, password) VALUES (7, '********')", ""},
		{"INSERT INTO u (id, password) VALUES ($1, $2)", ""},
		{"INSERT INTO u (id, password) VALUES (?, ?)", ""},
		{"INSERT INTO u (id) VALUES (7, 'Kx7veqWm2')", ""},
		{"INSERT INTO u VALUES (7, 'Kx7veqWm2')", ""},
		{"(id, password) VALUES", ""},
		{"(id, password) VALUES (7, 'Kx7", ""},
		{"the values (1, 2) are wrong", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inserts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
