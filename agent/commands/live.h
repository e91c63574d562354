/*
 * A live session: the loop between the watched program's rings and the pipeline, from its start to its end.
 *
 * One libuv loop on the main thread: a timer that drains the rings, the signals, and a timer for metrics.
 */
#ifndef GAPSCOPE_COMMANDS_LIVE_H
#define GAPSCOPE_COMMANDS_LIVE_H

#include "commands/child.h"
#include "commands/pipeline.h"
#include "commands/proving.h"
#include "commands/tcp_watch.h"
#include "ingest/ingest.h"

struct live {
	struct pipeline *pipeline;
	struct ingest *ingest;
	struct child *child;
	int handover;                   /* listening socket of handover.h, or -1 */
	const char *report;             /* file, or NULL */
	unsigned int report_every_ms;   /* how often it is written while the session lasts; 0 = at its end only */
	struct proving *proving;        /* proof mode, or NULL */
	struct tcp_watch *tcp;          /* NULL: none */
	struct live_attached *attached; /* NULL: the service is our child */
};

/* A service that is not our child: it is left alone at the end, which comes by a signal, after some time, or with the service's own. */
struct live_attached {
	unsigned int duration_ms; /* 0 = no limit */
	void (*look)(void *ctx);  /* four times a second: new processes of it */
	void (*leave)(void *ctx); /* before the last records are read */
	void *ctx;
};

/* Run until the child has exited, or an attached service is to be left, and everything that it published is in the session. 0, or -errno of the loop. */
int live_run(struct live *l);

#endif
