/* HTTP dates in their three forms, and what is none. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "protocols/http_date.h"

static void three_forms(void **state)
{
	static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
					   "Sun Nov  6 08:49:37 1994"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		int64_t got = 0;
		assert_int_equal(http_date_parse(same[i], strlen(same[i]), &got), 0);
		assert_int_equal(got, 784111777);
	}
}

static void no_dates(void **state)
{
	static const char *const bad[] = {"",
					  "soon",
					  "Sun, 06 Foo 1994 08:49:37 GMT",
					  "Sun, 36 Nov 1994 08:49:37 GMT",
					  "Sun, 06 Nov 1994 28:49:37 GMT",
					  "Sun, 06 anF 1994 08:49:37 GMT",
					  "Sun, 06 Nov 1994 08:49:37 GMT and so on, for longer than any date could be in any form"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t got = 7;
		assert_int_equal(http_date_parse(bad[i], strlen(bad[i]), &got), -EBADMSG);
		assert_int_equal(got, 7);
	}
}

TEST_MAIN(cmocka_unit_test(three_forms), cmocka_unit_test(no_dates))
