/*
 * A live session: the loop between the watched program's rings and the pipeline, from its start to its end.
 *
 * One libuv loop on the main thread: a timer that drains the rings, the signals, and a timer for metrics.
 */
#ifndef GAPSCOPE_COMMANDS_LIVE_H
#define GAPSCOPE_COMMANDS_LIVE_H

#include "commands/child.h"
#include "commands/pipeline.h"
#include "ingest/ingest.h"

struct live {
	struct pipeline *pipeline;
	struct ingest *ingest;
	struct child *child;
	int handover;       /* listening socket of handover.h, or -1 */
	const char *report; /* file, or NULL */
	unsigned int metrics_interval_ms;
};

/* Run until the child has exited and everything that it published is in the session. 0, or -errno of the loop. */
int live_run(struct live *l);

#endif
