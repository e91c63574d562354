/*
 * What exporters are given: spans, metrics and findings, already sanitised (no query values, no captured bytes).
 */
#ifndef GAPSCOPE_REPORT_TELEMETRY_H
#define GAPSCOPE_REPORT_TELEMETRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/exponential.h"

enum attr_type { ATTR_STRING, ATTR_INT, ATTR_DOUBLE, ATTR_BOOL };

struct attr {
	const char *key; /* semantic-convention name */
	enum attr_type type;
	union {
		const char *s;
		int64_t i;
		double d;
		bool b;
	};
};

#define SPAN_ATTRS_MAX 24U
enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3, SPAN_PRODUCER = 4, SPAN_CONSUMER = 5 }; /* OTLP's numbers */
enum span_status { SPAN_UNSET = 0, SPAN_OK = 1, SPAN_ERROR = 2 };

struct span {
	uint8_t trace_id[16], span_id[8], parent_id[8]; /* parent zero = root */
	bool linked;                                    /* to the span of the attempt that this one repeats */
	uint8_t link_trace_id[16], link_span_id[8];
	bool parent_remote;  /* the parent came over the wire (span flags 0x100 | 0x200) */
	uint8_t trace_flags; /* W3C trace-flags: 1 = sampled */
	enum span_kind kind;
	const char *name;
	uint64_t start_ns, end_ns;
	enum span_status status;
	const char *status_text; /* or NULL */
	struct attr attrs[SPAN_ATTRS_MAX];
	size_t attrs_n;
};

enum metric_kind { METRIC_SUM /* monotonic, cumulative */, METRIC_UPDOWN, METRIC_GAUGE, METRIC_HISTOGRAM };

/* A measurement that a point counts, and the span that it was made in. */
struct exemplar {
	uint8_t trace_id[16], span_id[8];
	uint64_t time_ns;
	double value;
};

#define POINT_ATTRS_MAX 10U
#define HISTOGRAM_BUCKETS_MAX 20U
struct metric_point {
	struct attr attrs[POINT_ATTRS_MAX];
	size_t attrs_n;
	uint64_t start_ns, time_ns;
	double value;   /* sums and gauges */
	uint64_t count; /* histograms */
	double sum, min, max;
	uint64_t buckets[HISTOGRAM_BUCKETS_MAX]; /* one more than bounds */
	struct exponential *exponential;         /* histograms: the same measurements; NULL where they are not wanted so */
	bool no_extremes;                        /* histograms: min and max are not known */
	bool has_exemplar;                       /* histograms: the latest sampled measurement */
	struct exemplar exemplar;
};

struct metric {
	const char *name, *unit, *doc;
	enum metric_kind kind;
	bool delta; /* points say what was added since start_ns; else since the session began */
	const double *bounds;
	size_t bounds_n;
	const struct metric_point *points;
	size_t points_n;
};

/* Where a session sends what happens as it happens. Members may be NULL. Nothing given is kept after the call. */
struct telemetry_sink {
	void (*span)(void *ctx, const struct span *s);
	/* A finding, when new and when its severity or confidence rises; the report's JSON object of it. trace_id/span_id or NULL. */
	void (*finding)(void *ctx, const json_t *finding, const uint8_t *trace_id, const uint8_t *span_id, uint64_t time_ns);
	/* A finding names this span, which has ended or will: it is wanted even where a sampler leaves it out. */
	void (*keep)(void *ctx, const uint8_t *span_id);
	void *ctx;
};

#endif
