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
		unsigned int runs; /* looks in a row that met its thread running */
	} all[BEGUN_MAX];
	size_t n;
	uint64_t next_ns; /* CLOCK_MONOTONIC: when they are told again */
};

/* Note the calls of the process that no hook has seen begin. To be called before it is entered, which interrupts them, and once it was:
 * what was begun in between was seen by nobody either. */
void begun_note(struct begun *b, const struct ingest *in, pid_t pid);
/* Tell those that go on, at most once a second; forget those that are over, or that a hook tells of. */
void begun_tell(struct begun *b, struct ingest *in);

#endif
