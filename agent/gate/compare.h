/*
 * A session beside its baseline: which findings are new, which requests became slower or fail more often, which dependencies were not used.
 */
#ifndef GAPSCOPE_GATE_COMPARE_H
#define GAPSCOPE_GATE_COMPARE_H

#include "gate/verdict.h"

/* Is there a finding with this one's fingerprint, at least as severe? */
bool baseline_has(const json_t *baseline, const json_t *finding);
/* Did the baseline see enough, that it would have this finding if it were as likely there? If not, false with the reason in why. */
bool baseline_would_show(const struct gate_input *in, const json_t *finding, char *why, size_t size);
/* Checks of latency and errors for each row of traffic that both have. */
void compare_traffic(const struct gate_input *in, json_t *checks);
/* A check for the dependencies that the baseline used and this session did not. */
void compare_dependencies(const struct gate_input *in, json_t *checks);

#endif
