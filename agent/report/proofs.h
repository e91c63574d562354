/*
 * What injected faults have shown (the strongest evidence there is, above anything that was merely seen): the report's section "proofs", and
 * what it changes in the others. Deadlines that were proven take the place of those that were concluded, findings become proven.
 *
 * Owner: the session, on its thread. Made from PROOF events alone, so that a replay says the same.
 */
#ifndef GAPSCOPE_REPORT_PROOFS_H
#define GAPSCOPE_REPORT_PROOFS_H

#include <jansson.h>

#include "model/model.h"

struct proofs;

/* NULL when memory is out. */
struct proofs *proofs_new(const struct stacks *stacks, struct counters *counters);
void proofs_free(struct proofs *p);
/* For the model; ctx is the struct proofs. */
extern const struct observer proofs_observer;
/* Enter all of it into a report whose other sections are there. Of a session that proved nothing: no change. */
void proofs_enter(const struct proofs *p, json_t *report);

#endif
