/* go_purpose.c: what timers are for, by who made them. */
#include "commands/go_purpose.h"

#include "go_table.h"

enum { OWN, HEAD, CLEANER, CUT };
static const char *const names[] = {
	[OWN] = "main.(*pay).charge",
	[HEAD] = "net/http.(*persistConn).roundTrip",
	[CLEANER] = "database/sql.(*DB).connectionCleaner",
	[CUT] = NULL,
};

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(go_purpose_named("net/http.(*persistConn).roundTrip"), GO_FOR_HEAD);
	assert_int_equal(go_purpose_named("net/http.(*persistConn).closeConnIfStillIdle-fm"), GO_FOR_NOTHING);
	assert_int_equal(go_purpose_named("context.WithDeadlineCause.func3"), GO_FOR_ANYTHING);
	assert_int_equal(go_purpose_named(""), GO_FOR_ANYTHING);
}

/* The nearest caller that says it counts; those behind the end do not. */
static void test_callers(void **state)
{
	struct gopclntab *t = go_table(names);
	const uint64_t callers[] = {go_address(OWN), go_address(CLEANER), go_address(HEAD)},
		       ended[] = {go_address(OWN), 0, go_address(HEAD)};

	(void)state;
	assert_int_equal(go_purpose_of(t, 0, callers, 3), GO_FOR_NOTHING);
	assert_int_equal(go_purpose_of(t, 0, callers, 1), GO_FOR_ANYTHING);
	assert_int_equal(go_purpose_of(t, 0, callers + 2, 1), GO_FOR_HEAD);
	assert_int_equal(go_purpose_of(t, 0, ended, 3), GO_FOR_ANYTHING);
	assert_int_equal(go_purpose_of(t, 0, callers, 0), GO_FOR_ANYTHING);
	gopclntab_free(t);
}

TEST_MAIN(cmocka_unit_test(test_names), cmocka_unit_test(test_callers))
