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
	const struct retry_key k = {.peer = (char[]){"payments:443"}};
	for (uint64_t s = 0; s < seconds; s++) {
		for (unsigned int i = 0; i < per_s; i++)
			retry_budget_count(&x, &k, (1000 + s) * NS_PER_S, nth && i % nth == nth - 1, 0);
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
	const struct retry_key k = {.peer = (char[]){"p"}};
	for (int i = 0; i < 200; i++)
		retry_budget_count(&x, &k, 1000 * NS_PER_S, false, 0);
	retry_budget_count(&x, &k, 1020 * NS_PER_S, true, 0);
	assert_int_equal(x.peers->hit.count, 0);
	for (int i = 0; i < 10; i++)
		assert_true(x.peers->requests[i] <= 1);
	retry_budget_free(&x);
}

/* A poll of 20/s that fails first and is known for one later: what was counted against it is not told. */
static void test_a_poll(void **state)
{
	for (int polls = 0; polls < 2; polls++) {
		struct rig r;
		(void)state;
		rig_init(&r, &retry_detector);
		script_socket(&r.s, 5);
		script_connect(&r.s, 5, "10.0.0.9", 443, 0);
		for (int i = 0; i < 300; i++) {
			script_write(&r.s, 5, RIG_GET);
			script_read(&r.s, 5, polls && i > 150 ? RIG_200 : RIG_503);
			script_pass(&r.s, 50 * SCRIPT_MSEC);
		}
		struct retry *x = r.state;
		assert_true(x->peers->hit.count > 0);
		rig_finish(&r);
		assert_int_equal(rig_found(&r, "retry.budget") != NULL, !polls);
		rig_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_share), cmocka_unit_test(test_floor),
					   cmocka_unit_test(test_window), cmocka_unit_test(test_a_poll)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
