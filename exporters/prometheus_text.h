/*
 * Metrics as Prometheus reads them: text 0.0.4 and OpenMetrics 1.0 (OpenTelemetry: Prometheus and OpenMetrics compatibility). Names get
 * their unit and _total, attributes become labels. Pure functions, any thread.
 */
#ifndef GAPSCOPE_EXPORTERS_PROMETHEUS_TEXT_H
#define GAPSCOPE_EXPORTERS_PROMETHEUS_TEXT_H

#include "exporters/otlp_encode.h"

/* The page of n encoded metrics (otlp_encode_metric). 0 or -ENOMEM. */
int prometheus_text(const struct resource *r, const struct bytes *metrics, size_t n, bool openmetrics, struct bytes *ret);
/* Does an Accept header (NULL = none) prefer OpenMetrics to plain text? */
bool prometheus_wants_openmetrics(const char *accept);

#endif
