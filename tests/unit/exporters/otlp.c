/* The exporter as the agent uses it: each signal to its path, sampled, flushed at the end, counted. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "exporters/exporter.h"
#include "exporters/receiver.h"

static const struct resource about;

static void all_signals(void **state)
{
	(void)state;
	struct receiver *r = receiver_new(NULL, 0);
	char err[256];
	void *x = NULL;
	const struct exporter *otlp = exporter_find("otlp");
	assert_int_equal(otlp->open(receiver_url(r), &about, &x, err, sizeof err), 0);
	const struct span span = {.trace_id = {1}, .span_id = {2}, .name = "GET", .kind = SPAN_CLIENT, .trace_flags = 1};
	const struct span unsampled = {.trace_id = {1}, .span_id = {3}, .parent_id = {2}, .name = "GET", .kind = SPAN_CLIENT};
	const struct metric_point points[2] = {{.value = 1}, {.value = 2}};
	const struct metric metrics[2] = {{.name = "m", .kind = METRIC_SUM, .points = points, .points_n = 2},
					  {.name = "none", .kind = METRIC_SUM}};
	json_t *finding = json_pack("{s:s, s:s}", "rule", "r", "message", "m");
	otlp->span(x, &span);
	const struct span failed = {
		.trace_id = {1}, .span_id = {4}, .parent_id = {2}, .name = "GET", .kind = SPAN_CLIENT, .status = SPAN_ERROR};
	otlp->span(x, &unsampled);
	otlp->span(x, &failed);
	otlp->metrics(x, metrics, 2, 0);
	otlp->finding(x, finding, NULL, NULL, 1);
	otlp->flush(x, 5000);
	struct export_counts c[EXPORT_SIGNALS];
	otlp->counts(x, c);
	static const uint64_t want[EXPORT_SIGNALS] = {[EXPORT_SPANS] = 2, [EXPORT_METRICS] = 2, [EXPORT_LOGS] = 1};
	for (size_t i = 0; i < EXPORT_SIGNALS; i++) {
		assert_int_equal(c[i].produced, want[i]);
		assert_int_equal(c[i].acknowledged, want[i]);
	}
	assert_int_equal(c[EXPORT_SPANS].unsampled, 1);
	otlp->last_error(x, err, sizeof err);
	assert_string_equal(err, "");
	otlp->close(x, 1000);
	assert_int_equal(receiver_wait(r, 3), 3);
	static const char *const paths[] = {"POST /v1/traces ", "POST /v1/metrics ", "POST /v1/logs "};
	for (size_t p = 0; p < 3; p++) {
		unsigned int seen = 0;
		for (size_t i = 0; i < 3; i++)
			seen += strncmp(receiver_got(r, i)->head, paths[p], strlen(paths[p])) == 0;
		assert_int_equal(seen, 1);
	}
	json_decref(finding);
	receiver_free(r);
}

/* Ended, not sampled, and named afterwards; named while it is open; never named. */
static void what_a_finding_names_is_kept(void **state)
{
	(void)state;
	struct receiver *r = receiver_new(NULL, 0);
	struct export_counts c[EXPORT_SIGNALS];
	char err[256];
	void *x = NULL;
	const struct exporter *otlp = exporter_find("otlp");
	setenv("OTEL_TRACES_SAMPLER", "always_off", 1);
	assert_int_equal(otlp->open(receiver_url(r), &about, &x, err, sizeof err), 0);
	unsetenv("OTEL_TRACES_SAMPLER");
	struct span span = {.trace_id = {1}, .name = "GET", .kind = SPAN_CLIENT, .trace_flags = 1};
	for (uint8_t n = 1; n <= 5; n++) {
		span.span_id[0] = n;
		otlp->span(x, &span);
	}
	static const uint8_t ended[8] = {2}, open[8] = {9}, unknown[8] = {77};
	otlp->keep(x, ended);
	otlp->keep(x, ended);
	otlp->keep(x, open);
	otlp->keep(x, unknown);
	otlp->counts(x, c);
	assert_int_equal(c[EXPORT_SPANS].produced, 1);
	assert_int_equal(c[EXPORT_SPANS].unsampled, 4);
	assert_int_equal(c[EXPORT_SPANS].undecided, 4);
	span.span_id[0] = 9;
	otlp->span(x, &span);
	otlp->span(x, &span); /* another of the same number would be another matter */
	otlp->flush(x, 5000);
	otlp->counts(x, c);
	assert_int_equal(c[EXPORT_SPANS].produced, 2);
	assert_int_equal(c[EXPORT_SPANS].acknowledged, 2);
	assert_int_equal(c[EXPORT_SPANS].unsampled, 5);
	assert_int_equal(c[EXPORT_SPANS].undecided, 5);
	otlp->settle(x);
	static const uint8_t late[8] = {3};
	otlp->keep(x, late);
	otlp->counts(x, c);
	assert_int_equal(c[EXPORT_SPANS].unsampled, 5);
	assert_int_equal(c[EXPORT_SPANS].undecided, 0);
	otlp->close(x, 1000);
	receiver_free(r);
}

static void close_delivers_what_is_left(void **state)
{
	(void)state;
	struct receiver *r = receiver_new(NULL, 0);
	char err[256];
	void *x = NULL;
	const struct exporter *otlp = exporter_find("otlp");
	assert_int_equal(otlp->open(receiver_url(r), &about, &x, err, sizeof err), 0);
	const struct span span = {.trace_id = {1}, .span_id = {2}, .name = "GET", .kind = SPAN_CLIENT};
	otlp->span(x, &span);
	otlp->close(x, 5000);
	assert_int_equal(receiver_wait(r, 1), 1);
	receiver_free(r);
}

static void a_bad_target_is_told(void **state)
{
	(void)state;
	char err[256];
	void *x = NULL;
	assert_true(exporter_find("otlp")->open("nonsense", &about, &x, err, sizeof err) < 0);
	assert_non_null(strstr(err, "http://"));
	assert_null(x);
}

static void disabled_takes_everything_and_sends_nothing(void **state)
{
	(void)state;
	struct receiver *r = receiver_new(NULL, 0);
	char err[256];
	void *x = NULL;
	const struct exporter *otlp = exporter_find("otlp");
	setenv("OTEL_SDK_DISABLED", "true", 1);
	assert_int_equal(otlp->open(receiver_url(r), &about, &x, err, sizeof err), 0);
	unsetenv("OTEL_SDK_DISABLED");
	const struct span span = {.trace_id = {1}, .span_id = {2}, .name = "GET", .kind = SPAN_CLIENT};
	const struct metric_point point = {.value = 1};
	const struct metric metric = {.name = "m", .kind = METRIC_SUM, .points = &point, .points_n = 1};
	json_t *finding = json_object();
	otlp->span(x, &span);
	otlp->metrics(x, &metric, 1, 0);
	otlp->finding(x, finding, NULL, NULL, 1);
	otlp->flush(x, 100);
	struct export_counts c[EXPORT_SIGNALS];
	otlp->counts(x, c);
	for (size_t i = 0; i < EXPORT_SIGNALS; i++)
		assert_int_equal(c[i].produced, 0);
	otlp->close(x, 100);
	json_decref(finding);
	receiver_free(r);
}

TEST_MAIN(cmocka_unit_test(all_signals), cmocka_unit_test(what_a_finding_names_is_kept),
	  cmocka_unit_test(close_delivers_what_is_left), cmocka_unit_test(a_bad_target_is_told),
	  cmocka_unit_test(disabled_takes_everything_and_sends_nothing))
