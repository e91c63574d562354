/* What injected faults mean for a gate. */
#include "gate/proof.h"

#include "sample.h"

static json_t *proof(const char *outcome, int affected)
{
	json_t *r = sample_session();

	json_object_set_new(r, "proofs",
			    json_pack("[{s:s, s:s, s:s, s:s, s:i, s:s}]", "peer", "payments:443", "fault", "stall", "phase",
				      "response", "outcome", outcome, "affected", affected, "text", "gives up after 3.0 s"));
	return r;
}

static void is(json_t *report, bool asked, size_t n, const char *state, const char *text)
{
	json_t *checks = json_array();

	proof_checks(report, asked, checks);
	assert_int_equal(json_array_size(checks), n);
	const json_t *last = json_array_get(checks, n - 1);
	if (n) {
		assert_string_equal(json_string_value(json_object_get(last, "state")), state);
		assert_non_null(strstr(json_string_value(json_object_get(last, "text")), text));
	}
	json_decref(checks);
	json_decref(report);
}

static void outcomes(void **state)
{
	(void)state;
	is(proof("gave_up", 1), true, 1, "pass", "payments:443: stall: proven: gives up after 3.0 s");
	is(proof("waited", 1), true, 1, "warn", "proven");
	is(proof("planned", 0), true, 1, "pass", "stall");
	is(proof("not_reached", 0), true, 2, "inconclusive", "nothing was proven");
	is(sample_session(), true, 1, "inconclusive", "nothing was proven");
	is(sample_session(), false, 0, NULL, NULL);
}

static void stopped_early(void **state)
{
	json_t *r = proof("gave_up", 1);

	(void)state;
	json_object_set_new(r, "proof", json_pack("{s:b, s:s}", "finished", 1, "why", "the relay ended"));
	is(r, true, 2, "inconclusive", "the relay ended");
}

static void injected(void **state)
{
	json_t *with = proof("gave_up", 1), *planned = proof("planned", 0);

	(void)state;
	assert_true(proof_injected(with));
	assert_false(proof_injected(planned));
	json_decref(with);
	json_decref(planned);
}

TEST_MAIN(cmocka_unit_test(outcomes), cmocka_unit_test(stopped_early), cmocka_unit_test(injected))
