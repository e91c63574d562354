/*
 * The table of entities: complete, consistent, and of the size that events can carry.
 */
#include "scan/find.h"

#include "core/event.h"
#include "scan/entities.h"

static void table(void **state)
{
	(void)state;
	size_t n = 0;
	for (const struct entity *e = entity_table; e->name != NULL; e++, n++) {
		char rule[64];
		int r = snprintf(rule, sizeof(rule), "data.log.%s", e->name);
		for (char *c = rule; *c != 0; c++)
			*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
		assert_true(r > 0 && (size_t)r < sizeof(rule));
		assert_string_equal(e->rule, rule);
		assert_true(strlen(e->name) < sizeof(((struct event_match *)0)->entity));
		assert_true(e->severity >= 0 && e->severity <= 3);
		assert_true(strlen(e->title) > 3 && strlen(e->doc) > 10 && strlen(e->remedy) > 10);
		assert_ptr_equal(entity_find(e->name), e);
		assert_true(entity_rank((enum entity_id)n) > 0);
	}
	assert_int_equal(n, ENTITY_N);
	assert_true(n >= 60 + 30);
	assert_null(entity_find("NO_SUCH"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
