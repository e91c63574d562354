/* The OTLP exporter's configuration: defaults, per signal, URLs by the letter, and warnings that do not stop anything. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>

#include "exporters/environment.h"
#include "exporters/otlp_env.h"

static struct otlp_config config;
static char err[256];

static int read_with(const char *target)
{
	return otlp_config_read(target, env_of_test, &config, err, sizeof err);
}

static void defaults(void **state)
{
	(void)state;
	ENVIRONMENT();
	assert_int_equal(read_with(NULL), 0);
	assert_string_equal(err, "");
	assert_string_equal(config.signal[EXPORT_SPANS].url, "http://localhost:4318/v1/traces");
	assert_string_equal(config.signal[EXPORT_METRICS].url, "http://localhost:4318/v1/metrics");
	assert_string_equal(config.signal[EXPORT_LOGS].url, "http://localhost:4318/v1/logs");
	for (size_t i = 0; i < EXPORT_SIGNALS; i++) {
		assert_true(config.signal[i].enabled);
		assert_false(config.signal[i].gzip);
		assert_int_equal(config.signal[i].timeout_ms, 10000);
		assert_int_equal(config.signal[i].headers_n, 0);
	}
	assert_int_equal(config.signal[EXPORT_SPANS].queue_max, 2048);
	assert_int_equal(config.signal[EXPORT_SPANS].batch_max, 512);
	assert_int_equal(config.signal[EXPORT_SPANS].delay_ms, 5000);
	assert_int_equal(config.signal[EXPORT_LOGS].delay_ms, 1000);
	otlp_config_done(&config);
}

static void urls(void **state)
{
	(void)state;
	static const struct {
		const char *base, *traces;
	} cases[] = {
		{"http://h:1", "http://h:1/v1/traces"},
		{"http://h:1/", "http://h:1/v1/traces"},
		{"https://h/a/b", "https://h/a/b/v1/traces"},
		{"https://h/a/b/", "https://h/a/b/v1/traces"},
		{"http://[::1]:4318", "http://[::1]:4318/v1/traces"},
		{"http://h/a?x=1", "http://h/a/v1/traces?x=1"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ENVIRONMENT("OTEL_EXPORTER_OTLP_ENDPOINT", cases[i].base);
		assert_int_equal(read_with(NULL), 0);
		assert_string_equal(config.signal[EXPORT_SPANS].url, cases[i].traces);
		otlp_config_done(&config);
	}
	/* a signal's own URL is used as it is; the flag wins over both */
	ENVIRONMENT("OTEL_EXPORTER_OTLP_ENDPOINT", "http://base:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://own:2/x");
	assert_int_equal(read_with(NULL), 0);
	assert_string_equal(config.signal[EXPORT_SPANS].url, "http://own:2/x");
	assert_string_equal(config.signal[EXPORT_LOGS].url, "http://base:1/v1/logs");
	otlp_config_done(&config);
	assert_int_equal(read_with("http://flag:3"), 0);
	assert_string_equal(config.signal[EXPORT_SPANS].url, "http://flag:3/v1/traces");
	otlp_config_done(&config);

	static const char *const bad[] = {"localhost:4318", "ftp://h", "http://", "://", "http://user:hunter2@", "http://h:99999"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ENVIRONMENT("OTEL_EXPORTER_OTLP_ENDPOINT", bad[i]);
		assert_int_equal(read_with(NULL), -EINVAL);
		assert_non_null(strstr(err, "OTEL_EXPORTER_OTLP_ENDPOINT"));
		assert_null(strstr(err, "hunter2"));
		assert_null(strchr(err, '\n'));
	}
}

static void every_option_per_signal(void **state)
{
	(void)state;
	ENVIRONMENT("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b,x=1", "OTEL_EXPORTER_OTLP_LOGS_HEADERS", "only=logs",
		    "OTEL_EXPORTER_OTLP_TIMEOUT", "2000", "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "0", "OTEL_METRIC_EXPORT_TIMEOUT",
		    "7000", "OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none",
		    "OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/key.pem",
		    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "/cert.pem", "OTEL_METRICS_EXPORTER", "none",
		    "OTEL_BSP_MAX_QUEUE_SIZE", "10", "OTEL_BLRP_SCHEDULE_DELAY", "0");
	assert_int_equal(read_with(NULL), 0);
	assert_string_equal(err, "");
	const struct otlp_signal *spans = &config.signal[EXPORT_SPANS], *logs = &config.signal[EXPORT_LOGS];
	assert_int_equal(spans->headers_n, 2);
	assert_string_equal(spans->headers[0], "api-key: a b");
	assert_int_equal(logs->headers_n, 1);
	assert_string_equal(logs->headers[0], "only: logs");
	assert_int_equal(spans->timeout_ms, 2000);
	assert_false(spans->gzip);
	assert_true(logs->gzip);
	assert_string_equal(logs->ca, "/ca.pem");
	assert_null(logs->key);
	assert_string_equal(spans->key, "/key.pem");
	assert_string_equal(spans->cert, "/cert.pem");
	assert_false(config.signal[EXPORT_METRICS].enabled);
	assert_int_equal(spans->queue_max, 10);
	assert_int_equal(spans->batch_max, 10); /* never more than the queue */
	assert_int_equal(logs->delay_ms, 0);
	otlp_config_done(&config);
}

static void what_is_not_understood_is_ignored_and_said(void **state)
{
	(void)state;
	static const char *const names[] = {"OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_COMPRESSION",
					    "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_PROTOCOL",
					    "OTEL_BSP_MAX_QUEUE_SIZE",    "OTEL_TRACES_SAMPLER"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		ENVIRONMENT(names[i], "nonsense");
		assert_int_equal(read_with(NULL), 0);
		assert_non_null(strstr(err, names[i]));
		assert_int_equal(config.signal[EXPORT_SPANS].timeout_ms, 10000);
		assert_int_equal(config.signal[EXPORT_SPANS].queue_max, 2048);
		assert_int_equal(config.signal[EXPORT_SPANS].headers_n, 0);
		otlp_config_done(&config);
	}
	ENVIRONMENT("OTEL_EXPORTER_OTLP_HEADERS", "a=x%0d%0aEvil: 1,b=2");
	assert_int_equal(read_with(NULL), 0);
	assert_int_equal(config.signal[EXPORT_SPANS].headers_n, 1);
	otlp_config_done(&config);
}

static void protocols_and_their_endpoints(void **state)
{
	(void)state;
	static const struct {
		const char *protocol, *insecure, *endpoint, *target, *url;
		enum otlp_protocol want;
	} cases[] = {
		{"http/protobuf", NULL, NULL, NULL, "http://localhost:4318/v1/traces", OTLP_HTTP_PROTOBUF},
		{"HTTP/JSON", NULL, NULL, NULL, "http://localhost:4318/v1/traces", OTLP_HTTP_JSON},
		{"grpc", NULL, NULL, NULL, "http://localhost:4317", OTLP_GRPC},
		/* the scheme decides about TLS, and only without one INSECURE does */
		{"grpc", "true", "https://h:1", NULL, "https://h:1", OTLP_GRPC},
		{"grpc", "false", "http://h:1", NULL, "http://h:1", OTLP_GRPC},
		{"grpc", "TRUE", "h:1", NULL, "http://h:1", OTLP_GRPC},
		{"grpc", "yes", "h:1", NULL, "https://h:1", OTLP_GRPC},
		{"grpc", NULL, "h:1", NULL, "https://h:1", OTLP_GRPC},
		/* a destination of its own protocol */
		{NULL, NULL, "http://h:1", "grpc:http://t:2", "http://t:2", OTLP_GRPC},
		{"grpc", NULL, NULL, "http/json:http://t:2", "http://t:2/v1/traces", OTLP_HTTP_JSON},
		{NULL, NULL, NULL, "grpc", "http://localhost:4317", OTLP_GRPC},
		{NULL, NULL, "http://h:1", "", "http://h:1/v1/traces", OTLP_HTTP_PROTOBUF},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *set[8], **at = set;
		const char *names[] = {"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_INSECURE", "OTEL_EXPORTER_OTLP_ENDPOINT"};
		const char *values[] = {cases[i].protocol, cases[i].insecure, cases[i].endpoint};
		for (size_t k = 0; k < 3; k++) {
			if (values[k] == NULL)
				continue;
			*at++ = names[k];
			*at++ = values[k];
		}
		*at = NULL;
		environment = set;
		assert_int_equal(read_with(cases[i].target), 0);
		assert_string_equal(err, "");
		assert_int_equal(config.signal[EXPORT_SPANS].protocol, cases[i].want);
		assert_string_equal(config.signal[EXPORT_SPANS].url, cases[i].url);
		otlp_config_done(&config);
	}
	/* no limit of the exporter's leaves the reader's */
	ENVIRONMENT("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "0", "OTEL_METRIC_EXPORT_TIMEOUT", "7000");
	assert_int_equal(read_with(NULL), 0);
	assert_int_equal(config.signal[EXPORT_METRICS].timeout_ms, 7000);
	otlp_config_done(&config);
	/* each signal may have its own */
	ENVIRONMENT("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc",
		    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf");
	assert_int_equal(read_with(NULL), 0);
	assert_int_equal(config.signal[EXPORT_SPANS].protocol, OTLP_HTTP_JSON);
	assert_int_equal(config.signal[EXPORT_METRICS].protocol, OTLP_HTTP_PROTOBUF);
	assert_string_equal(config.signal[EXPORT_LOGS].url, "http://localhost:4317");
	otlp_config_done(&config);
}

static void temporality_and_console(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		bool delta;
	} cases[] = {{"cumulative", false}, {"delta", true}, {"LowMemory", true}, {"nonsense", false}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ENVIRONMENT("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", cases[i].value);
		assert_int_equal(read_with(NULL), 0);
		assert_int_equal(config.delta, cases[i].delta);
		assert_int_equal(err[0] != '\0', i == 3);
		otlp_config_done(&config);
	}
	ENVIRONMENT("OTEL_TRACES_EXPORTER", "console", "OTEL_LOGS_EXPORTER", "zipkin");
	assert_int_equal(read_with(NULL), 0);
	assert_int_equal(config.signal[EXPORT_SPANS].protocol, OTLP_FILE);
	assert_string_equal(config.signal[EXPORT_SPANS].url, "-");
	assert_int_equal(config.signal[EXPORT_LOGS].protocol, OTLP_HTTP_PROTOBUF);
	assert_non_null(strstr(err, "OTEL_LOGS_EXPORTER"));
	otlp_config_done(&config);
	ENVIRONMENT("OTEL_BSP_MAX_QUEUE_SIZE", "7", "OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense");
	assert_int_equal(otlp_config_read_file("/tmp/x", env_of_test, &config, err, sizeof err), 0);
	assert_string_equal(config.signal[EXPORT_METRICS].url, "/tmp/x");
	assert_int_equal(config.signal[EXPORT_SPANS].queue_max, 7);
	otlp_config_done(&config);
}

static void disabled_means_off(void **state)
{
	(void)state;
	ENVIRONMENT("OTEL_SDK_DISABLED", "true", "OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense");
	assert_int_equal(read_with(NULL), 0);
	for (size_t i = 0; i < EXPORT_SIGNALS; i++)
		assert_false(config.signal[i].enabled);
	otlp_config_done(&config);
}

static void metric_interval(void **state)
{
	(void)state;
	setenv("OTEL_METRIC_EXPORT_INTERVAL", "1500", 1);
	assert_int_equal(exporter_metric_interval_ms(), 1500);
	setenv("OTEL_METRIC_EXPORT_INTERVAL", "0", 1);
	assert_int_equal(exporter_metric_interval_ms(), 60000);
	unsetenv("OTEL_METRIC_EXPORT_INTERVAL");
	assert_int_equal(exporter_metric_interval_ms(), 60000);
}

static void histograms(void **state)
{
	(void)state;
	static const char name[] = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
	static const struct {
		const char *value;
		bool exponential, warned;
	} cases[] = {
		{"base2_exponential_bucket_histogram", true, false},
		{"explicit_bucket_histogram", false, false},
		{"exponential", false, true},
		{"", false, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		setenv(name, cases[i].value, 1);
		assert_int_equal(exporter_wants_exponential(), cases[i].exponential);
		unsetenv(name);
		ENVIRONMENT("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", cases[i].value);
		assert_int_equal(read_with(NULL), 0);
		assert_int_equal(strstr(err, name) != NULL, cases[i].warned);
		otlp_config_done(&config);
	}
	assert_false(exporter_wants_exponential());
}

TEST_MAIN(cmocka_unit_test(defaults), cmocka_unit_test(urls), cmocka_unit_test(every_option_per_signal),
	  cmocka_unit_test(what_is_not_understood_is_ignored_and_said), cmocka_unit_test(protocols_and_their_endpoints),
	  cmocka_unit_test(temporality_and_console), cmocka_unit_test(disabled_means_off), cmocka_unit_test(metric_interval),
	  cmocka_unit_test(histograms))
