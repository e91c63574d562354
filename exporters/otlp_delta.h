/*
 * Cumulative points as delta points, for receivers that want them (OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE): what was added since
 * the collection before. Owner: one exporter, on its thread.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_DELTA_H
#define GAPSCOPE_EXPORTERS_OTLP_DELTA_H

#include <stdbool.h>

#include "report/telemetry.h"

struct otlp_delta;

struct otlp_delta *otlp_delta_new(void);
void otlp_delta_free(struct otlp_delta *d);
/* Fill *ret from m, with points that are d's until the next call; points to which nothing was added are left out. Gauges and up-down
 * counters are passed on as they are. 0 or -ENOMEM; then m is to be counted as dropped, and its next delta covers both. */
int otlp_delta_metric(struct otlp_delta *d, const struct metric *m, struct metric *ret);

#endif
