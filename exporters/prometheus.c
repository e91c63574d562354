/*
 * The Prometheus exporter: an HTTP endpoint, /metrics, that says the metrics of a second ago at most. Loopback unless another address is
 * named: who may ask is not checked.
 *
 * Owner: the agent's main thread, which leaves a snapshot; libmicrohttpd's thread renders it when it is asked for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/exporters.h"
#include "exporters/gzip.h"
#include "exporters/otlp_env_parse.h"
#include "exporters/prometheus_text.h"

#define DEFAULT_HOST "localhost"
#define DEFAULT_PORT "9464"
#define CONNECTIONS_MAX 32U
#define TIMEOUT_S 10U
#define TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct prometheus {
	const struct resource *resource;
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock;  /* of what follows */
	struct bytes *metrics; /* encoded, of the latest snapshot */
	size_t metrics_n;
	uint64_t points, dropped;
};

static void forget(struct bytes *metrics, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(metrics[i].data);
	free(metrics);
}

/* -- libmicrohttpd's thread -- */

static enum MHD_Result say(struct MHD_Connection *c, unsigned int status, const char *text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
	if (r == NULL)
		return MHD_NO;
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, "Allow", "GET, HEAD");
	enum MHD_Result done = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result say_page(struct MHD_Connection *c, struct bytes *page, bool openmetrics)
{
	struct bytes packed;
	const char *accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept-Encoding");
	bool gzip = accept != NULL && strstr(accept, "gzip") != NULL && gzip_pack(page, &packed) == 0;
	if (gzip) {
		free(page->data);
		*page = packed;
	}
	struct MHD_Response *r = MHD_create_response_from_buffer(page->len, page->data, MHD_RESPMEM_MUST_FREE);
	if (r == NULL) {
		free(page->data);
		return MHD_NO;
	}
	MHD_add_response_header(r, "Content-Type", openmetrics ? OPENMETRICS_TYPE : TEXT_TYPE);
	if (gzip)
		MHD_add_response_header(r, "Content-Encoding", "gzip");
	enum MHD_Result done = MHD_queue_response(c, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method, const char *version,
				  const char *data, size_t *data_len, void **request)
{
	struct prometheus *x = ctx;
	struct bytes page;
	(void)version;
	(void)data;
	(void)request;
	*data_len = 0;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return say(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET /metrics\n");
	if (strcmp(url, "/metrics") != 0)
		return say(c, MHD_HTTP_NOT_FOUND, "GET /metrics\n");
	bool openmetrics = prometheus_wants_openmetrics(MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept"));
	pthread_mutex_lock(&x->lock);
	int rc = prometheus_text(x->resource, x->metrics, x->metrics_n, openmetrics, &page);
	pthread_mutex_unlock(&x->lock);
	return rc == 0 ? say_page(c, &page, openmetrics) : say(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
}

/* -- the agent's main thread -- */

/* [HOST:]PORT, else OTEL_EXPORTER_PROMETHEUS_HOST and _PORT. */
static int read_address(const char *target, struct addrinfo **ret, char *err, size_t err_size)
{
	char host[256];
	const char *given = env_text(NULL, "OTEL_EXPORTER_PROMETHEUS_HOST"),
		   *port = env_text(NULL, "OTEL_EXPORTER_PROMETHEUS_PORT");
	snprintf(host, sizeof host, "%s", given != NULL ? given : DEFAULT_HOST);
	port = port != NULL ? port : DEFAULT_PORT;
	if (target != NULL && target[0] != '\0') {
		const char *colon = strrchr(target, ':');
		port = colon != NULL ? colon + 1 : target;
		if (colon != NULL) {
			bool brackets = target[0] == '[' && colon > target + 1 && colon[-1] == ']';
			snprintf(host, sizeof host, "%.*s", (int)(colon - target) - 2 * brackets, target + brackets);
		}
	}
	char *end;
	unsigned long number = strtoul(port, &end, 10);
	if (*end != '\0' || number == 0 || number > 65535) {
		snprintf(err, err_size, "%s is no port; give an address such as 127.0.0.1:9464", port);
		return -EINVAL;
	}
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_PASSIVE};
	int rc = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, ret);
	if (rc == 0)
		return 0;
	snprintf(err, err_size, "%s:%s is no address to listen on: %s; give one such as 127.0.0.1:9464", host, port,
		 gai_strerror(rc));
	return -EINVAL;
}

static struct MHD_Daemon *listen_on(struct prometheus *x, const struct addrinfo *a)
{
	sigset_t all, before;
	unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | (a->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0);
	sigfillset(&all); /* signals are for the agent's main thread */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	struct MHD_Daemon *d =
		MHD_start_daemon(flags, 0, NULL, NULL, on_request, x, MHD_OPTION_SOCK_ADDR, a->ai_addr, MHD_OPTION_CONNECTION_LIMIT,
				 CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return d;
}

static void prometheus_close(void *ctx, unsigned int timeout_ms)
{
	struct prometheus *x = ctx;
	(void)timeout_ms;
	if (x->daemon != NULL)
		MHD_stop_daemon(x->daemon);
	forget(x->metrics, x->metrics_n);
	pthread_mutex_destroy(&x->lock);
	free(x);
}

static int prometheus_open(const char *target, const struct resource *r, void **ret, char *err, size_t err_size)
{
	struct addrinfo *list;
	err[0] = '\0';
	int rc = read_address(target, &list, err, err_size);
	if (rc != 0)
		return rc;
	struct prometheus *x = calloc(1, sizeof *x);
	if (x == NULL) {
		freeaddrinfo(list);
		return -ENOMEM;
	}
	x->resource = r;
	pthread_mutex_init(&x->lock, NULL);
	errno = 0;
	/* Scrapers are told 127.0.0.1, and where a machine names ::1 first for localhost they would find nobody there. */
	for (int other = 0; other < 2; other++) {
		for (const struct addrinfo *a = list; a != NULL && x->daemon == NULL; a = a->ai_next)
			x->daemon = (a->ai_family != AF_INET) == other ? listen_on(x, a) : NULL;
	}
	rc = x->daemon != NULL ? 0 : errno != 0 ? -errno : -EADDRINUSE;
	freeaddrinfo(list);
	if (rc != 0) {
		snprintf(err, err_size, "cannot listen there: %s; give another port: --export prometheus:127.0.0.1:9465",
			 strerror(-rc));
		prometheus_close(x, 0);
		return rc;
	}
	*ret = x;
	return 0;
}

static void prometheus_metrics(void *ctx, const struct metric *m, size_t n, uint64_t now_ns)
{
	struct prometheus *x = ctx;
	struct bytes *fresh = calloc(n + 1, sizeof *fresh), *old;
	size_t used = 0, old_n;
	uint64_t points = 0, dropped = 0;
	(void)now_ns;
	for (size_t i = 0; i < n; i++) {
		if (m[i].points_n == 0)
			continue;
		points += m[i].points_n;
		if (fresh != NULL && otlp_encode_metric(&m[i], &fresh[used]) == 0)
			used++;
		else
			dropped += m[i].points_n;
	}
	pthread_mutex_lock(&x->lock);
	old = x->metrics;
	old_n = x->metrics_n;
	x->metrics = fresh;
	x->metrics_n = used;
	x->points += points;
	x->dropped += dropped;
	pthread_mutex_unlock(&x->lock);
	forget(old, old_n);
}

/* A snapshot that is there to be read is delivered. */
static void prometheus_counts(void *ctx, struct export_counts out[EXPORT_SIGNALS])
{
	struct prometheus *x = ctx;
	memset(out, 0, EXPORT_SIGNALS * sizeof *out);
	out[EXPORT_METRICS].produced = x->points;
	out[EXPORT_METRICS].dropped = x->dropped;
	out[EXPORT_METRICS].acknowledged = x->points - x->dropped;
}

const struct exporter exporter_prometheus = {
	.name = "prometheus",
	.doc = "metrics for Prometheus to scrape at /metrics: prometheus[:[HOST:]PORT], else OTEL_EXPORTER_PROMETHEUS_HOST and "
	       "_PORT, "
	       "else localhost:9464",
	.metrics_every_ms = 1000,
	.open = prometheus_open,
	.metrics = prometheus_metrics,
	.counts = prometheus_counts,
	.close = prometheus_close,
};
