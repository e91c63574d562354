/*
 * See proof.h.
 */
#include "gate/proof.h"

#include <string.h>

#include "gate/verdict.h"
#include "report/render_util.h"

static bool is(const json_t *proof, const char *outcome)
{
	return strcmp(json_text(proof, "outcome"), outcome) == 0;
}

bool proof_injected(const json_t *report)
{
	const json_t *proof;
	size_t i;

	json_array_foreach (json_object_get(report, "proofs"), i, proof)
		if (json_number(proof, "affected") > 0)
			return true;
	return false;
}

/* A bound that was shown passes; that there is none is the finding's to fail. */
static enum check_state state_of(const json_t *proof)
{
	const bool endless = is(proof, "attempts") && strcmp(json_text(proof, "class"), "unbounded") == 0;

	if ((is(proof, "waited") && strcmp(json_text(proof, "phase"), "resolve") != 0) || endless || is(proof, "unclear"))
		return CHECK_WARN;
	return CHECK_PASS;
}

void proof_checks(const json_t *report, bool asked, json_t *checks)
{
	const char *why = json_text(json_object_get(report, "proof"), "why");
	const json_t *proof;
	size_t shown = 0, i;
	bool planned = false;

	json_array_foreach (json_object_get(report, "proofs"), i, proof) {
		const char *peer = json_text(proof, "peer");

		planned = planned || is(proof, "planned");
		if (is(proof, "planned"))
			gate_check(checks, "dry-run", CHECK_PASS, "%s: %s", json_text(proof, "fault"), json_text(proof, "text"));
		else
			gate_check(checks, "proof", state_of(proof), "%s%s%s: %s%s", peer, *peer ? ": " : "",
				   json_text(proof, "fault"), is(proof, "gave_up") || is(proof, "waited") ? "proven: " : "",
				   json_text(proof, "text"));
		shown += is(proof, "gave_up") || is(proof, "waited") || is(proof, "attempts");
	}
	if (*why)
		gate_check(checks, "proof", CHECK_INCONCLUSIVE, "faults were ended early: %s", why);
	if (asked && !shown && !planned)
		gate_check(checks, "proof", CHECK_INCONCLUSIVE, "nothing was proven: no fault reached a connection of the service");
}
