/*
 * The session's metrics: durations of HTTP requests by OpenTelemetry's semantic conventions, and what gapscope says of itself.
 *
 * Owner: the session, on its thread. Counts are exact: past LIMIT_SERIES a request is counted under otel.metric.overflow, never lost.
 */
#ifndef GAPSCOPE_REPORT_METRICS_H
#define GAPSCOPE_REPORT_METRICS_H

#include "model/model.h"
#include "report/findings.h"
#include "report/telemetry.h"

struct metrics;

struct metrics *metrics_new(struct counters *counters, struct findings *findings);
void metrics_free(struct metrics *m);
/* Durations are kept as exponential histograms, too; before anything is recorded. */
void metrics_exponential(struct metrics *m);
/* Count an event, by its family. */
void metrics_event(struct metrics *m, const struct event *e);
/* Count an ended request and its duration. */
void metrics_request(struct metrics *m, const struct request *r);
/* A connect ended; a connection did; bytes moved. */
void metrics_connect(struct metrics *m, const struct conn *c);
void metrics_connection_end(struct metrics *m, const struct conn *c);
void metrics_bytes(struct metrics *m, const struct conn *c, enum direction d, uint64_t bytes);
/* Memory: asked for, exactly; and by estimate what is held, more or less than before. */
void metrics_heap_asked(struct metrics *m, uint64_t bytes);
void metrics_heap_held(struct metrics *m, double bytes);
/* The kernel says of a connection how many segments were sent again so far. */
void metrics_retransmits(struct metrics *m, const struct conn *c, uint64_t total);
/* What the kernel says of TCP and of processes (SAMPLE_TCP, SAMPLE_LIFE); other events are none of it. */
void metrics_kernel(struct metrics *m, const struct event *e);
/* The sampled span of the next request, for exemplars; NULL = none. It must last until that. */
void metrics_in_span(struct metrics *m, const struct exemplar *x);
/* All metrics as they stand; the result is valid until the next call. NULL when memory is out. */
const struct metric *metrics_snapshot(struct metrics *m, uint64_t start_ns, uint64_t now_ns, size_t *ret_n);

#endif
