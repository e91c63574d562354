/* A finding as an OTLP log record. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <otlp.pb-c.h>

#include "exporters/otlp_encode.h"

static json_t *finding(const char *severity)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:n, s:n}, s:i, s:{s:i}, s:s}", "rule", "retry.unbounded",
			 "severity", severity, "confidence", "observed", "peer", "payments:443", "operation", "", "message",
			 "it never gives up", "call_site", "text", "charge() in app", "function", "charge", "file", "line", "count",
			 3, "evidence", "attempts", 25, "fingerprint", "00112233445566ff");
}

static Otlp__LogRecord *round_trip(const char *severity, const uint8_t *trace_id, const uint8_t *span_id)
{
	struct bytes out;
	json_t *f = finding(severity);
	assert_non_null(f);
	assert_int_equal(otlp_encode_finding(f, trace_id, span_id, 5, 6, &out), 0);
	json_decref(f);
	Otlp__LogRecord *back = otlp__log_record__unpack(NULL, out.len, out.data);
	assert_non_null(back);
	free(out.data);
	return back;
}

static const Otlp__AnyValue *value(const Otlp__LogRecord *r, const char *key)
{
	for (size_t i = 0; i < r->n_attributes; i++)
		if (strcmp(r->attributes[i]->key, key) == 0)
			return r->attributes[i]->value;
	return NULL;
}

static void a_record(void **state)
{
	(void)state;
	static const uint8_t trace[16] = {1}, span[8] = {2};
	Otlp__LogRecord *r = round_trip("critical", trace, span);
	assert_string_equal(r->body->string_value, "it never gives up");
	assert_string_equal(r->event_name, "gapscope.finding");
	assert_int_equal(r->severity_number, 21);
	assert_string_equal(r->severity_text, "critical");
	assert_int_equal(r->time_unix_nano, 5);
	assert_int_equal(r->observed_time_unix_nano, 6);
	assert_int_equal(r->trace_id.len, 16);
	assert_memory_equal(r->span_id.data, span, 8);
	assert_string_equal(value(r, "gapscope.rule")->string_value, "retry.unbounded");
	assert_string_equal(value(r, "gapscope.peer")->string_value, "payments:443");
	assert_string_equal(value(r, "gapscope.fingerprint")->string_value, "00112233445566ff");
	assert_string_equal(value(r, "gapscope.call_site")->string_value, "charge() in app");
	assert_string_equal(value(r, "code.function.name")->string_value, "charge");
	assert_string_equal(value(r, "gapscope.evidence")->string_value, "{\"attempts\":25}");
	assert_int_equal(value(r, "gapscope.count")->int_value, 3);
	assert_null(value(r, "gapscope.operation")); /* empty */
	assert_null(value(r, "code.line.number"));   /* unknown */
	otlp__log_record__free_unpacked(r, NULL);
}

static void severities_without_a_trace(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int number;
	} cases[] = {{"info", 9}, {"warning", 13}, {"error", 17}, {"critical", 21}};
	for (size_t i = 0; i < 4; i++) {
		Otlp__LogRecord *r = round_trip(cases[i].name, NULL, NULL);
		assert_int_equal(r->severity_number, cases[i].number);
		assert_int_equal(r->trace_id.len, 0);
		assert_int_equal(r->flags, 0);
		otlp__log_record__free_unpacked(r, NULL);
	}
}

TEST_MAIN(cmocka_unit_test(a_record), cmocka_unit_test(severities_without_a_trace))
