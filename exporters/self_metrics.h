/*
 * What exporters have done, as metrics (OpenTelemetry semantic conventions, otel.sdk.*, in development). Pure function, any thread.
 */
#ifndef GAPSCOPE_EXPORTERS_SELF_METRICS_H
#define GAPSCOPE_EXPORTERS_SELF_METRICS_H

#include "exporters/exporter.h"

struct self_exporter {
	const char *name; /* of its row: otel.component.type; name and number are otel.component.name */
	struct export_counts counts[EXPORT_SIGNALS];
};

struct self_metrics {
	struct metric *metrics;
	size_t n;
	struct metric_point *points;
	char (*names)[32];
};

/* 0 or -ENOMEM; self_metrics_done in either case. Each exporter's own counts, as they stood before this collection. */
int self_metrics_make(const struct self_exporter *list, size_t n, uint64_t start_ns, uint64_t now_ns, struct self_metrics *ret);
void self_metrics_done(struct self_metrics *s);

#endif
