/* The table of exporters: complete entries, found by name. */
#include "test.h"

#include <string.h>

#include "exporters/exporter.h"

static void entries_are_whole(void **state)
{
	(void)state;
	size_t n = 0;
	for (const struct exporter *const *x = exporter_table; *x != NULL; x++, n++) {
		assert_ptr_equal(exporter_find((*x)->name), *x);
		assert_true(strlen((*x)->doc) > 10);
		assert_true((*x)->open && (*x)->close);
		/* what takes something accounts for it */
		bool takes = (*x)->span || (*x)->metrics || (*x)->finding;
		assert_int_equal(takes, (*x)->counts != NULL);
		assert_int_equal(takes, !(*x)->serves_others);
	}
	assert_true(n > 1);
	assert_non_null(exporter_find("otlp"));
	assert_null(exporter_find("carrier-pigeon"));
	assert_null(exporter_find(""));
}

TEST_MAIN(cmocka_unit_test(entries_are_whole))
