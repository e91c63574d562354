/*
 * A metric with its points as OTLP (opentelemetry.proto.metrics.v1.Metric), cumulative or delta. Pure function, any thread.
 */
#include <errno.h>
#include <stdlib.h>

#include "exporters/otlp_encode_private.h"

#define EXACT_INT_MAX 9007199254740992.0 /* 2^53: whole numbers up to it are exact as double */

/* Points of one metric: messages, their pointers and attribute trees. */
struct points {
	size_t n;
	struct attr_tree *attrs;
	Otlp__NumberDataPoint *numbers, **number_list;
	Otlp__HistogramDataPoint *histograms, **histogram_list;
	Otlp__ExponentialHistogramDataPoint *exponentials, **exponential_list;
	Otlp__ExponentialHistogramDataPoint__Buckets *buckets; /* one an exponential point */
	Otlp__Exemplar *exemplars, **exemplar_list;            /* one a histogram point */
};

static void points_done(struct points *p)
{
	for (size_t i = 0; p->attrs != NULL && i < p->n; i++)
		attr_tree_done(&p->attrs[i]);
	free(p->attrs);
	free(p->numbers);
	free(p->number_list);
	free(p->histograms);
	free(p->histogram_list);
	free(p->exponentials);
	free(p->exponential_list);
	free(p->buckets);
	free(p->exemplars);
	free(p->exemplar_list);
}

static int points_make(const struct metric *m, bool exponential, struct points *p)
{
	size_t n = m->points_n;
	*p = (struct points){.n = n, .attrs = calloc(n + 1, sizeof *p->attrs)};
	if (exponential) {
		p->exponentials = calloc(n + 1, sizeof *p->exponentials);
		p->exponential_list = calloc(n + 1, sizeof *p->exponential_list);
		p->buckets = calloc(n + 1, sizeof *p->buckets);
		p->exemplars = calloc(n + 1, sizeof *p->exemplars);
		p->exemplar_list = calloc(n + 1, sizeof *p->exemplar_list);
		if (p->exponentials == NULL || p->exponential_list == NULL || p->buckets == NULL || p->exemplars == NULL ||
		    p->exemplar_list == NULL)
			return -ENOMEM;
	} else if (m->kind == METRIC_HISTOGRAM) {
		p->histograms = calloc(n + 1, sizeof *p->histograms);
		p->histogram_list = calloc(n + 1, sizeof *p->histogram_list);
		p->exemplars = calloc(n + 1, sizeof *p->exemplars);
		p->exemplar_list = calloc(n + 1, sizeof *p->exemplar_list);
		if (p->exemplars == NULL || p->exemplar_list == NULL)
			return -ENOMEM;
	} else {
		p->numbers = calloc(n + 1, sizeof *p->numbers);
		p->number_list = calloc(n + 1, sizeof *p->number_list);
	}
	const bool numbers = m->kind != METRIC_HISTOGRAM;
	if (p->attrs == NULL || (numbers && (p->numbers == NULL || p->number_list == NULL)) ||
	    (!numbers && !exponential && (p->histograms == NULL || p->histogram_list == NULL)))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int rc = attr_tree_make(m->points[i].attrs, m->points[i].attrs_n, &p->attrs[i]);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static void fill_numbers(const struct metric *m, struct points *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct metric_point *from = &m->points[i];
		Otlp__NumberDataPoint *to = &p->numbers[i];
		otlp__number_data_point__init(to);
		to->start_time_unix_nano = m->kind == METRIC_GAUGE ? 0 : from->start_ns;
		to->time_unix_nano = from->time_ns;
		to->n_attributes = p->attrs[i].n;
		to->attributes = p->attrs[i].list;
		bool whole = from->value >= -EXACT_INT_MAX && from->value <= EXACT_INT_MAX &&
			     from->value == (double)(int64_t)from->value;
		if (whole) {
			to->value_case = OTLP__NUMBER_DATA_POINT__VALUE_AS_INT;
			to->as_int = (int64_t)from->value;
		} else {
			to->value_case = OTLP__NUMBER_DATA_POINT__VALUE_AS_DOUBLE;
			to->as_double = from->value;
		}
		p->number_list[i] = to;
	}
}

static void fill_exemplar(const struct metric_point *from, struct points *p, size_t i)
{
	Otlp__Exemplar *to = &p->exemplars[i];
	otlp__exemplar__init(to);
	to->time_unix_nano = from->exemplar.time_ns;
	to->value_case = OTLP__EXEMPLAR__VALUE_AS_DOUBLE;
	to->as_double = from->exemplar.value;
	to->trace_id = (ProtobufCBinaryData){.len = 16, .data = (uint8_t *)from->exemplar.trace_id};
	to->span_id = (ProtobufCBinaryData){.len = 8, .data = (uint8_t *)from->exemplar.span_id};
	p->exemplar_list[i] = to;
}

static void fill_histograms(const struct metric *m, struct points *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct metric_point *from = &m->points[i];
		Otlp__HistogramDataPoint *to = &p->histograms[i];
		otlp__histogram_data_point__init(to);
		to->start_time_unix_nano = from->start_ns;
		to->time_unix_nano = from->time_ns;
		to->n_attributes = p->attrs[i].n;
		to->attributes = p->attrs[i].list;
		to->count = from->count;
		to->has_sum_case = OTLP__HISTOGRAM_DATA_POINT__HAS_SUM_SUM;
		to->sum = from->sum;
		to->n_bucket_counts = m->bounds_n + 1;
		to->bucket_counts = (uint64_t *)from->buckets;
		to->n_explicit_bounds = m->bounds_n;
		to->explicit_bounds = (double *)m->bounds;
		if (from->count > 0 && !from->no_extremes) {
			to->has_min_case = OTLP__HISTOGRAM_DATA_POINT__HAS_MIN_MIN;
			to->min = from->min;
			to->has_max_case = OTLP__HISTOGRAM_DATA_POINT__HAS_MAX_MAX;
			to->max = from->max;
		}
		if (from->has_exemplar) {
			fill_exemplar(from, p, i);
			to->n_exemplars = 1;
			to->exemplars = &p->exemplar_list[i];
		}
		p->histogram_list[i] = to;
	}
}

static void fill_exponentials(const struct metric *m, struct points *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct metric_point *from = &m->points[i];
		Otlp__ExponentialHistogramDataPoint *to = &p->exponentials[i];
		Otlp__ExponentialHistogramDataPoint__Buckets *buckets = &p->buckets[i];
		otlp__exponential_histogram_data_point__init(to);
		otlp__exponential_histogram_data_point__buckets__init(buckets);
		to->start_time_unix_nano = from->start_ns;
		to->time_unix_nano = from->time_ns;
		to->n_attributes = p->attrs[i].n;
		to->attributes = p->attrs[i].list;
		to->count = from->count;
		to->has_sum_case = OTLP__EXPONENTIAL_HISTOGRAM_DATA_POINT__HAS_SUM_SUM;
		to->sum = from->sum;
		to->scale = from->exponential->scale;
		to->zero_count = from->exponential->zero;
		buckets->offset = from->exponential->offset;
		buckets->n_bucket_counts = from->exponential->n;
		buckets->bucket_counts = from->exponential->bucket;
		to->positive = buckets;
		if (from->count > 0 && !from->no_extremes) {
			to->has_min_case = OTLP__EXPONENTIAL_HISTOGRAM_DATA_POINT__HAS_MIN_MIN;
			to->min = from->min;
			to->has_max_case = OTLP__EXPONENTIAL_HISTOGRAM_DATA_POINT__HAS_MAX_MAX;
			to->max = from->max;
		}
		if (from->has_exemplar) {
			fill_exemplar(from, p, i);
			to->n_exemplars = 1;
			to->exemplars = &p->exemplar_list[i];
		}
		p->exponential_list[i] = to;
	}
}

/* If they are wanted; where memory was out for a point's, all have their fixed buckets told. */
static bool has_exponentials(const struct metric *m)
{
	if (m->kind != METRIC_HISTOGRAM || m->points_n == 0)
		return false;
	for (size_t i = 0; i < m->points_n; i++)
		if (m->points[i].exponential == NULL)
			return false;
	return true;
}

int otlp_encode_metric(const struct metric *m, struct bytes *ret)
{
	struct points p;
	const bool as_exponential = has_exponentials(m);
	Otlp__ExponentialHistogram exponential = OTLP__EXPONENTIAL_HISTOGRAM__INIT;
	Otlp__Metric metric = OTLP__METRIC__INIT;
	Otlp__Sum sum = OTLP__SUM__INIT;
	Otlp__Gauge gauge = OTLP__GAUGE__INIT;
	Otlp__Histogram histogram = OTLP__HISTOGRAM__INIT;
	metric.name = (char *)m->name;
	metric.unit = (char *)(m->unit != NULL ? m->unit : "");
	metric.description = (char *)(m->doc != NULL ? m->doc : "");
	Otlp__AggregationTemporality temporality = m->delta ? OTLP__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_DELTA
							    : OTLP__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_CUMULATIVE;
	int rc = points_make(m, as_exponential, &p);
	if (rc != 0)
		goto out;
	switch (m->kind) {
	case METRIC_SUM:
	case METRIC_UPDOWN:
		fill_numbers(m, &p);
		sum.aggregation_temporality = temporality;
		sum.is_monotonic = m->kind == METRIC_SUM;
		sum.n_data_points = p.n;
		sum.data_points = p.number_list;
		metric.data_case = OTLP__METRIC__DATA_SUM;
		metric.sum = &sum;
		break;
	case METRIC_GAUGE:
		fill_numbers(m, &p);
		gauge.n_data_points = p.n;
		gauge.data_points = p.number_list;
		metric.data_case = OTLP__METRIC__DATA_GAUGE;
		metric.gauge = &gauge;
		break;
	case METRIC_HISTOGRAM:
		if (as_exponential) {
			fill_exponentials(m, &p);
			exponential.aggregation_temporality = temporality;
			exponential.n_data_points = p.n;
			exponential.data_points = p.exponential_list;
			metric.data_case = OTLP__METRIC__DATA_EXPONENTIAL_HISTOGRAM;
			metric.exponential_histogram = &exponential;
			break;
		}
		fill_histograms(m, &p);
		histogram.aggregation_temporality = temporality;
		histogram.n_data_points = p.n;
		histogram.data_points = p.histogram_list;
		metric.data_case = OTLP__METRIC__DATA_HISTOGRAM;
		metric.histogram = &histogram;
		break;
	}
	rc = message_pack(&metric.base, ret);
out:
	points_done(&p);
	return rc;
}
