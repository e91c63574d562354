/*
 * The retry budget: share and floor, over ten seconds.
 */
#include "detectors/detectors.h"
#include "detectors/retry.h"
#include "detectors/rig.h"

/* `per_s` requests a second for ten seconds, every `nth` a retry. */
static struct retry_hit spend(unsigned int per_s, unsigned int nth, uint64_t seconds)
{
	struct rig r;
	double options[RETRY_OPTIONS];

	rig_init(&r, &retry_detector);
	for (size_t i = 0; i < RETRY_OPTIONS; i++)
		options[i] = retry_options[i].value;
	struct retry x = {.env = {.options = options, .counters = &r.s.counters}};
	for (uint64_t s = 0; s < seconds; s++) {
		for (unsigned int i = 0; i < per_s; i++)
			retry_budget_count(&x, "payments:443", (1000 + s) * NS_PER_S, nth && i % nth == nth - 1, 0);
	}
	struct retry_hit hit = x.peers->hit;
	retry_budget_free(&x);
	rig_finish(&r);
	rig_done(&r);
	return hit;
}

static void test_share(void **state)
{
	(void)state;
	assert_int_equal(spend(100, 0, 10).count, 0);
	assert_int_equal(spend(100, 10, 10).count, 0); /* 10 % is within */
	assert_true(spend(100, 8, 10).count > 0);
	assert_int_equal(spend(100, 8, 10).severity, SEVERITY_WARNING);
	assert_int_equal(spend(100, 3, 10).severity, SEVERITY_ERROR);
}

static void test_floor(void **state)
{
	(void)state;
	assert_int_equal(spend(9, 2, 30).count, 0); /* under ten a second the share says nothing */
	assert_true(spend(11, 2, 30).count > 0);
}

/* What is older than ten seconds is forgotten. */
static void test_window(void **state)
{
	struct counters counters = {0};
	double options[RETRY_OPTIONS];

	(void)state;
	for (size_t i = 0; i < RETRY_OPTIONS; i++)
		options[i] = retry_options[i].value;
	struct retry x = {.env = {.options = options, .counters = &counters}};
	for (int i = 0; i < 200; i++)
		retry_budget_count(&x, "p", 1000 * NS_PER_S, false, 0);
	retry_budget_count(&x, "p", 1020 * NS_PER_S, true, 0);
	assert_int_equal(x.peers->hit.count, 0);
	for (int i = 0; i < 10; i++)
		assert_true(x.peers->requests[i] <= 1);
	retry_budget_free(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_share), cmocka_unit_test(test_floor),
					   cmocka_unit_test(test_window)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
