/*
 * Configuration of the OTLP exporter from the environment and `--export otlp:URL` (OpenTelemetry: protocol/exporter, SDK environment
 * variables). Read once at open; then read only.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_ENV_H
#define GAPSCOPE_EXPORTERS_OTLP_ENV_H

#include "exporters/exporter.h"
#include "exporters/otlp_env_parse.h"
#include "exporters/otlp_sampler.h"

#define OTLP_HEADERS_MAX 32U

enum otlp_protocol { OTLP_HTTP_PROTOBUF, OTLP_HTTP_JSON, OTLP_GRPC, OTLP_FILE /* url is a path */ };

/* One signal's destination and queue. Texts are owned. */
struct otlp_signal {
	bool enabled;
	bool console; /* to standard error */
	enum export_signal kind;
	enum otlp_protocol protocol;
	char *url;
	char *headers[OTLP_HEADERS_MAX]; /* "name: value" */
	size_t headers_n;
	uint64_t timeout_ms; /* of a batch with its retries, 0 = none */
	bool gzip;
	char *ca, *key, *cert; /* PEM files, NULL = the system's, none, none */
	uint64_t queue_max, batch_max, delay_ms;
};

struct otlp_config {
	struct otlp_signal signal[EXPORT_SIGNALS];
	struct otlp_sampler sampler;
	bool delta;              /* OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE */
	uint64_t span_attrs_max; /* OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT */
};

/* Fill *ret; target (NULL = the environment's) is a base endpoint, or a protocol of OTEL_EXPORTER_OTLP_PROTOCOL,
 * a colon and that. 0 or -errno with one line in err; on success err is "" or a warning. */
int otlp_config_read(const char *target, env_fn env, struct otlp_config *ret, char *err, size_t err_size);
/* The same, into a file: what is said of destinations is left out. */
int otlp_config_read_file(const char *path, env_fn env, struct otlp_config *ret, char *err, size_t err_size);
void otlp_config_done(struct otlp_config *c);

#endif
