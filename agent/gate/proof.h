/*
 * What a session's injected faults mean for a gate: one check for each, and none that passes where nothing could be proven.
 */
#ifndef GAPSCOPE_GATE_PROOF_H
#define GAPSCOPE_GATE_PROOF_H

#include <jansson.h>
#include <stdbool.h>

/* Were faults injected, so that traffic is no ordinary traffic? */
bool proof_injected(const json_t *report);
/* Adds to the checks; of a report without proofs nothing, unless `asked`: then that is inconclusive. */
void proof_checks(const json_t *report, bool asked, json_t *checks);

#endif
