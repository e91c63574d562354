/* Points by attributes: buckets, sums, the cap and its exact overflow. */
#include <stdio.h>

#include "sample.h"

#include "report/series.h"

static const double bounds[] = {1, 2};

static void histogram(void **state)
{
	(void)state;
	struct counters counters = {0};
	struct series *s = series_new(bounds, 2, &counters);
	char text[] = "GET"; /* copied, so it may change */
	struct attr a = {.key = "m", .type = ATTR_STRING, .s = text};
	static const double values[] = {0.5, 1, 1.5, 2, 3};
	for (size_t i = 0; i < 5; i++)
		series_record(s, &a, 1, values[i]);
	strcpy(text, "PUT");
	series_record(s, &a, 1, 7);
	size_t n;
	const struct metric_point *p = series_points(s, 10, 20, &n);
	assert_int_equal(n, 2);
	assert_string_equal(p[0].attrs[0].s, "GET");
	assert_int_equal(p[0].count, 5);
	assert_true(p[0].sum == 8 && p[0].min == 0.5 && p[0].max == 3);
	assert_int_equal(p[0].buckets[0], 2); /* a bound belongs to the bucket below it */
	assert_int_equal(p[0].buckets[1], 2);
	assert_int_equal(p[0].buckets[2], 1);
	assert_int_equal(p[0].start_ns, 10);
	assert_int_equal(p[0].time_ns, 20);
	assert_string_equal(p[1].attrs[0].s, "PUT");
	series_free(s);
}

static void kinds_of_values_are_told_apart(void **state)
{
	(void)state;
	struct counters counters = {0};
	struct series *s = series_new(NULL, 0, &counters);
	const struct attr kinds[] = {
		{.key = "k", .type = ATTR_STRING, .s = "1"},
		{.key = "k", .type = ATTR_INT, .i = 1},
		{.key = "k", .type = ATTR_DOUBLE, .d = 1},
		{.key = "k", .type = ATTR_BOOL, .b = true},
	};
	for (size_t i = 0; i < 8; i++)
		series_record(s, &kinds[i % 4], 1, 2);
	size_t n;
	const struct metric_point *p = series_points(s, 0, 0, &n);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_true(p[i].value == 4);
	series_free(s);
}

static void nothing_is_lost_at_the_cap(void **state)
{
	(void)state;
	struct counters counters = {0};
	struct series *s = series_new(bounds, 2, &counters);
	char text[16];
	const unsigned int total = LIMIT_SERIES + 500;
	for (unsigned int i = 0; i < total; i++) {
		snprintf(text, sizeof text, "%u", i);
		const struct attr a = {.key = "k", .type = ATTR_STRING, .s = text};
		series_record(s, &a, 1, 1);
	}
	const struct attr known = {.key = "k", .type = ATTR_STRING, .s = "0"};
	series_record(s, &known, 1, 1); /* still counted where it belongs */
	size_t n;
	const struct metric_point *p = series_points(s, 0, 0, &n);
	assert_int_equal(n, LIMIT_SERIES);
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += p[i].count;
	assert_int_equal(sum, total + 1);
	assert_int_equal(p[0].count, 2);
	assert_string_equal(p[n - 1].attrs[0].key, "otel.metric.overflow");
	assert_true(p[n - 1].attrs[0].b);
	assert_int_equal(p[n - 1].count, 501);
	assert_int_equal(counters.limit[LIMIT_REACHED_SERIES], 501);
	series_free(s);
}

static void exponential(void **state)
{
	(void)state;
	struct counters counters = {0};
	struct series *s = series_new(bounds, 2, &counters), *sums = series_new(NULL, 0, &counters);
	size_t n;
	series_exponential(s);
	series_exponential(sums); /* nothing for it to do */
	series_record(s, NULL, 0, 0.5);
	series_record(s, NULL, 0, 3);
	series_record(sums, NULL, 0, 3);
	const struct metric_point *p = series_points(s, 1, 2, &n);
	assert_int_equal(p->exponential->bucket[0] + p->exponential->bucket[p->exponential->n - 1], 2);
	assert_null(series_points(sums, 1, 2, &n)->exponential);
	series_free(s);
	series_free(sums);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(histogram), cmocka_unit_test(exponential),
					   cmocka_unit_test(kinds_of_values_are_told_apart),
					   cmocka_unit_test(nothing_is_lost_at_the_cap)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
