/* Attributes are cleaned copies, and bounded. */
#include "test.h"

#include <string.h>

#include "report/attrs.h"

static void copies(void **state)
{
	struct attr list[3];
	char text[16], value[] = "a\nb";
	struct attrs a = {.list = list, .max = 3, .text = text, .size = sizeof text};

	(void)state;
	attrs_text(&a, "k", value);
	value[0] = 'x';
	attrs_text(&a, "none", NULL);
	attrs_text(&a, "empty", "");
	attrs_int(&a, "n", 7);
	attrs_text(&a, "long", "0123456789abcdefgh");
	attrs_int(&a, "one too many", 8);
	assert_int_equal(a.n, 3);
	assert_string_equal(list[0].s, "a?b");
	assert_int_equal(list[1].i, 7);
	assert_string_equal(list[2].s, "0123456789a");
}

TEST_MAIN(cmocka_unit_test(copies))
