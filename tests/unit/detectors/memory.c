/*
 * Memory near the limit, on its way to it, and kills.
 */
#include "detectors/samples.h"

#define RULE "resource.memory.limit"
#define MIB (1ULL << 20)

static void play(struct rig *r, unsigned int seconds, double first, double a_second, double max, uint64_t kills)
{
	rig_init(r, &memory_detector);
	for (unsigned int i = 0; i < seconds; i++) {
		const double used = first + a_second * i;

		sample_memory(&r->s, 1,
			      (struct sample_memory){.used_bytes = (uint64_t)((used < max ? used : max) * (double)MIB),
						     .limit_bytes = 1000 * MIB,
						     .kills = 2 + (i > 5 ? kills : 0),
						     .stall_us = 1000 * i});
		sample_second(&r->s);
	}
	rig_finish(r);
}

static const struct rig_finding *of(const struct rig *r, const char *key)
{
	for (size_t i = 0; i < r->found_n; i++)
		if (strcmp(r->found[i].key, key) == 0)
			return &r->found[i];
	return NULL;
}

static void test_near(void **state)
{
	struct rig r;

	(void)state;
	play(&r, 20, 950, 0, 950, 0);
	assert_int_equal(r.found_n, 1);
	assert_non_null(of(&r, "near"));
	assert_int_equal(of(&r, "near")->count, 1);
	rig_done(&r);
	play(&r, 20, 850, 0, 850, 0);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
	play(&r, 4, 950, 0, 950, 0); /* for a moment */
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

static void test_growing(void **state)
{
	struct rig r;

	(void)state;
	play(&r, 80, 100, 2, 1000, 0);
	const struct rig_finding *f = of(&r, "growing");
	assert_non_null(f);
	const double left = json_number_value(json_object_get(f->evidence, "limit_reached_in_s"));
	assert_true(left > 350 && left < 450);
	rig_done(&r);
	play(&r, 80, 100, 10, 300, 0); /* a cache that fills */
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
	play(&r, 400, 100, 0.2, 1000, 0); /* more than an hour away */
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

static void test_kills(void **state)
{
	struct rig r;

	(void)state;
	play(&r, 20, 100, 0, 1000, 3);
	assert_int_equal(r.found_n, 1); /* those of before are not told */
	assert_int_equal(of(&r, "killed")->count, 3);
	assert_int_equal(of(&r, "killed")->severity, SEVERITY_ERROR);
	rig_done(&r);
}

TEST_MAIN(cmocka_unit_test(test_near), cmocka_unit_test(test_growing), cmocka_unit_test(test_kills))
