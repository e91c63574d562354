/*
 * Calls that were under way when the shim came: their threads waited already, and no hook sees them return. They are told as INFLIGHT for as
 * long as their threads stay in them. Owner: cmd_attach.c; main thread.
 */
#ifndef GAPSCOPE_COMMANDS_BEGUN_H
#define GAPSCOPE_COMMANDS_BEGUN_H

#include "ingest/ingest.h"
#include "probes/under_way.h"

#define BEGUN_MAX 256U /* threads; others are seen from their next call on */

struct begun {
	struct {
		struct probe_slot call;
		uint64_t sp;
	} all[BEGUN_MAX];
	size_t n;
	uint64_t next_ns; /* CLOCK_MONOTONIC: when they are told again */
};

/* The process is about to be entered: which leaves its calls interrupted, and by another name. */
void begun_note(struct begun *b, pid_t pid);
/* Tell those that go on, at most once a second; forget the others. */
void begun_tell(struct begun *b, struct ingest *in);

#endif
