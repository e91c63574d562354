/* What exporters say of themselves: names, outcomes, and nothing that never happened. */
#include "test.h"

#include <string.h>

#include "exporters/self_metrics.h"

static const struct metric *find(const struct self_metrics *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->metrics[i].name, name) == 0)
			return &s->metrics[i];
	fail_msg("no %s", name);
	return NULL;
}

static void outcomes(void **state)
{
	(void)state;
	const struct self_exporter list[] = {
		{.name = "otlp",
		 .counts = {[EXPORT_SPANS] = {.produced = 10,
					      .unsampled = 9,
					      .undecided = 2,
					      .acknowledged = 4,
					      .rejected = 1,
					      .dropped = 2,
					      .queued = 3}}},
		{.name = "otlp"},
	};
	struct self_metrics s;
	assert_int_equal(self_metrics_make(list, 2, 5, 6, &s), 0);
	assert_int_equal(s.n, 7);
	const struct metric *m = find(&s, "otel.sdk.exporter.span.exported");
	assert_int_equal(m->points_n, 4); /* three of the first, and the second's zero */
	assert_true(m->points[0].value == 4 && m->points[1].value == 1 && m->points[2].value == 2 && m->points[3].value == 0);
	assert_string_equal(m->points[2].attrs[2].s, "dropped");
	assert_int_equal(m->points[0].attrs_n, 2);
	assert_string_equal(m->points[0].attrs[0].s, "otlp/0");
	assert_string_equal(m->points[3].attrs[0].s, "otlp/1");
	assert_int_equal(m->points[3].time_ns, 6);
	m = find(&s, "otel.sdk.processor.span.queue.size");
	assert_int_equal(m->points_n, 2);
	assert_true(m->points[0].value == 3 && m->kind == METRIC_UPDOWN);
	m = find(&s, "otel.sdk.span.started");
	assert_int_equal(m->points_n, 2); /* the second has made none */
	assert_true(m->points[0].value == 10 && m->points[1].value == 7);
	assert_string_equal(m->points[1].attrs[2].key, "otel.span.sampling_result");
	assert_string_equal(m->points[1].attrs[2].s, "DROP");
	self_metrics_done(&s);
}

static void of_none(void **state)
{
	(void)state;
	struct self_metrics s;
	assert_int_equal(self_metrics_make(NULL, 0, 1, 2, &s), 0);
	assert_int_equal(s.n, 0);
	self_metrics_done(&s);
}

TEST_MAIN(cmocka_unit_test(outcomes), cmocka_unit_test(of_none))
