/* agent/core/strings.c: equal text has one address, different text does not, and the limit holds. */
#include "core/strings.h"

#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "test.h"

static void interns(void **state)
{
	struct strings *s = strings_new();
	char copy[] = "charge";

	(void)state;
	assert_non_null(s);
	assert_ptr_equal(strings_add(s, "charge"), strings_add(s, copy));
	assert_ptr_not_equal(strings_add(s, "charge"), strings_add(s, "Charge"));
	assert_string_equal(strings_add(s, ""), "");
	assert_null(strings_add(s, NULL));
	strings_free(s);
	strings_free(NULL);
}

static void limit(void **state)
{
	struct strings *s = strings_new();
	char *big = malloc(LIMIT_STRINGS_BYTES);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', LIMIT_STRINGS_BYTES - 1);
	big[LIMIT_STRINGS_BYTES - 1] = '\0';
	assert_non_null(strings_add(s, big));
	assert_null(strings_add(s, "one more"));
	assert_string_equal(strings_add(s, big), big);
	free(big);
	strings_free(s);
}

TEST_MAIN(cmocka_unit_test(interns), cmocka_unit_test(limit))
