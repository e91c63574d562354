/* agent/core/event.c: names come from the tables, and loss names match loss.def. */
#include "core/event.h"

#include <ctype.h>
#include <string.h>

#include "test.h"

static void names(void **state)
{
	(void)state;
	assert_string_equal(event_name(WIRE_READ), "READ");
	assert_string_equal(event_family(WIRE_READ), "data");
	assert_string_equal(event_name(WIRE_MATCH), "MATCH");
	assert_string_equal(event_name(0), "?");
	assert_string_equal(event_name(150), "?");
	assert_string_equal(event_family(65535), "?");
}

static void losses(void **state)
{
	static const char *const upper[] = {
#define LOSS(number, name, text) [(number)] = #name,
#include "wire/loss.def"
#undef LOSS
	};
	unsigned int i;
	size_t k;

	(void)state;
	for (i = 0; i < WIRE_LOSS_CAUSES; i++) {
		char lower[64] = {0};

		for (k = 0; upper[i][k]; k++)
			lower[k] = (char)tolower((unsigned char)upper[i][k]);
		assert_string_equal(loss_name(i), lower);
	}
	assert_string_equal(loss_name(WIRE_LOSS_CAUSES), "other");
}

TEST_MAIN(cmocka_unit_test(names), cmocka_unit_test(losses))
