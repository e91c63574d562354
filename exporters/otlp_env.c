/*
 * Configuration of the OTLP exporter. Each option is looked up for the signal, then for all signals.
 */
#include "exporters/otlp_env.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "core/limits.h"

#define DEFAULT_ENDPOINT "http://localhost:4318"
#define DEFAULT_ENDPOINT_GRPC "http://localhost:4317"
#define DEFAULT_TIMEOUT_MS 10000U
#define DEFAULT_METRIC_TIMEOUT_MS 30000U

static const char *const protocol_names[] = {
	[OTLP_HTTP_PROTOBUF] = "http/protobuf", [OTLP_HTTP_JSON] = "http/json", [OTLP_GRPC] = "grpc"};
#define PROTOCOLS (sizeof protocol_names / sizeof *protocol_names)

struct signal_names {
	const char *infix, *path; /* OTEL_EXPORTER_OTLP_<infix>_…, v1/<path> */
	const char *exporter;     /* otlp | none */
	const char *queue, *batch, *delay;
	uint64_t queue_max, batch_max, delay_ms; /* defaults */
};

static const struct signal_names names[EXPORT_SIGNALS] = {
	[EXPORT_SPANS] = {"TRACES", "traces", "OTEL_TRACES_EXPORTER", "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
			  "OTEL_BSP_SCHEDULE_DELAY", LIMIT_SPAN_QUEUE, 512, 5000},
	/* a collection is sent as soon as it is made; two full ones fit the queue */
	[EXPORT_METRICS] = {"METRICS", "metrics", "OTEL_METRICS_EXPORTER", NULL, NULL, NULL, 16384, 16384, 0},
	[EXPORT_LOGS] = {"LOGS", "logs", "OTEL_LOGS_EXPORTER", "OTEL_BLRP_MAX_QUEUE_SIZE", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
			 "OTEL_BLRP_SCHEDULE_DELAY", LIMIT_SPAN_QUEUE, 512, 1000},
};

struct reader {
	env_fn env;
	char *err;
	size_t err_size;
};

/* The first warning stands: one line is all there is room for. */
static void warn(const struct reader *r, const char *name, const char *why)
{
	if (r->err_size > 0 && r->err[0] == '\0')
		snprintf(r->err, r->err_size, "%s is ignored: %s", name, why);
}

/* OTEL_EXPORTER_OTLP_<signal>_<option>, else OTEL_EXPORTER_OTLP_<option>; name ≥ 80 bytes gets the one that was set. */
static const char *option(const struct reader *r, const struct signal_names *n, const char *what, char *name, size_t size)
{
	snprintf(name, size, "OTEL_EXPORTER_OTLP_%s_%s", n->infix, what);
	const char *value = env_text(r->env, name);
	if (value != NULL)
		return value;
	snprintf(name, size, "OTEL_EXPORTER_OTLP_%s", what);
	return env_text(r->env, name);
}

static int copy_text(char **slot, const char *text)
{
	if (text == NULL)
		return 0;
	*slot = strdup(text);
	return *slot != NULL ? 0 : -ENOMEM;
}

static int url_check(const struct reader *r, const char *name, const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL;
	bool good = u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
		    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		    (strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0) && host[0] != '\0';
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	if (good)
		return 0;
	/* the value is not repeated: it may carry a password */
	snprintf(r->err, r->err_size, "%s is not an http:// or https:// URL; give one such as " DEFAULT_ENDPOINT, name);
	return -EINVAL;
}

/* A base URL gets v1/<signal> appended to its path, and nothing else. */
static char *url_of_base(const char *base, const char *path)
{
	size_t len = strcspn(base, "?#");
	const char *slash = len > 0 && base[len - 1] == '/' ? "" : "/";
	char *url = NULL;
	return asprintf(&url, "%.*s%sv1/%s%s", (int)len, base, slash, path, base + len) < 0 ? NULL : url;
}

/* gRPC's endpoint may leave the scheme out: then OTEL_EXPORTER_OTLP_INSECURE decides. Elsewhere it may not. */
static int url_with_scheme(const struct reader *r, const struct signal_names *n, const char *url, const struct otlp_signal *s,
			   char **ret)
{
	char name[80];
	const char *insecure = option(r, n, "INSECURE", name, sizeof name);
	const char *scheme = s->protocol != OTLP_GRPC || strstr(url, "://") != NULL  ? ""
			     : insecure != NULL && strcasecmp(insecure, "true") == 0 ? "http://"
										     : "https://";
	return asprintf(ret, "%s%s", scheme, url) < 0 ? -ENOMEM : 0;
}

static int read_url(const struct reader *r, const struct signal_names *n, const char *target, struct otlp_signal *s)
{
	char name[80], *url = NULL;
	snprintf(name, sizeof name, "OTEL_EXPORTER_OTLP_%s_ENDPOINT", n->infix);
	const char *own = target == NULL ? env_text(r->env, name) : NULL;
	if (own == NULL)
		snprintf(name, sizeof name, "%s",
			 target != NULL ? "the target of --export otlp:URL" : "OTEL_EXPORTER_OTLP_ENDPOINT");
	const char *base = target != NULL ? target : env_text(r->env, "OTEL_EXPORTER_OTLP_ENDPOINT");
	const char *fallback = s->protocol == OTLP_GRPC ? DEFAULT_ENDPOINT_GRPC : DEFAULT_ENDPOINT;
	int rc = url_with_scheme(r, n, own != NULL ? own : base != NULL ? base : fallback, s, &url);
	rc = rc != 0 ? rc : url_check(r, name, url);
	if (rc == 0 && own == NULL && s->protocol != OTLP_GRPC) {
		s->url = url_of_base(url, n->path);
		rc = s->url != NULL ? 0 : -ENOMEM;
	} else if (rc == 0) {
		s->url = url;
		url = NULL;
	}
	free(url);
	return rc;
}

static void add_header(void *ctx, const char *key, const char *value)
{
	struct otlp_signal *s = ctx;
	if (s->headers_n == OTLP_HEADERS_MAX || strpbrk(key, "\r\n:") != NULL || strpbrk(value, "\r\n") != NULL)
		return;
	/* curl leaves out a header with nothing behind the colon; with a semicolon it sends it empty */
	char *line = NULL;
	int n = value[0] != '\0' ? asprintf(&line, "%s: %s", key, value) : asprintf(&line, "%s;", key);
	if (n >= 0)
		s->headers[s->headers_n++] = line;
}

static void drop_headers(struct otlp_signal *s)
{
	for (size_t i = 0; i < s->headers_n; i++)
		free(s->headers[i]);
	s->headers_n = 0;
}

static void read_headers(const struct reader *r, const struct signal_names *n, struct otlp_signal *s)
{
	char name[80];
	const char *list = option(r, n, "HEADERS", name, sizeof name);
	if (list == NULL || pairs_parse(list, add_header, s))
		return;
	drop_headers(s);
	warn(r, name, "not a list of key=value, percent-encoded");
}

static void read_protocol(const struct reader *r, const struct signal_names *n, struct otlp_signal *s)
{
	char name[80];
	const char *protocol = option(r, n, "PROTOCOL", name, sizeof name);
	for (size_t i = 0; protocol != NULL && i < PROTOCOLS; i++) {
		if (strcasecmp(protocol, protocol_names[i]) == 0) {
			s->protocol = (enum otlp_protocol)i;
			return;
		}
	}
	if (protocol != NULL)
		warn(r, name, "not one of grpc, http/protobuf, http/json; http/protobuf is used");
}

/* "grpc:http://host:4317": a destination of its own protocol. NULL where nothing is left behind it. */
static const char *target_protocol(const char *target, struct otlp_signal *s)
{
	for (size_t i = 0; target != NULL && i < PROTOCOLS; i++) {
		size_t len = strlen(protocol_names[i]);
		if (strncasecmp(target, protocol_names[i], len) != 0 || (target[len] != ':' && target[len] != '\0'))
			continue;
		s->protocol = (enum otlp_protocol)i;
		target += target[len] == ':' ? len + 1 : len;
		break;
	}
	return target != NULL && target[0] != '\0' ? target : NULL;
}

static void read_number(const struct reader *r, const char *name, uint64_t smallest, uint64_t *ret)
{
	uint64_t n = *ret;
	if (name == NULL)
		return;
	if (env_number(r->env, name, &n) != 0 || n < smallest || n > UINT32_MAX)
		warn(r, name, "not a whole number that makes sense here");
	else
		*ret = n;
}

static void read_timeout(const struct reader *r, const struct signal_names *n, struct otlp_signal *s)
{
	char name[80];
	s->timeout_ms = DEFAULT_TIMEOUT_MS;
	if (option(r, n, "TIMEOUT", name, sizeof name) != NULL)
		read_number(r, name, 0, &s->timeout_ms);
	if (s->kind != EXPORT_METRICS)
		return;
	uint64_t export_ms = DEFAULT_METRIC_TIMEOUT_MS; /* of the periodic reader, over all attempts */
	read_number(r, "OTEL_METRIC_EXPORT_TIMEOUT", 1, &export_ms);
	if (s->timeout_ms == 0 || s->timeout_ms > export_ms)
		s->timeout_ms = export_ms;
}

static void read_compression(const struct reader *r, const struct signal_names *n, struct otlp_signal *s)
{
	char name[80];
	const char *value = option(r, n, "COMPRESSION", name, sizeof name);
	s->gzip = value != NULL && strcasecmp(value, "gzip") == 0;
	if (value != NULL && !s->gzip && strcasecmp(value, "none") != 0)
		warn(r, name, "not one of none, gzip");
}

static void read_exporter(const struct reader *r, const struct signal_names *n, struct otlp_signal *s)
{
	const char *value = env_text(r->env, n->exporter);
	s->enabled = value == NULL || strcasecmp(value, "none") != 0;
	s->console = value != NULL && strcasecmp(value, "console") == 0;
	if (value != NULL && s->enabled && !s->console && strcasecmp(value, "otlp") != 0)
		warn(r, n->exporter, "not one of otlp, console, none");
}

static void read_queue(const struct reader *r, const struct signal_names *n, struct otlp_signal *s)
{
	s->queue_max = n->queue_max;
	s->batch_max = n->batch_max;
	s->delay_ms = n->delay_ms;
	read_number(r, n->queue, 1, &s->queue_max);
	read_number(r, n->batch, 1, &s->batch_max);
	read_number(r, n->delay, 0, &s->delay_ms);
	if (s->batch_max > s->queue_max)
		s->batch_max = s->queue_max;
}

static int read_signal(const struct reader *r, const struct signal_names *n, const char *target, const char *file,
		       struct otlp_signal *s)
{
	char name[80];
	read_exporter(r, n, s);
	if (!s->enabled)
		return 0;
	read_queue(r, n, s);
	if (s->console || file != NULL) {
		s->protocol = OTLP_FILE;
		return copy_text(&s->url, s->console ? "-" : file);
	}
	read_protocol(r, n, s);
	target = target_protocol(target, s);
	int rc = read_url(r, n, target, s);
	rc = rc != 0 ? rc : copy_text(&s->ca, option(r, n, "CERTIFICATE", name, sizeof name));
	rc = rc != 0 ? rc : copy_text(&s->key, option(r, n, "CLIENT_KEY", name, sizeof name));
	rc = rc != 0 ? rc : copy_text(&s->cert, option(r, n, "CLIENT_CERTIFICATE", name, sizeof name));
	if (rc != 0)
		return rc;
	read_headers(r, n, s);
	read_timeout(r, n, s);
	read_compression(r, n, s);
	return 0;
}

/* lowmemory differs from delta in observed counters only, which a collection of ours does not keep apart: their deltas cost no memory that
 * the others do not. */
static void read_temporality(const struct reader *r, struct otlp_config *c)
{
	static const char name[] = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
	const char *value = env_text(r->env, name);
	if (value == NULL || strcasecmp(value, "cumulative") == 0)
		return;
	c->delta = strcasecmp(value, "delta") == 0 || strcasecmp(value, "lowmemory") == 0;
	if (!c->delta)
		warn(r, name, "not one of cumulative, delta, lowmemory");
}

static const char aggregation[] = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
static const char exponential[] = "base2_exponential_bucket_histogram";

/* The measurements are made by the session, so it is asked before (exporter_wants_exponential); here a mistake is told. */
static void check_aggregation(const struct reader *r)
{
	const char *value = env_text(r->env, aggregation);
	if (value != NULL && strcasecmp(value, exponential) != 0 && strcasecmp(value, "explicit_bucket_histogram") != 0)
		warn(r, aggregation, "not one of explicit_bucket_histogram, base2_exponential_bucket_histogram");
}

static int read_all(const char *target, const char *file, env_fn env, struct otlp_config *ret, char *err, size_t err_size)
{
	struct otlp_config c = {.span_attrs_max = SPAN_ATTRS_MAX};
	const struct reader r = {.env = env, .err = err, .err_size = err_size};
	if (err_size > 0)
		err[0] = '\0';
	bool off = env_true(env, "OTEL_SDK_DISABLED", false);
	for (size_t i = 0; i < EXPORT_SIGNALS && !off; i++) {
		c.signal[i].kind = (enum export_signal)i;
		int rc = read_signal(&r, &names[i], target, file, &c.signal[i]);
		if (rc != 0) {
			otlp_config_done(&c);
			return rc;
		}
	}
	if (!otlp_sampler_read(env, &c.sampler))
		warn(&r, "OTEL_TRACES_SAMPLER",
		     "not a sampler of the specification, or its argument is no ratio; parentbased_always_on is used");
	read_temporality(&r, &c);
	check_aggregation(&r);
	read_number(&r, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", 0, &c.span_attrs_max);
	*ret = c;
	return 0;
}

int otlp_config_read(const char *target, env_fn env, struct otlp_config *ret, char *err, size_t err_size)
{
	return read_all(target, NULL, env, ret, err, err_size);
}

int otlp_config_read_file(const char *path, env_fn env, struct otlp_config *ret, char *err, size_t err_size)
{
	return read_all(NULL, path, env, ret, err, err_size);
}

void otlp_config_done(struct otlp_config *c)
{
	for (size_t i = 0; i < EXPORT_SIGNALS; i++) {
		struct otlp_signal *s = &c->signal[i];
		drop_headers(s);
		free(s->url);
		free(s->ca);
		free(s->key);
		free(s->cert);
	}
	memset(c, 0, sizeof *c);
}

unsigned int exporter_metric_interval_ms(void)
{
	uint64_t ms = 60000;
	if (env_number(NULL, "OTEL_METRIC_EXPORT_INTERVAL", &ms) != 0 || ms == 0 || ms > UINT32_MAX)
		return 60000;
	return (unsigned int)ms;
}

bool exporter_wants_exponential(void)
{
	const char *value = env_text(NULL, aggregation);
	return value != NULL && strcasecmp(value, exponential) == 0;
}
