/* Metrics as Prometheus reads them: names, units, labels, buckets, exemplars, and which format is wanted. */
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/prometheus_text.h"

static const struct attr about[] = {{.key = "service.name", .type = ATTR_STRING, .s = "a \"shop\"\\\n"}};
static const struct resource resource = {.attrs = about, .attrs_n = 1};

static char *page(const struct metric *m, bool openmetrics)
{
	struct bytes item, text;
	assert_int_equal(otlp_encode_metric(m, &item), 0);
	assert_int_equal(prometheus_text(&resource, &item, 1, openmetrics, &text), 0);
	free(item.data);
	char *copy = strndup((char *)text.data, text.len);
	free(text.data);
	return copy;
}

static void expect_lines(const struct metric *m, bool openmetrics, const char *const *lines, size_t n)
{
	char *text = page(m, openmetrics);
	for (size_t i = 0; i < n; i++)
		if (strstr(text, lines[i]) == NULL)
			fail_msg("not there: %s in:\n%s", lines[i], text);
	free(text);
}
#define EXPECT(m, openmetrics, ...) \
	expect_lines(m, openmetrics, (const char *const[]){__VA_ARGS__}, \
		     sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void a_counter(void **state)
{
	(void)state;
	const struct metric_point p = {.value = 3, .attrs = {{.key = "a.b", .type = ATTR_STRING, .s = "x\"y\\z\n"}}, .attrs_n = 1};
	const struct metric m = {
		.name = "gapscope.log.bytes", .unit = "By", .doc = "d \"q\"", .kind = METRIC_SUM, .points = &p, .points_n = 1};
	EXPECT(&m, false, "# HELP gapscope_log_bytes_total d \"q\"\n# TYPE gapscope_log_bytes_total counter\n",
	       "gapscope_log_bytes_total{otel_scope_name=\"gapscope\",a_b=\"x\\\"y\\\\z?\"} 3\n",
	       "target_info{service_name=\"a \\\"shop\\\"\\\\?\"} 1\n", "# TYPE target_info gauge\n");
	EXPECT(&m, true,
	       "# HELP gapscope_log_bytes d \\\"q\\\"\n# TYPE gapscope_log_bytes counter\n# UNIT gapscope_log_bytes bytes\n",
	       "gapscope_log_bytes_total{", "# TYPE target info\n", "# EOF\n");
}

static void units(void **state)
{
	(void)state;
	static const struct {
		const char *name, *unit, *want;
		enum metric_kind kind;
	} cases[] = {
		{"process.cpu.time", "s", "process_cpu_time_seconds_total{", METRIC_SUM},
		{"process.thread.count", "{thread}", "process_thread_count{", METRIC_UPDOWN},
		{"gapscope.findings", "{finding}", "gapscope_findings{", METRIC_UPDOWN},
		{"used", "1", "used_ratio{", METRIC_GAUGE},
		{"used", "1", "used_total{", METRIC_SUM},
		{"x.total", "", "x_total{", METRIC_SUM},
		{"9lives", NULL, "_9lives{", METRIC_GAUGE},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct metric_point p = {.value = 0.5};
		const struct metric m = {
			.name = cases[i].name, .unit = cases[i].unit, .kind = cases[i].kind, .points = &p, .points_n = 1};
		EXPECT(&m, false, cases[i].want);
	}
}

static void a_histogram(void **state)
{
	(void)state;
	static const double bounds[] = {.005, 1};
	const struct metric_point p = {.count = 6,
				       .sum = 12.5,
				       .min = .001,
				       .max = 9,
				       .buckets = {1, 2, 3},
				       .has_exemplar = true,
				       .exemplar = {.trace_id = {0xab}, .span_id = {0xcd}, .time_ns = 1500000000, .value = .5}};
	const struct metric m = {
		.name = "d", .unit = "s", .kind = METRIC_HISTOGRAM, .bounds = bounds, .bounds_n = 2, .points = &p, .points_n = 1};
	EXPECT(&m, false, "# TYPE d_seconds histogram\n", ",le=\"0.005\"} 1\n", ",le=\"1.0\"} 3\n", ",le=\"+Inf\"} 6\n",
	       "d_seconds_sum{otel_scope_name=\"gapscope\"} 12.5\n", "d_seconds_count{otel_scope_name=\"gapscope\"} 6\n");
	/* the exemplar stands at the bucket that counts it */
	EXPECT(&m, true, ",le=\"0.005\"} 1\n",
	       ",le=\"1.0\"} 3 # {trace_id=\"ab000000000000000000000000000000\",span_id=\"cd00000000000000\"} 0.5 1.500\n",
	       ",le=\"+Inf\"} 6\n");
}

static void values(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *want;
	} cases[] = {{NAN, "} NaN\n"}, {INFINITY, "} +Inf\n"}, {-INFINITY, "} -Inf\n"}, {-2, "} -2\n"}, {0.25, "} 0.25\n"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct metric_point p = {.value = cases[i].value};
		const struct metric m = {.name = "g", .kind = METRIC_GAUGE, .points = &p, .points_n = 1};
		EXPECT(&m, false, cases[i].want);
	}
}

static void which_format(void **state)
{
	(void)state;
	static const struct {
		const char *accept;
		bool want;
	} cases[] = {
		{NULL, false},
		{"", false},
		{"*/*", false},
		{"text/plain", false},
		{"application/openmetrics-text", true},
		{"application/openmetrics-text; version=1.0.0; charset=utf-8", true},
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/"
		 "plain;version=0.0.4;q=0.5,*/"
		 "*;q=0.1",
		 true},
		{"text/plain;q=0.9, application/openmetrics-text;q=0.3", false},
		{"application/openmetrics-text;q=0", false},
		{",,;;q=,", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(prometheus_wants_openmetrics(cases[i].accept), cases[i].want);
}

TEST_MAIN(cmocka_unit_test(a_counter), cmocka_unit_test(units), cmocka_unit_test(a_histogram), cmocka_unit_test(values),
	  cmocka_unit_test(which_format))
