/* alloc_table.c: blocks are known until they are taken, by several threads at once; a bucket and the list of frees that are not told yet have limits. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "preload/alloc.h"

#define WAYS 8
#define UNTOLD 256
#define THREADS 4
#define ROUNDS 20000U
#define HELD 64U /* by each thread at once: few enough that no bucket is full */

static const void *block(uintptr_t number)
{
	return (const void *)(number << 4);
}

static void taken_once(void **state)
{
	(void)state;
	assert_false(alloc_maybe(block(5)));
	assert_false(alloc_table_take(block(5)));
	assert_true(alloc_table_add(block(5)));
	assert_true(alloc_maybe(block(5)));
	assert_true(alloc_table_take(block(5)));
	assert_false(alloc_table_take(block(5)));
	assert_false(alloc_maybe(block(5)));
	assert_false(alloc_table_take(NULL));
}

static void a_full_bucket_says_so(void **state)
{
	const uint32_t bucket = alloc_bucket(block(1));
	const void *in[WAYS + 1];
	unsigned int n = 0;

	(void)state;
	for (uintptr_t i = 1; n < WAYS + 1; i++) {
		if (alloc_bucket(block(i)) == bucket)
			in[n++] = block(i);
	}
	for (unsigned int i = 0; i < WAYS; i++)
		assert_true(alloc_table_add(in[i]));
	assert_false(alloc_table_add(in[WAYS]));
	assert_false(alloc_table_take(in[WAYS]));
	assert_true(alloc_table_take(in[3]));
	assert_true(alloc_table_add(in[WAYS]));
	alloc_table_clear();
	assert_false(alloc_maybe(in[0]));
	assert_false(alloc_table_take(in[0]));
}

static void what_is_not_told_waits(void **state)
{
	unsigned int n = 0;

	(void)state;
	assert_false(alloc_untold_any());
	assert_null(alloc_untold_take());
	for (uintptr_t i = 1; i <= UNTOLD; i++)
		assert_true(alloc_untold_add(block(i)));
	assert_false(alloc_untold_add(block(UNTOLD + 1)));
	alloc_untold_forget(block(7));
	alloc_untold_forget(block(UNTOLD + 1));
	for (const void *b; (b = alloc_untold_take()) != NULL; n++)
		assert_ptr_not_equal(b, block(7));
	assert_int_equal(n, UNTOLD - 1);
	assert_false(alloc_untold_any());
}

/* Each thread has addresses of its own. The number of blocks that were not where they must be. */
static void *hammer(void *arg)
{
	const uintptr_t first = (uintptr_t)arg * HELD + 1;
	uintptr_t wrong = 0;

	for (unsigned int r = 0; r < ROUNDS; r++) {
		const void *const b = block(first + r % HELD);

		wrong += !alloc_table_add(b) || !alloc_maybe(b) || !alloc_table_take(b) || alloc_table_take(b);
	}
	return (void *)wrong;
}

static void threads_do_not_meet(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, (void *)i), 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		void *wrong;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	for (uint32_t i = 0; i < ALLOC_BUCKETS; i++)
		assert_int_equal(alloc_filter[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_once),
		cmocka_unit_test(a_full_bucket_says_so),
		cmocka_unit_test(what_is_not_told_waits),
		cmocka_unit_test(threads_do_not_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
