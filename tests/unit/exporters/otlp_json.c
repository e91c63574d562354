/* OTLP's JSON form: each rule of the specification on one span, metric and record; and the answers. */
#include "test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/otlp_json.h"

static const struct attr about[] = {{.key = "service.name", .type = ATTR_STRING, .s = "shop"}};
static const struct resource resource = {.attrs = about, .attrs_n = 1};

/* The form of one item, as an object. */
static json_t *form(enum export_signal signal, struct bytes *item)
{
	struct bytes text;
	assert_int_equal(otlp_json_request(signal, &resource, item, 1, &text), 0);
	assert_null(memchr(text.data, '\n', text.len));
	json_t *all = json_loadb((const char *)text.data, text.len, 0, NULL);
	assert_non_null(all);
	free(text.data);
	free(item->data);
	return all;
}

static json_t *first(const json_t *o, const char *key)
{
	assert_int_equal(json_array_size(json_object_get(o, key)), 1);
	return json_array_get(json_object_get(o, key), 0);
}

static json_t *item_of(const json_t *all, const char *resources, const char *scopes, const char *items)
{
	const json_t *r = first(all, resources);
	const json_t *a = first(json_object_get(r, "resource"), "attributes");
	assert_string_equal(json_string_value(json_object_get(json_object_get(a, "value"), "stringValue")), "shop");
	const json_t *s = first(r, scopes);
	assert_string_equal(json_string_value(json_object_get(json_object_get(s, "scope"), "name")), "gapscope");
	return first(s, items);
}

static void a_span(void **state)
{
	(void)state;
	const struct span span = {.trace_id = {0xab, 1},
				  .span_id = {0xcd, 2},
				  .name = "GET",
				  .kind = SPAN_CLIENT,
				  .start_ns = 1700000000000000001ULL,
				  .end_ns = 1700000000000000002ULL,
				  .status = SPAN_ERROR,
				  .attrs = {{.key = "i", .type = ATTR_INT, .i = -5},
					    {.key = "b", .type = ATTR_BOOL, .b = false},
					    {.key = "d", .type = ATTR_DOUBLE, .d = 0},
					    {.key = "s", .type = ATTR_STRING, .s = ""}},
				  .attrs_n = 4};
	struct bytes item;
	assert_int_equal(otlp_encode_span(&span, 128, &item), 0);
	json_t *all = form(EXPORT_SPANS, &item);
	const json_t *o = item_of(all, "resourceSpans", "scopeSpans", "spans");
	assert_string_equal(json_string_value(json_object_get(o, "traceId")), "ab010000000000000000000000000000");
	assert_string_equal(json_string_value(json_object_get(o, "spanId")), "cd02000000000000");
	assert_null(json_object_get(o, "parentSpanId"));
	assert_int_equal(json_integer_value(json_object_get(o, "kind")), 3);
	assert_string_equal(json_string_value(json_object_get(o, "startTimeUnixNano")), "1700000000000000001");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "status"), "code")), 2);
	assert_int_equal(json_integer_value(json_object_get(o, "flags")), 0x100);
	/* a value that was given is told, be it zero or empty */
	static const char *const values[] = {"{\"intValue\":\"-5\"}", "{\"boolValue\":false}", "{\"doubleValue\":0.0}",
					     "{\"stringValue\":\"\"}"};
	const json_t *attrs = json_object_get(o, "attributes");
	for (size_t i = 0; i < 4; i++) {
		char *text = json_dumps(json_object_get(json_array_get(attrs, i), "value"), JSON_COMPACT);
		assert_string_equal(text, values[i]);
		free(text);
	}
	json_decref(all);
}

static void a_histogram(void **state)
{
	(void)state;
	static const double bounds[] = {0.5};
	const struct metric_point point = {
		.count = 3, .sum = 2, .min = .25, .max = 1, .buckets = {1, 2}, .start_ns = 5, .time_ns = 6};
	const struct metric m = {.name = "m",
				 .unit = "s",
				 .kind = METRIC_HISTOGRAM,
				 .bounds = bounds,
				 .bounds_n = 1,
				 .points = &point,
				 .points_n = 1};
	struct bytes item;
	assert_int_equal(otlp_encode_metric(&m, &item), 0);
	json_t *all = form(EXPORT_METRICS, &item);
	const json_t *o = item_of(all, "resourceMetrics", "scopeMetrics", "metrics");
	const json_t *h = json_object_get(o, "histogram"), *p = first(h, "dataPoints");
	assert_int_equal(json_integer_value(json_object_get(h, "aggregationTemporality")), 2);
	assert_string_equal(json_string_value(json_object_get(p, "count")), "3");
	assert_string_equal(json_string_value(json_array_get(json_object_get(p, "bucketCounts"), 1)), "2");
	assert_true(json_real_value(json_array_get(json_object_get(p, "explicitBounds"), 0)) == 0.5);
	json_decref(all);
}

static void numbers_json_has_none_for(void **state)
{
	(void)state;
	const double values[] = {NAN, INFINITY, -INFINITY, 1e-300};
	const char *const texts[] = {"NaN", "Infinity", "-Infinity", NULL};
	for (size_t i = 0; i < 4; i++) {
		const struct metric_point point = {.value = values[i]};
		const struct metric m = {.name = "m", .kind = METRIC_GAUGE, .points = &point, .points_n = 1};
		struct bytes item;
		assert_int_equal(otlp_encode_metric(&m, &item), 0);
		json_t *all = form(EXPORT_METRICS, &item);
		const json_t *o = item_of(all, "resourceMetrics", "scopeMetrics", "metrics");
		const json_t *v = json_object_get(first(json_object_get(o, "gauge"), "dataPoints"), "asDouble");
		if (texts[i] != NULL)
			assert_string_equal(json_string_value(v), texts[i]);
		else
			assert_true(json_real_value(v) == values[i]);
		json_decref(all);
	}
}

static void a_finding(void **state)
{
	(void)state;
	static const uint8_t trace[16] = {1}, span[8] = {2};
	json_t *finding = json_pack("{s:s, s:s, s:s}", "rule", "r", "severity", "error", "message", "what");
	struct bytes item;
	assert_int_equal(otlp_encode_finding(finding, trace, span, 7, 8, &item), 0);
	json_t *all = form(EXPORT_LOGS, &item);
	const json_t *o = item_of(all, "resourceLogs", "scopeLogs", "logRecords");
	assert_int_equal(json_integer_value(json_object_get(o, "severityNumber")), 17);
	assert_string_equal(json_string_value(json_object_get(o, "eventName")), "gapscope.finding");
	assert_string_equal(json_string_value(json_object_get(o, "traceId")), "01000000000000000000000000000000");
	json_decref(all);
	json_decref(finding);
}

static void garbage_is_no_item(void **state)
{
	(void)state;
	struct bytes item = {.data = (uint8_t *)"\xff\xff\xff", .len = 3}, text;
	assert_int_equal(otlp_json_request(EXPORT_SPANS, &resource, &item, 1, &text), -EBADMSG);
}

static void answers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t rejected;
	} cases[] = {
		{"{}", 0},
		{"{\"partialSuccess\":{}}", 0},
		{"{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"x\"}}", 3},
		{"{\"partialSuccess\":{\"rejectedDataPoints\":4}}", 4},
		{"{\"partialSuccess\":{\"rejectedLogRecords\":\"5\"}}", 5},
		{"{\"partialSuccess\":{\"rejectedSpans\":\"-3\"}}", 0},
		{"{\"partialSuccess\":{\"rejectedSpans\":[]}}", 0},
		{"not json", 0},
		{"", 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(otlp_json_rejected((const uint8_t *)cases[i].text, strlen(cases[i].text)), cases[i].rejected);
}

TEST_MAIN(cmocka_unit_test(a_span), cmocka_unit_test(a_histogram), cmocka_unit_test(numbers_json_has_none_for),
	  cmocka_unit_test(a_finding), cmocka_unit_test(garbage_is_no_item), cmocka_unit_test(answers))
