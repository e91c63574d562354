/*
 * The system call that a thread is in, as /proc and its memory say it: for calls that were begun before anybody watched. Any thread; keeps
 * nothing.
 */
#ifndef GAPSCOPE_PROBES_UNDER_WAY_H
#define GAPSCOPE_PROBES_UNDER_WAY_H

#include <stdbool.h>
#include <sys/types.h>

#include "bpf/probe.h"
#include "wire/shared.h"

#define UNDER_WAY_DATED 2 /* probe_slot.active of a call whose t0 is when it began; of others it is when the call was seen */

/* The call that it waits in; false if it runs, or its call never waits. *ret_sp: its stack pointer, by which two calls differ. */
bool under_way(pid_t pid, pid_t tid, struct probe_slot *ret, uint64_t *ret_sp);

enum under_way_state {
	UNDER_WAY_OVER,
	UNDER_WAY_RUNS,  /* its thread runs: it left the call, or was interrupted in it and is about to go on with it */
	UNDER_WAY_STILL, /* its thread is in that call still, or again after an interruption */
};

enum under_way_state under_way_still(const struct probe_slot *s, uint64_t sp);

struct under_way_record {
	struct wire_record record; /* INFLIGHT */
	struct wire_pollfd set[PROBE_POLL];
};

/* The record of a call that has not returned at `now_ns`; false if it never waits. */
bool under_way_record(const struct probe_slot *s, uint64_t now_ns, struct under_way_record *ret);

#endif
