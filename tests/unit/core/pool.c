/* pool.h: what was given back comes first, and no more than the limit is kept. */
#include "core/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void blocks_come_back(void **state)
{
	struct pool p = {.size = 64, .max = 2};
	void *blocks[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		blocks[i] = pool_get(&p);
		assert_non_null(blocks[i]);
		memset(blocks[i], 0xff, 64);
	}
	for (int i = 0; i < 3; i++)
		pool_put(&p, blocks[i]);
	assert_int_equal(p.kept, 2);
	assert_ptr_equal(pool_get(&p), blocks[1]);
	assert_ptr_equal(pool_get(&p), blocks[0]);
	assert_int_equal(p.kept, 0);
	pool_put(&p, blocks[0]);
	pool_put(&p, blocks[1]);
	pool_done(&p);
	assert_null(p.first);
	assert_int_equal(p.kept, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(blocks_come_back)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
