/* What a proof may do, from text. */
#include "test.h"

#include "prove/plan.h"

#include <errno.h>
#include <string.h>

static void defaults(void **state)
{
	struct plan ours, running;

	(void)state;
	plan_defaults(&ours, true);
	plan_defaults(&running, false);
	assert_true(ours.share == 1 && ours.learn == 0 && !ours.dry);
	assert_true(running.share < 0.2 && running.errors < 0.5 && running.learn > 0);
	for (unsigned int k = 0; k < FAULTS; k++)
		assert_true(ours.kinds[k] && running.kinds[k]);
}

static void parts(void **state)
{
	struct plan p;
	char err[256];

	(void)state;
	plan_defaults(&p, false);
	assert_int_equal(plan_parse(&p, "on", err, sizeof(err)), 0);
	assert_int_equal(plan_parse(&p, "faults=stall+503,share=50,errors=5,seconds=7,hold=2.5,learn=0,dry", err, sizeof(err)), 0);
	assert_true(p.kinds[FAULT_STALL] && p.kinds[FAULT_503] && !p.kinds[FAULT_DRIP] && p.dry);
	assert_true(p.share == 0.5 && p.errors == 0.05 && p.seconds == 7 && p.hold == 2.5 && p.learn == 0);
}

static void refused(void **state)
{
	static const char *const bad[] = {"faults=stall+thunder", "faults=", "share=0", "share=101", "share=x", "hold=", "pace=3",
					  "seconds=-1",           "hold=nan"};
	struct plan p;

	(void)state;
	plan_defaults(&p, true);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char err[256] = "";

		assert_int_equal(plan_parse(&p, bad[i], err, sizeof(err)), -EINVAL);
		assert_non_null(strstr(err, "prove: "));
	}
}

TEST_MAIN(cmocka_unit_test(defaults), cmocka_unit_test(parts), cmocka_unit_test(refused))
