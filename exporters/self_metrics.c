/*
 * What exporters have done, as metrics: what was exported and what was not (by error.type), what is queued.
 */
#include "exporters/self_metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define OUTCOMES 3U /* taken, rejected, dropped */

static const struct {
	const char *exported, *queued, *unit;
} names[EXPORT_SIGNALS] = {
	[EXPORT_SPANS] = {"otel.sdk.exporter.span.exported", "otel.sdk.processor.span.queue.size", "{span}"},
	[EXPORT_METRICS] = {"otel.sdk.exporter.metric_data_point.exported", "otel.sdk.exporter.metric_data_point.inflight",
			    "{data_point}"},
	[EXPORT_LOGS] = {"otel.sdk.exporter.log.exported", "otel.sdk.processor.log.queue.size", "{log_record}"},
};

#define SAMPLING_RESULT "otel.span.sampling_result"
#define STARTED_POINTS 2U /* what the sampler kept, and what it left out */

static void point_of(struct metric *m, struct metric_point *p, const struct self_exporter *x, const char *name, const char *error,
		     const char *key, uint64_t value)
{
	if (error != NULL && value == 0)
		return; /* what never happened has no series */
	p[m->points_n] = (struct metric_point){.value = (double)value, .attrs_n = 2};
	struct attr *a = p[m->points_n].attrs;
	a[0] = (struct attr){.key = "otel.component.name", .type = ATTR_STRING, .s = name};
	a[1] = (struct attr){.key = "otel.component.type", .type = ATTR_STRING, .s = x->name};
	if (error != NULL) {
		a[2] = (struct attr){.key = key, .type = ATTR_STRING, .s = error};
		p[m->points_n].attrs_n = 3;
	}
	m->points_n++;
}

static void point(struct metric *m, struct metric_point *p, const struct self_exporter *x, const char *name, const char *error,
		  uint64_t value)
{
	point_of(m, p, x, name, error, "error.type", value);
}

int self_metrics_make(const struct self_exporter *list, size_t n, uint64_t start_ns, uint64_t now_ns, struct self_metrics *ret)
{
	size_t room = n * OUTCOMES + n, at = 0;
	*ret = (struct self_metrics){0};
	ret->metrics = calloc(2 * EXPORT_SIGNALS + 1, sizeof *ret->metrics);
	ret->points = calloc(EXPORT_SIGNALS * room + n * STARTED_POINTS + 1, sizeof *ret->points);
	ret->names = calloc(n + 1, sizeof *ret->names);
	if (ret->metrics == NULL || ret->points == NULL || ret->names == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		snprintf(ret->names[i], sizeof ret->names[i], "%s/%zu", list[i].name, i);
	for (size_t s = 0; s < EXPORT_SIGNALS && n > 0; s++) {
		struct metric *done = &ret->metrics[ret->n++], *waiting = &ret->metrics[ret->n++];
		*done = (struct metric){.name = names[s].exported,
					.unit = names[s].unit,
					.doc = "What was exported; with error.type, what was not.",
					.kind = METRIC_SUM};
		*waiting = (struct metric){
			.name = names[s].queued, .unit = names[s].unit, .doc = "What waits to be exported.", .kind = METRIC_UPDOWN};
		struct metric_point *p = &ret->points[at], *q = p + n * OUTCOMES;
		for (size_t i = 0; i < n; i++) {
			const struct export_counts *c = &list[i].counts[s];
			point(done, p, &list[i], ret->names[i], NULL, c->acknowledged);
			point(done, p, &list[i], ret->names[i], "rejected", c->rejected);
			point(done, p, &list[i], ret->names[i], "dropped", c->dropped);
			point(waiting, q, &list[i], ret->names[i], NULL, c->queued);
		}
		done->points = p;
		waiting->points = q;
		at += room;
	}
	if (n > 0) {
		struct metric *started = &ret->metrics[ret->n++];
		*started = (struct metric){.name = "otel.sdk.span.started",
					   .unit = "{span}",
					   .doc = "Spans that were made, and what the sampler said of them.",
					   .kind = METRIC_SUM,
					   .points = &ret->points[at]};
		for (size_t i = 0; i < n; i++) {
			const struct export_counts *c = &list[i].counts[EXPORT_SPANS];
			point_of(started, &ret->points[at], &list[i], ret->names[i], "RECORD_AND_SAMPLE", SAMPLING_RESULT,
				 c->produced - c->inherited);
			point_of(started, &ret->points[at], &list[i], ret->names[i], "DROP", SAMPLING_RESULT,
				 c->unsampled - c->undecided);
		}
		at += n * STARTED_POINTS;
	}
	for (size_t i = 0; i < at; i++) {
		ret->points[i].start_ns = start_ns;
		ret->points[i].time_ns = now_ns;
	}
	return 0;
}

void self_metrics_done(struct self_metrics *s)
{
	free(s->metrics);
	free(s->points);
	free(s->names);
}
