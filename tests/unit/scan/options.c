/*
 * Passwords among the options of logged commands.
 */
#include "scan/find.h"

static void given(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"+ curl -s -u deploy:h0pk1ns-21 https://ci.internal/job", "PASSWORD=h0pk1ns-21"},
		{"exec app --currentPassword Winter8677? -v", "PASSWORD=Winter8677?"},
		{"exec app --user-pesel 44051401359 -v", "PL_PESEL=44051401359"},
		{"curl --user 'deploy:h0pk1ns~21s' x", "PASSWORD=h0pk1ns~21s"},
		{"curl --user deploy:'pRf7vG2h1L8n' -i", "PASSWORD=pRf7vG2h1L8n"},
		{"curl -u \":d2LkV78zLx!t\" http://localhost", "PASSWORD=d2LkV78zLx!t"},
		{"curl -u \"d2LkV78zLx!t:\" http://localhost", "PASSWORD=d2LkV78zLx!t"},
		{"exec: sshpass -p Zq8wlm31 ssh root@db", "PASSWORD=Zq8wlm31"},
		{"mysqldump -h db -uroot -pZq8wlm31 shop", "PASSWORD=Zq8wlm31"},
		{"redis-cli -h cache -a Zq8wlm31 ping", "PASSWORD=Zq8wlm31"},
		{"started with --user bob --password Zq8wlm31 --verbose", "PASSWORD=Zq8wlm31"},
	};
	FIND_ALL(rows);
}

static void not_given(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"curl -u test:test http://localhost", ""},
		{"app --db-password STRING --new-password NEW_PASSWORD", ""},
		{"app --password-file x7.txt", ""},
		{"curl -u <user:password> x", ""},
		{"curl --user \"$USER:$PASSWORD\" x", ""},
		{"curl -u bob: x", ""},
		{"mkdir -p /var/lib/mysql-files", ""},
		{"tar -u a:bcdef12 x", ""},
		{"mysql -p shop", ""},
		{"usage: tool --password VALUE", ""},
		{"run --password ${DB_PASSWORD} --verbose", ""},
		{"run --password --verbose", ""},
		{"mysql started\n -pZq8wlm31", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given),
		cmocka_unit_test(not_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
