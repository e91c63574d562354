/*
 * The table of detectors: complete, documented, and with names that fit the contract.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "detectors/detectors.h"

static void test_entries_are_complete(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct detector *const *d = detector_table; *d; d++, n++) {
		assert_non_null((*d)->name);
		assert_true(strlen((*d)->doc) > 10);
		assert_non_null((*d)->create);
		assert_non_null((*d)->destroy);
		assert_int_equal((*d)->report == NULL, (*d)->section == NULL);
		assert_true((*d)->rules[0].id || (*d)->section); /* one that only counts tells no findings */
	}
	assert_true(n >= 9);
}

static void test_rules_are_documented(void **state)
{
	(void)state;
	for (const struct detector *const *d = detector_table; *d; d++) {
		for (const struct rule *r = (*d)->rules; r->id; r++) {
			/* several detectors share the area of resources */
			assert_true(!strncmp(r->id, (*d)->name, strlen((*d)->name)) || !strncmp(r->id, "resource.", 9));
			assert_non_null(strchr(r->id, '.'));
			assert_true(strlen(r->title) > 5);
			assert_true(strlen(r->doc) > 20);
			assert_true(strlen(r->remedy) > 10);
			for (const struct rule *other = (*d)->rules; other != r; other++)
				assert_string_not_equal(other->id, r->id);
		}
	}
}

static void test_options_hold_their_ranges(void **state)
{
	(void)state;
	for (const struct detector *const *d = detector_table; *d; d++) {
		for (const struct option *o = (*d)->options; o && o->name; o++) {
			assert_true(o->min <= o->value && o->value <= o->max);
			assert_non_null(o->unit);
			assert_true(strlen(o->doc) > 10);
		}
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(severity_name(SEVERITY_INFO), "info");
	assert_string_equal(severity_name(SEVERITY_CRITICAL), "critical");
	assert_string_equal(confidence_name(CONFIDENCE_SUSPECTED), "suspected");
	assert_string_equal(confidence_name(CONFIDENCE_PROVEN), "proven");
	assert_string_equal(severity_name((enum severity)99), "?");
	assert_string_equal(confidence_name((enum confidence)99), "?");
	for (int s = SEVERITY_INFO; s <= SEVERITY_CRITICAL; s++)
		assert_int_equal(severity_rank(severity_name((enum severity)s)), s);
	for (int c = CONFIDENCE_SUSPECTED; c <= CONFIDENCE_PROVEN; c++)
		assert_int_equal(confidence_rank(confidence_name((enum confidence)c)), c);
	assert_true(severity_rank("of a newer version") > SEVERITY_CRITICAL);
	assert_true(confidence_rank("") > CONFIDENCE_PROVEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_are_complete),
		cmocka_unit_test(test_rules_are_documented),
		cmocka_unit_test(test_options_hold_their_ranges),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
