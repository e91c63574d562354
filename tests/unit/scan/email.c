/*
 * E-mail: top-level domains that exist, and what else carries an at sign.
 */
#include "scan/find.h"

#include "scan/validators.h"

static void emails(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"user=bob.smith@acme.io", "EMAIL=bob.smith@acme.io"},
		{"To: <bob+tag@mail.acme.co.uk>", "EMAIL=bob+tag@mail.acme.co.uk"},
		{"(bob@acme.com).", "EMAIL=bob@acme.com"},
		{"a@b.de,c@d.fr", "EMAIL=a@b.de;EMAIL=c@d.fr"},
		{"..bob@acme.com", "EMAIL=bob@acme.com"},
		{"no user bob@acme.com: denied", "EMAIL=bob@acme.com"},
	};
	FIND_ALL(rows);
}

static void not_emails(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"test@example.com", ""},
		{"bob@mail.example.org", ""},
		{"user@localhost", ""},
		{"foo@test.invalid", ""},
		{"git@github.com:acme/repo.git", ""},
		{"com.acme.Foo@1a2b3c4d", ""},
		{"libfoo.so.6@@GLIBC_2.4", ""},
		{"actions/checkout@v4", ""},
		{"kernel@5.10.0-8", ""},
		{"@types/node", ""},
		{"bob@", ""},
		{"@acme.com", ""},
		{"bob.@acme.com", ""},
		{"j***@acme.com", ""},
		{"bob@acme", ""},
		{"user@host.local", ""},
		{"scp bob@acme.com:/srv", ""},
	};
	FIND_ALL(rows);
}

static void top_level(void **state)
{
	(void)state;
	assert_true(tld_known((const uint8_t *)"COM", 3));
	assert_true(tld_known((const uint8_t *)"uk", 2));
	assert_true(tld_known((const uint8_t *)"xn--p1ai", 8));
	assert_false(tld_known((const uint8_t *)"qq", 2));
	assert_false(tld_known((const uint8_t *)"java", 4));
	assert_false(tld_known((const uint8_t *)"1a", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(emails),
		cmocka_unit_test(not_emails),
		cmocka_unit_test(top_level),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
