/*
 * An exporter: takes spans, metrics and findings out of the agent. One file, one entry, one row in exporters.c.
 *
 * Called on the agent's main thread; must not block it: work that waits (network) is done on the exporter's own thread behind a bounded
 * queue, and what does not fit is dropped and counted. Exact accounting: produced = acknowledged + rejected + dropped + queued.
 */
#ifndef GAPSCOPE_EXPORTERS_EXPORTER_H
#define GAPSCOPE_EXPORTERS_EXPORTER_H

#include "report/telemetry.h"

enum export_signal { EXPORT_SPANS, EXPORT_METRICS, EXPORT_LOGS, EXPORT_SIGNALS };

struct export_counts {
	uint64_t produced, acknowledged, rejected, dropped, queued; /* items: spans, data points, log records */
	uint64_t inherited;                                         /* of produced: found in a durable queue when it was opened */
	uint64_t unsampled;                                         /* beside produced: spans that the sampler left out */
	uint64_t undecided; /* of unsampled: a finding may yet name them, which makes them produced */
	uint64_t kept;      /* of queued: in a durable queue, so they outlive the exporter and the agent */
};

struct resource {
	const struct attr *attrs;
	size_t attrs_n;
};

/* Functions may be NULL, but for open and close. */
struct exporter {
	const char *name; /* `--export NAME[:TARGET]` */
	const char *doc;
	bool serves_others;            /* it is to be open before the others are */
	unsigned int metrics_every_ms; /* how often it wants metrics; 0 = as OTEL_METRIC_EXPORT_INTERVAL says */
	/* Open towards target (may be NULL: its default or environment). 0 or -errno, with one line in err (what is wrong, what to do). On
	 * success err is "" or a warning: a setting that was ignored. */
	int (*open)(const char *target, const struct resource *r, void **ret, char *err, size_t err_size);
	void (*span)(void *x, const struct span *s);
	/* The agent has handed on all that it read: what was kept back to be written together goes out now. */
	void (*turn)(void *x);
	/* A finding names this span, which has ended or will: send it even if it is not sampled. */
	void (*keep)(void *x, const uint8_t *span_id);
	/* No finding will name a span any more: what was left out is left out for good. Before the last metrics. */
	void (*settle)(void *x);
	void (*metrics)(void *x, const struct metric *m, size_t n, uint64_t now_ns);
	void (*finding)(void *x, const json_t *finding, const uint8_t *trace_id, const uint8_t *span_id, uint64_t time_ns);
	/* Send what is queued, at most until timeout_ms from now. */
	void (*flush)(void *x, unsigned int timeout_ms);
	void (*counts)(void *x, struct export_counts out[EXPORT_SIGNALS]);
	/* Why something was not delivered, in one line; "" if all was. May be NULL. */
	void (*last_error)(void *x, char *buf, size_t size);
	/* Flush, at most until timeout_ms from now, drop what is left, and free x. */
	void (*close)(void *x, unsigned int timeout_ms);
};

extern const struct exporter *const exporter_table[]; /* ends with NULL */
/* By name; NULL if unknown. */
const struct exporter *exporter_find(const char *name);
/* Durable queues of the exporters opened from now on: one file a destination and signal in a folder (NULL = in memory only), each for at
 * most size_max bytes. The text must outlive them. */
void exporter_queue_in(const char *folder, uint64_t size_max);
/* How often metrics are wanted: OTEL_METRIC_EXPORT_INTERVAL, by default 60,000 ms. */
unsigned int exporter_metric_interval_ms(void);
/* Are durations wanted as exponential histograms (OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION)? */
bool exporter_wants_exponential(void);

#endif
