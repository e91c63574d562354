/* Deltas add up to the cumulative value, each starts where the one before ended, and gauges stay as they are. */
#include "test.h"

#include "exporters/otlp_delta.h"

static void sums(void **state)
{
	(void)state;
	struct otlp_delta *d = otlp_delta_new();
	struct metric_point p[2] = {
		{.value = 3, .start_ns = 10, .time_ns = 20, .attrs = {{.key = "a", .type = ATTR_INT, .i = 1}}, .attrs_n = 1},
		{.value = 0, .start_ns = 10, .time_ns = 20}};
	struct metric m = {.name = "m", .kind = METRIC_SUM, .points = p, .points_n = 2}, out;
	assert_int_equal(otlp_delta_metric(d, &m, &out), 0);
	assert_true(out.delta);
	assert_int_equal(out.points_n, 1); /* a zero is not told */
	assert_true(out.points[0].value == 3);
	assert_int_equal(out.points[0].start_ns, 10);
	p[0].value = 5;
	p[1].value = 7;
	p[0].time_ns = p[1].time_ns = 30;
	assert_int_equal(otlp_delta_metric(d, &m, &out), 0);
	assert_int_equal(out.points_n, 2);
	assert_true(out.points[0].value == 2 && out.points[1].value == 7);
	assert_int_equal(out.points[0].start_ns, 20);
	assert_int_equal(out.points[1].start_ns, 10); /* never told before */
	p[0].time_ns = p[1].time_ns = 40;
	assert_int_equal(otlp_delta_metric(d, &m, &out), 0);
	assert_int_equal(out.points_n, 0);
	p[0].value = 1; /* it began anew */
	p[0].start_ns = 35;
	assert_int_equal(otlp_delta_metric(d, &m, &out), 0);
	assert_int_equal(out.points_n, 1);
	assert_true(out.points[0].value == 1);
	assert_int_equal(out.points[0].start_ns, 35);
	otlp_delta_free(d);
}

static void histograms(void **state)
{
	(void)state;
	static const double bounds[] = {1, 2};
	struct otlp_delta *d = otlp_delta_new();
	struct metric_point p = {.count = 3, .sum = 4, .min = 0, .max = 3, .buckets = {1, 1, 1}, .start_ns = 10, .time_ns = 20};
	struct metric m = {.name = "h", .kind = METRIC_HISTOGRAM, .bounds = bounds, .bounds_n = 2, .points = &p, .points_n = 1},
		      out;
	assert_int_equal(otlp_delta_metric(d, &m, &out), 0);
	assert_int_equal(out.points[0].count, 3);
	assert_false(out.points[0].no_extremes);
	p = (struct metric_point){.count = 5, .sum = 9, .min = 0, .max = 3, .buckets = {1, 2, 2}, .start_ns = 10, .time_ns = 30};
	assert_int_equal(otlp_delta_metric(d, &m, &out), 0);
	assert_int_equal(out.points[0].count, 2);
	assert_true(out.points[0].sum == 5);
	assert_true(out.points[0].no_extremes);
	assert_int_equal(out.points[0].buckets[0], 0);
	assert_int_equal(out.points[0].buckets[2], 1);
	assert_int_equal(out.points[0].start_ns, 20);
	otlp_delta_free(d);
}

static void exponentials(void **state)
{
	(void)state;
	struct otlp_delta *d = otlp_delta_new();
	struct exponential e, part;
	exponential_init(&e);
	exponential_add(&e, 0.25);
	exponential_add(&e, 0);
	struct metric_point p = {.count = 2, .sum = 0.25, .start_ns = 10, .time_ns = 20, .exponential = &e};
	struct metric m = {.name = "h", .kind = METRIC_HISTOGRAM, .points = &p, .points_n = 1}, out;
	assert_int_equal(otlp_delta_metric(d, &m, &out), 0);
	assert_int_equal(out.points[0].exponential->n, 1);
	assert_int_equal(out.points[0].exponential->zero, 1);
	exponential_add(&e, 64); /* the scale falls: the first value is in another bucket */
	exponential_add(&e, 0.25);
	p.count = 4;
	p.sum = 64.5;
	p.time_ns = 30;
	assert_int_equal(otlp_delta_metric(d, &m, &out), 0);
	assert_int_equal(out.points[0].count, 2);
	exponential_init(&part);
	exponential_add(&part, 0.25);
	exponential_add(&part, 64);
	exponential_lower(&part, e.scale);
	assert_memory_equal(out.points[0].exponential, &part, sizeof part);
	p.time_ns = 40;
	assert_int_equal(otlp_delta_metric(d, &m, &out), 0);
	assert_int_equal(out.points_n, 0);
	exponential_init(&e); /* it began anew */
	exponential_add(&e, 1);
	p = (struct metric_point){.count = 1, .sum = 1, .start_ns = 45, .time_ns = 50, .exponential = &e};
	assert_int_equal(otlp_delta_metric(d, &m, &out), 0);
	assert_memory_equal(out.points[0].exponential, &e, sizeof e);
	otlp_delta_free(d);
}

static void the_rest_is_passed_on(void **state)
{
	(void)state;
	struct otlp_delta *d = otlp_delta_new();
	const struct metric_point p = {.value = 3};
	struct metric m = {.name = "g", .kind = METRIC_GAUGE, .points = &p, .points_n = 1}, out;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(otlp_delta_metric(d, &m, &out), 0);
		assert_false(out.delta);
		assert_ptr_equal(out.points, &p);
		m.kind = METRIC_UPDOWN;
	}
	otlp_delta_free(d);
	otlp_delta_free(NULL);
}

TEST_MAIN(cmocka_unit_test(sums), cmocka_unit_test(histograms), cmocka_unit_test(exponentials),
	  cmocka_unit_test(the_rest_is_passed_on))
