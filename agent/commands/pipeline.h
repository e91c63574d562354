/*
 * The way from events to a report, the same for `run` (events from ingest) and `replay` (events from a recording).
 *
 * Owned by the command; main thread.
 */
#ifndef GAPSCOPE_COMMANDS_PIPELINE_H
#define GAPSCOPE_COMMANDS_PIPELINE_H

#include <stdio.h>

#include "commands/outputs.h"
#include "commands/settings.h"
#include "core/counters.h"
#include "core/event.h"
#include "core/stacks.h"
#include "ingest/ingest.h"
#include "ingest/recording.h"
#include "report/session.h"

struct pipeline {
	struct stacks *stacks;
	struct counters counters;
	struct session *session;
	struct outputs outputs;
	struct recording_writer *writer; /* NULL: no recording */
	const char *profile;             /* where the memory profile goes, or NULL */
	int record_error;                /* first error of the recording, 0 = none */
	uint64_t events;
	uint64_t images; /* program images that announced themselves */
};

/* Stacks and counters; the session follows. 0 or -ENOMEM. */
int pipeline_init(struct pipeline *p);
/* Events of what runs now, as `s` says: the shared memory, once the report's place is found to be one, and the session's seed. 0, or -errno with
 * one line in err. */
int pipeline_ingest(struct pipeline *p, const struct settings *s, uint64_t *ret_seed, struct ingest **ret, char *err,
		    size_t err_size);
/* The recording that `s` asks for, if it does. 0, or -errno with one line in err. */
int pipeline_record(struct pipeline *p, const struct settings *s, const char *service, uint64_t start_ns, uint64_t seed, char *err,
		    size_t err_size);
/* The session, with what `s` says of detectors and the exporters that are open. 0 or -ENOMEM. */
int pipeline_open(struct pipeline *p, struct settings *s, const char *service, uint64_t seed);
/* One event, in order; ctx is the pipeline. It is recorded, then modelled. */
void pipeline_event(void *ctx, const struct event *e);
/* Metrics to all exporters, at the end; and, while the session lasts, to each as often as it wants them. */
void pipeline_metrics(struct pipeline *p, uint64_t now_ns);
void pipeline_metrics_tick(struct pipeline *p, uint64_t now_ns);
/*
 * The report now: as JSON to `path` if there is one, else as `format` ("text", "json") to `out` (NULL: nowhere). 0, or -errno after a
 * complaint.
 */
int pipeline_report(struct pipeline *p, const char *path, const char *format, FILE *out);
/* The session is over at end_ns: write the totals and close the recording `path`, if there is one; complains if it is not complete. */
void pipeline_end_recording(struct pipeline *p, const char *path, uint64_t end_ns);
void pipeline_done(struct pipeline *p);

#endif
