/*
 * Order, overlap and limits of matches that wait to be told.
 */
#include "scan/find.h"

#include "scan/matches.h"

struct told {
	size_t start[64], n;
	size_t last_end;
};

static void tell(void *ctx, const struct scan_match *m)
{
	struct told *t = ctx;
	assert_true(m->start >= t->last_end);
	t->last_end = m->end;
	if (t->n < 64)
		t->start[t->n] = m->start;
	t->n++;
}

static void order_and_overlap(void **state)
{
	(void)state;
	static struct matches m;
	struct told t = {0};
	m = (struct matches){.fn = tell, .ctx = &t};
	assert_true(matches_add(&m, 40, 50, ENTITY_EMAIL));
	assert_true(matches_add(&m, 10, 20, ENTITY_PHONE));
	/* lower and equal ranks lose against what is there, higher ones replace all that they overlap */
	assert_false(matches_add(&m, 45, 55, ENTITY_PHONE));
	assert_false(matches_add(&m, 45, 55, ENTITY_EMAIL));
	assert_true(matches_add(&m, 15, 45, ENTITY_PRIVATE_KEY));
	assert_true(matches_add(&m, 45, 50, ENTITY_PHONE));
	assert_false(matches_add(&m, 60, 60, ENTITY_PHONE));
	matches_flush(&m, SIZE_MAX);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.start[0], 15);
	assert_int_equal(t.start[1], 45);
	/* what lies before what was told comes too late */
	assert_false(matches_add(&m, 30, 60, ENTITY_PRIVATE_KEY));
}

static void full(void **state)
{
	(void)state;
	static struct matches m;
	struct told t = {0};
	m = (struct matches){.fn = tell, .ctx = &t};
	for (size_t i = 0; i < 3 * MATCHES_MAX; i++)
		assert_true(matches_add(&m, 2 * i, 2 * i + 1, ENTITY_CVV));
	matches_flush(&m, SIZE_MAX);
	assert_int_equal(t.n, 3 * MATCHES_MAX);
	assert_int_equal(m.told, 3 * MATCHES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_overlap),
		cmocka_unit_test(full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
