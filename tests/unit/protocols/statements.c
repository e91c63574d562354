/* Prepared statements by number: replaced, dropped, bounded. */
#include "test.h"

#include "protocols/statements.h"

static void by_number(void **state)
{
	struct statements s = {0};

	(void)state;
	assert_null(statements_get(&s, 1));
	for (uint64_t i = 1; i <= LIMIT_PREPARED + 1; i++)
		statements_put(&s, i)->sql.key = i;
	assert_null(statements_get(&s, 1)); /* the oldest made room */
	assert_int_equal(statements_get(&s, 2)->sql.key, 2);
	statements_put(&s, 2)->sql.key = 77;
	assert_int_equal(statements_get(&s, 2)->sql.key, 77);
	assert_int_equal(HASH_COUNT(s.by_id), LIMIT_PREPARED);
	statements_drop(&s, 2);
	statements_drop(&s, 2);
	assert_null(statements_get(&s, 2));
	statements_done(&s);
	assert_null(s.by_id);
}

TEST_MAIN(cmocka_unit_test(by_number))
