/*
 * The verdict of a gate over a session's report, alone or beside a baseline's: pass, fail, or inconclusive when there is not enough to
 * judge by. A verdict never passes on what was not seen.
 */
#ifndef GAPSCOPE_GATE_VERDICT_H
#define GAPSCOPE_GATE_VERDICT_H

#include <jansson.h>

#include "gate/policy.h"

#define GATE_SCHEMA "gapscope.gate/1"

enum check_state { CHECK_PASS, CHECK_WARN, CHECK_INCONCLUSIVE, CHECK_FAIL };

struct gate_input {
	const struct gate_policy *policy;
	const json_t *report;           /* of what is judged */
	const json_t *baseline;         /* or NULL */
	const char *today;              /* "2026-11-21", for exceptions */
	bool prove;                     /* faults were to be injected */
	const char *ended;              /* why the service ended before its time, or NULL */
	double settle_s;                /* of sessions that go on: how long it takes until what was seen is told */
	const char *unwatched;          /* why the report says nothing of now, or NULL */
	const char *baseline_unwatched; /* why the baseline has not all that it could, or NULL */
};

/*
 * A new object: {"schema", "verdict": "pass|fail|inconclusive", "ok", "service", "critical", "requests", "events_lost", "new", "known",
 * "excepted", "checks": [{"check", "state", "text"}…], "proofs": the report's, "findings": [… each with "gate": "failed", "warned", "known", "excepted",
 * "ignored", or "undecided" where the baseline saw too little to know whether it is new]}. NULL when memory is out.
 */
json_t *gate_judge(const struct gate_input *in);
/* Exit status of a verdict: 0 pass, 1 fail, 3 inconclusive. */
int gate_exit_status(const json_t *verdict);

/* For the parts of a verdict: one more check, and what it says. */
void gate_check(json_t *checks, const char *name, enum check_state state, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
