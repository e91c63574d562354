/* A metric as OTLP: each kind, and whole numbers as integers. */
#include "test.h"

#include <stdlib.h>

#include <otlp.pb-c.h>

#include "exporters/otlp_encode.h"

static Otlp__Metric *round_trip(const struct metric *m)
{
	struct bytes out;
	assert_int_equal(otlp_encode_metric(m, &out), 0);
	Otlp__Metric *back = otlp__metric__unpack(NULL, out.len, out.data);
	assert_non_null(back);
	free(out.data);
	return back;
}

static void sums_and_gauges(void **state)
{
	(void)state;
	const struct metric_point points[] = {
		{.attrs = {{.key = "k", .type = ATTR_STRING, .s = "v"}}, .attrs_n = 1, .start_ns = 5, .time_ns = 6, .value = 7},
		{.start_ns = 5, .time_ns = 6, .value = 0.5},
	};
	struct metric m = {.name = "n", .unit = "By", .doc = "d", .kind = METRIC_SUM, .points = points, .points_n = 2};
	Otlp__Metric *back = round_trip(&m);
	assert_string_equal(back->name, "n");
	assert_string_equal(back->unit, "By");
	assert_string_equal(back->description, "d");
	assert_int_equal(back->data_case, OTLP__METRIC__DATA_SUM);
	assert_true(back->sum->is_monotonic);
	assert_int_equal(back->sum->aggregation_temporality, 2);
	assert_int_equal(back->sum->n_data_points, 2);
	assert_int_equal(back->sum->data_points[0]->as_int, 7);
	assert_string_equal(back->sum->data_points[0]->attributes[0]->key, "k");
	assert_true(back->sum->data_points[0]->start_time_unix_nano == 5 && back->sum->data_points[0]->time_unix_nano == 6);
	assert_int_equal(back->sum->data_points[1]->value_case, OTLP__NUMBER_DATA_POINT__VALUE_AS_DOUBLE);
	assert_true(back->sum->data_points[1]->as_double == 0.5);
	otlp__metric__free_unpacked(back, NULL);

	m.kind = METRIC_UPDOWN;
	back = round_trip(&m);
	assert_false(back->sum->is_monotonic);
	otlp__metric__free_unpacked(back, NULL);

	m.kind = METRIC_GAUGE;
	back = round_trip(&m);
	assert_int_equal(back->data_case, OTLP__METRIC__DATA_GAUGE);
	assert_true(back->gauge->data_points[0]->start_time_unix_nano == 0);
	otlp__metric__free_unpacked(back, NULL);
}

static void histograms(void **state)
{
	(void)state;
	static const double bounds[] = {0.5, 1};
	const struct metric_point points[] = {
		{.count = 3, .sum = 2.5, .min = 0.25, .max = 1.5, .buckets = {1, 1, 1}},
		{.count = 0},
	};
	const struct metric m = {
		.name = "h", .kind = METRIC_HISTOGRAM, .bounds = bounds, .bounds_n = 2, .points = points, .points_n = 2};
	Otlp__Metric *back = round_trip(&m);
	const Otlp__HistogramDataPoint *p = back->histogram->data_points[0];
	assert_int_equal(back->histogram->aggregation_temporality, 2);
	assert_int_equal(p->count, 3);
	assert_true(p->sum == 2.5 && p->min == 0.25 && p->max == 1.5);
	assert_int_equal(p->n_explicit_bounds, 2);
	assert_int_equal(p->n_bucket_counts, 3);
	assert_int_equal(p->bucket_counts[2], 1);
	p = back->histogram->data_points[1];
	assert_int_equal(p->has_min_case, OTLP__HISTOGRAM_DATA_POINT__HAS_MIN__NOT_SET); /* nothing was seen: no extremes */
	otlp__metric__free_unpacked(back, NULL);
}

static void exponentials(void **state)
{
	(void)state;
	static const double bounds[] = {0.5, 1};
	struct exponential e;
	exponential_init(&e);
	exponential_add(&e, 0);
	exponential_add(&e, 0.25);
	exponential_add(&e, 4);
	const struct metric_point points[] = {
		{.count = 3,
		 .sum = 4.25,
		 .min = 0,
		 .max = 4,
		 .buckets = {2, 0, 1},
		 .exponential = &e,
		 .has_exemplar = true,
		 .exemplar = {.time_ns = 9, .value = 4}},
	};
	struct metric m = {.name = "h",
			   .kind = METRIC_HISTOGRAM,
			   .bounds = bounds,
			   .bounds_n = 2,
			   .points = points,
			   .points_n = 1,
			   .delta = true};
	Otlp__Metric *back = round_trip(&m);
	assert_int_equal(back->data_case, OTLP__METRIC__DATA_EXPONENTIAL_HISTOGRAM);
	assert_int_equal(back->exponential_histogram->aggregation_temporality, 1);
	const Otlp__ExponentialHistogramDataPoint *p = back->exponential_histogram->data_points[0];
	assert_int_equal(p->count, 3);
	assert_int_equal(p->zero_count, 1);
	assert_int_equal(p->scale, e.scale);
	assert_int_equal(p->positive->offset, e.offset);
	assert_int_equal(p->positive->n_bucket_counts, e.n);
	assert_int_equal(p->positive->bucket_counts[0], 1);
	assert_int_equal(p->positive->bucket_counts[e.n - 1], 1);
	assert_true(p->sum == 4.25 && p->min == 0 && p->max == 4);
	assert_int_equal(p->n_exemplars, 1);
	otlp__metric__free_unpacked(back, NULL);

	const struct metric_point plain = {.count = 1, .sum = 1, .buckets = {0, 1, 0}};
	m.points = &plain; /* there was no memory for it: fixed buckets */
	back = round_trip(&m);
	assert_int_equal(back->data_case, OTLP__METRIC__DATA_HISTOGRAM);
	otlp__metric__free_unpacked(back, NULL);
}

TEST_MAIN(cmocka_unit_test(sums_and_gauges), cmocka_unit_test(histograms), cmocka_unit_test(exponentials))
