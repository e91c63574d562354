/*
 * Proof mode of a session (`--prove`, for `run` and `attach`): ties the conductor (prove/prove.h) to the session's memory, its model and its
 * stream of events. Owner: the command; main thread.
 */
#ifndef GAPSCOPE_COMMANDS_PROVING_H
#define GAPSCOPE_COMMANDS_PROVING_H

#include <sys/types.h>

#include "commands/pipeline.h"
#include "ingest/ingest.h"

struct proving;

struct proving_of {
	pid_t pid;      /* of a service that runs; 0: we start it */
	bool by_kernel; /* the shim cannot enter it: the kernel leads its connections (probes/lead.h) */
};

/*
 * What `spec` says (prove/plan.h); NULL: *ret becomes NULL, and all functions here do nothing. The relay is started: before there are
 * threads, and before privileges are given up. 0, or -errno with a line in err.
 */
int proving_open(const char *spec, const struct proving_of *of, struct ingest *in, struct pipeline *p, struct proving **ret,
		 char *err, size_t err_size);
/* The session is there: look on. 0 or -ENOMEM. */
int proving_watch(struct proving *p);
void proving_tick(struct proving *p);
/* No fault is left behind this. `stopping`: the service was told to end. May be called again. */
void proving_end(struct proving *p, bool stopping);
void proving_close(struct proving *p);

#endif
