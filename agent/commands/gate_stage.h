/*
 * A gate's stage: the sessions that watch the service, and the stable version beside it, in processes of their own
 * (session_process.h), from their start until the stage is over. Main thread.
 */
#ifndef GAPSCOPE_COMMANDS_GATE_STAGE_H
#define GAPSCOPE_COMMANDS_GATE_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "gate/policy.h"

struct gate_stage_options {
	const char *config, *stable;      /* or NULL */
	const char *prove;                /* what the service's session is to prove (prove/plan.h), or NULL */
	uint32_t duration_ms;             /* 0: until the program ends, or everything is proven */
	uint32_t requests;                /* the stage is over after so many; 0 = regardless */
	const struct gate_policy *policy; /* by which progress is told */
	const json_t *baseline;           /* the same; or NULL */
	bool quiet, alloc;                /* alloc: allocations are sampled */
};

struct gate_stage_result {
	json_t *report, *baseline;  /* the caller's; baseline is NULL without a stable version */
	char ended[160];            /* why the service ended before its time, or "" */
	char unwatched[160];        /* why its session did, so that nobody saw the rest of the stage; or "" */
	char stable_unwatched[160]; /* the same of the stable version's */
};

/* The words of `attach` that name a target: PID, name:COMM, port:N, cgroup:PATH, unit:UNIT or label:KEY. `flag` is room for one of them. Returns how
 * many, 0 if it is none. */
size_t gate_target_words(char *target, char *flag, size_t flag_size, char *words[2]);
/* "2026-11-21", which exceptions end with. */
const char *gate_today(char buf[16]);
/* Watch `target`, or start `command`. 0, or -errno with a line in err ("" if a session told it). */
int gate_stage_run(const struct gate_stage_options *o, char *target, char **command, struct gate_stage_result *ret, char *err,
		   size_t err_size);

#endif
