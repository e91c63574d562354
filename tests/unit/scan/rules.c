/*
 * Users' rules: what is switched off or allowed is not told, but overwritten all the same; prefixes of their own are found.
 */
#include "scan/find.h"

#include <errno.h>

static int clear(void **state)
{
	(void)state;
	scan_rules_clear();
	return 0;
}

static void off(void **state)
{
	(void)state;
	assert_int_equal(scan_rules_off("NO_SUCH"), -ENOENT);
	assert_string_equal(found("mail a.b@acme.io card 4556737586899855"), "EMAIL=a.b@acme.io;CREDIT_CARD=4556737586899855");
	assert_int_equal(scan_rules_off("EMAIL"), 0);
	assert_string_equal(found("mail a.b@acme.io card 4556737586899855"), "CREDIT_CARD=4556737586899855");
}

static void allowed(void **state)
{
	(void)state;
	assert_int_equal(scan_rules_allow("**"), -EINVAL);
	assert_int_equal(scan_rules_allow(""), -EINVAL);
	assert_int_equal(scan_rules_allow("*@acme.io"), 0);
	assert_int_equal(scan_rules_allow("4556*9855"), 0);
	assert_string_equal(found("mail a.b@acme.io c@acme.io.net card 4556737586899855"), "EMAIL=c@acme.io.net");
	for (size_t i = 2; i < SCAN_RULES_MAX; i++)
		assert_int_equal(scan_rules_allow("x*y"), 0);
	assert_int_equal(scan_rules_allow("x*y"), -ENOSPC);
	char longer[200];
	memset(longer, 'a', sizeof(longer));
	longer[199] = 0;
	assert_int_equal(scan_rules_own(longer), -ENAMETOOLONG);
}

static void own(void **state)
{
	(void)state;
	assert_int_equal(scan_rules_own("ab"), -EINVAL);
	assert_int_equal(scan_rules_own("acme tok"), -EINVAL);
	assert_int_equal(scan_rules_own("acme_tok_"), 0);
	assert_string_equal(found("got acme_tok_12ab34cd now"), "CUSTOM_SECRET=acme_tok_12ab34cd");
	assert_string_equal(found("got acme_tok_12ab34 now"), "");
	assert_string_equal(found("got xacme_tok_12ab34cd now"), "");
}

static void redaction_takes_all(void **state)
{
	(void)state;
	char text[] = "mail a.b@acme.io!";
	struct scanner *s = scanner_new(NULL);
	assert_int_equal(scan_rules_off("EMAIL"), 0);
	assert_int_equal(scan_rules_allow("*@acme.io"), 0);
	assert_int_equal(scan_text(s, (const uint8_t *)text, sizeof(text) - 1, NULL, NULL), 0);
	assert_int_equal(scan_redact(s, (uint8_t *)text, sizeof(text) - 1), 1);
	assert_string_equal(text, "mail ***********!");
	scanner_free(s);
}

#define T(name) cmocka_unit_test_setup_teardown(name, clear, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {T(off), T(allowed), T(own), T(redaction_takes_all)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
