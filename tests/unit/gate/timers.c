/* Event loops whose timers reach further than the baseline's. */
#include "gate/timers.h"

#include "sample.h"

/* A dependency: so many questions, `brought` of them with a timer of `seconds`, `slept` of them slept past 5.657 s. */
static json_t *session(double seconds, int brought, int slept)
{
	json_t *r = sample_session(), *timers = json_array();

	if (brought)
		json_array_append_new(timers, json_pack("{s:f, s:i}", "seconds", seconds, "operations", brought));
	json_object_set_new(r, "hints",
			    json_pack("[{s:s, s:s, s:i, s:f, s:o, s:[{s:f, s:i}, {s:f, s:i}]}]", "peer", "payments:443", "phase",
				      "response", "operations", 500, "longest_s", slept ? 6.1 : 3.0, "timers", timers, "reaches",
				      "from_s", 2.828, "operations", 20, "from_s", 5.657, "operations", slept));
	return r;
}

/* The check's state, "" if there is none; both reports are given up. */
static const char *compared(json_t *baseline, json_t *report)
{
	static char state[32];
	const struct gate_input in = {.report = report, .baseline = baseline};
	json_t *checks = json_array();

	compare_timers(&in, checks);
	assert_true(json_array_size(checks) <= 1);
	const char *text = json_string_value(json_object_get(json_array_get(checks, 0), "state"));
	snprintf(state, sizeof(state), "%s", text ? text : "");
	json_decref(checks);
	json_decref(baseline);
	json_decref(report);
	return state;
}

static void a_dropped_timeout_is_told(void **state)
{
	(void)state;
	assert_string_equal(compared(session(3, 9, 0), session(3, 0, 14)), "inconclusive");
	assert_string_equal(compared(session(3, 9, 0), session(4.5, 9, 14)), "inconclusive"); /* a longer one */
	assert_string_equal(compared(session(3, 3, 0), session(3, 0, 40)), "inconclusive");
}

static void the_same_passes(void **state)
{
	(void)state;
	assert_string_equal(compared(session(3, 9, 0), session(3, 7, 0)), "pass");
	assert_string_equal(compared(session(3, 9, 0), session(3, 0, 0)), "pass");   /* busier, or shorter */
	assert_string_equal(compared(session(3, 9, 0), session(2, 9, 0)), "pass");   /* a shorter one */
	assert_string_equal(compared(session(3, 40, 1), session(3, 30, 5)), "pass"); /* one kind of question has none */
	assert_string_equal(compared(session(3, 9, 0), session(3, 200, 6)), "pass");
}

/* Less traffic makes longer sleeps: they say something only beside timers that questions brought. */
static void without_such_timers_nothing_is_said(void **state)
{
	(void)state;
	assert_string_equal(compared(session(3, 0, 0), session(3, 0, 100)), "");
	assert_string_equal(compared(session(3, 9, 9), session(3, 0, 100)), "");
	assert_string_equal(compared(session(3, 2, 0), session(3, 0, 5)), "pass");  /* too few to be sure */
	assert_string_equal(compared(session(5, 9, 0), session(5, 0, 14)), "pass"); /* 5.7 s may be a late 5 s */
	assert_string_equal(compared(sample_session(), session(3, 0, 100)), "");
	assert_string_equal(compared(session(3, 9, 0), sample_session()), "");
}

/* The verdict has it. */
static void it_is_inconclusive(void **state)
{
	struct gate_policy policy;
	json_t *baseline = session(3, 9, 0), *report = session(3, 0, 14);
	const struct gate_input in = {.policy = &policy, .report = report, .baseline = baseline, .today = "2026-11-21"};
	(void)state;

	policy_defaults(&policy);
	json_t *v = gate_judge(&in);
	assert_int_equal(gate_exit_status(v), 3);
	json_decref(v);
	json_decref(baseline);
	json_decref(report);
}

TEST_MAIN(cmocka_unit_test(a_dropped_timeout_is_told), cmocka_unit_test(the_same_passes),
	  cmocka_unit_test(without_such_timers_nothing_is_said), cmocka_unit_test(it_is_inconclusive))
