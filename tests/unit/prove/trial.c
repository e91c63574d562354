/* What the relay says, added up. */
#include "test.h"

#include "prove/trial.h"

#define S 1000000000ULL

static void hears(struct trial *t, enum relay_what what, uint64_t waited_ns, uint64_t whole_ns, uint64_t stall_ns)
{
	const struct relay_said said = {.what = what, .kind = t->kind, .waited_ns = waited_ns, .whole_ns = whole_ns};

	trial_hears(t, &said, stall_ns);
}

static void gives_up(void **state)
{
	struct trial t = {.kind = FAULT_STALL, .affected = 2};
	const struct relay_said other = {.what = RELAY_GAVE_UP, .kind = FAULT_503, .waited_ns = 1};

	(void)state;
	assert_string_equal(trial_outcome(&t), "unclear");
	hears(&t, RELAY_ASKED, 0, 0, 0);
	hears(&t, RELAY_GAVE_UP, 3 * S, 4 * S, 0);
	hears(&t, RELAY_GAVE_UP, 2 * S, 5 * S, 0);
	trial_hears(&t, &other, 0); /* of the fault before */
	assert_int_equal(t.gave_up, 2);
	assert_int_equal(t.over, 2);
	assert_int_equal(t.asked, 1);
	assert_true(t.least_ns == 2 * S && t.most_ns == 3 * S && t.whole_ns == 5 * S);
	assert_string_equal(trial_outcome(&t), "gave_up");
	hears(&t, RELAY_WAITED, 9 * S, 9 * S, 0); /* one that waits outweighs them all */
	assert_string_equal(trial_outcome(&t), "waited");
	assert_true(t.waited_ns == 9 * S);
}

/* A trickle that is let go of proves something only if it outlived what the service waits for one byte. */
static void outlives(void **state)
{
	struct trial t = {.kind = FAULT_DRIP, .affected = 1};

	(void)state;
	hears(&t, RELAY_FREED, 2 * S, 0, 0);
	hears(&t, RELAY_FREED, 2 * S, 0, 2 * S);
	assert_string_equal(trial_outcome(&t), "unclear");
	hears(&t, RELAY_FREED, 4 * S, 0, 2 * S);
	assert_string_equal(trial_outcome(&t), "waited");
}

static void answers_are_attempts(void **state)
{
	struct trial t = {.kind = FAULT_503, .affected = 1}, refused = {.kind = FAULT_REFUSE, .affected = 1},
		     none = {.kind = FAULT_REFUSE};

	(void)state;
	assert_string_equal(trial_outcome(&t), "unclear");
	hears(&t, RELAY_UNFIT, 0, 0, 0);
	assert_string_equal(trial_outcome(&t), "unfit");
	hears(&t, RELAY_CUT, 0, 0, 0);
	assert_string_equal(trial_outcome(&t), "attempts");
	assert_string_equal(trial_outcome(&refused), "attempts");
	assert_string_equal(trial_outcome(&none), "not_reached");
}

TEST_MAIN(cmocka_unit_test(gives_up), cmocka_unit_test(outlives), cmocka_unit_test(answers_are_attempts))
