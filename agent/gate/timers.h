/*
 * Event loops beside the baseline's: do their timers still bound what a dependency may take?
 */
#ifndef GAPSCOPE_GATE_TIMERS_H
#define GAPSCOPE_GATE_TIMERS_H

#include "gate/verdict.h"

/*
 * Checks for each dependency whose questions brought the baseline's loop a timer of one length (the report's section "hints"): inconclusive where
 * the loop now means to sleep past that while an answer is outstanding. No more than that, because a proof can decide it.
 */
void compare_timers(const struct gate_input *in, json_t *checks);

#endif
