/*
 * The OTLP exporter: a lane for each signal, over HTTP or gRPC as the configuration says.
 *
 * Called on the agent's main thread: encodes what it is given and pushes it to the lane (otlp_lane.c), whose thread sends it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "exporters/exporters.h"
#include "exporters/otlp_delta.h"
#include "exporters/otlp_lane.h"
#include "exporters/otlp_spare.h"
#include "report/stable_hash.h"

#define NS_PER_MS 1000000ULL

struct otlp {
	struct otlp_config config;
	struct otlp_lane *lanes[EXPORT_SIGNALS]; /* NULL where the signal is off */
	struct otlp_delta *delta;                /* NULL = cumulative */
	struct otlp_spare *spare;                /* the latest of the unsampled; NULL until it is needed */
	uint64_t unsampled;                      /* spans; the main thread's */
};

static struct {
	const char *folder;
	uint64_t size_max;
} queue; /* of exporters opened from now on; main thread */

void exporter_queue_in(const char *folder, uint64_t size_max)
{
	queue.folder = folder;
	queue.size_max = size_max;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static void curl_start(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void otlp_free(struct otlp *x)
{
	for (size_t i = 0; i < EXPORT_SIGNALS; i++)
		otlp_lane_free(x->lanes[i]);
	otlp_config_done(&x->config);
	otlp_delta_free(x->delta);
	otlp_spare_free(x->spare);
	free(x);
}

/* The file is named after the destination, so that the next session finds what this one leaves. */
static int lane_open(const struct otlp_signal *s, const struct resource *r, struct otlp_lane **ret, char *err, size_t err_size)
{
	static const char *const signals[EXPORT_SIGNALS] = {
		[EXPORT_SPANS] = "traces", [EXPORT_METRICS] = "metrics", [EXPORT_LOGS] = "logs"};
	struct otlp_store *store = NULL;
	char name[64], why[256] = "";
	int rc = 0;
	if (queue.folder != NULL && s->protocol != OTLP_FILE) {
		uint64_t destination = hash_end(hash_number(hash_text(HASH_START, s->url), s->protocol == OTLP_GRPC));
		snprintf(name, sizeof name, "otlp-%016llx-%s", (unsigned long long)destination, signals[s->kind]);
		rc = otlp_store_open(queue.folder, name, queue.size_max, &store, why, sizeof why);
		if (why[0] != '\0')
			snprintf(err, err_size, "%s", why);
	}
	if (rc != 0)
		return rc;
	rc = otlp_lane_new(s, r, store, ret);
	if (rc != 0) {
		otlp_store_close(store);
		if (s->protocol == OTLP_FILE)
			snprintf(err, err_size, "%s: cannot be written: %s; check the folder and its permissions", s->url,
				 strerror(-rc));
		else
			snprintf(err, err_size, "cannot start a thread to export: out of memory or threads");
	}
	return rc;
}

typedef int (*config_fn)(const char *target, env_fn env, struct otlp_config *ret, char *err, size_t err_size);

static int open_with(config_fn read_config, const char *target, const struct resource *r, void **ret, char *err, size_t err_size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, curl_start);
	struct otlp *x = calloc(1, sizeof *x);
	if (x == NULL)
		return -ENOMEM;
	int rc = read_config(target, NULL, &x->config, err, err_size);
	for (size_t i = 0; rc == 0 && i < EXPORT_SIGNALS; i++) {
		if (!x->config.signal[i].enabled)
			continue;
		rc = lane_open(&x->config.signal[i], r, &x->lanes[i], err, err_size);
	}
	if (rc == 0 && x->config.delta && (x->delta = otlp_delta_new()) == NULL)
		rc = -ENOMEM;
	if (rc != 0) {
		otlp_free(x);
		return rc;
	}
	*ret = x;
	return 0;
}

static int otlp_open(const char *target, const struct resource *r, void **ret, char *err, size_t err_size)
{
	return open_with(otlp_config_read, target, r, ret, err, err_size);
}

static int file_open(const char *target, const struct resource *r, void **ret, char *err, size_t err_size)
{
	if (target == NULL || target[0] == '\0') {
		snprintf(err, err_size, "name a file: --export file:PATH");
		return -EINVAL;
	}
	return open_with(otlp_config_read_file, target, r, ret, err, err_size);
}

static void push_one(struct otlp_lane *l, int rc, const struct bytes *bytes)
{
	struct otlp_item item = {.bytes = *bytes, .weight = 1};
	if (rc == 0)
		otlp_lane_push(l, &item, 1);
	else
		otlp_lane_count_dropped(l, 1);
}

static bool has_spare(struct otlp *x)
{
	if (x->spare == NULL)
		x->spare = otlp_spare_new();
	return x->spare != NULL;
}

/* Errors are what a trace is looked at for, and findings name theirs. */
static bool wanted(struct otlp *x, const struct span *s)
{
	return s->status == SPAN_ERROR || otlp_sampled(&x->config.sampler, s) ||
	       (x->spare != NULL && otlp_spare_asked(x->spare, s->span_id));
}

static void otlp_span(void *ctx, const struct span *s)
{
	struct otlp *x = ctx;
	struct otlp_lane *l = x->lanes[EXPORT_SPANS];
	struct bytes bytes = {0};
	if (l == NULL)
		return;
	const bool send = wanted(x, s);
	x->unsampled += !send;
	if (send ? otlp_lane_is_full(l, 1) : !has_spare(x))
		return;
	int rc = otlp_encode_span(s, x->config.span_attrs_max, &bytes);
	if (send)
		push_one(l, rc, &bytes);
	else if (rc == 0)
		otlp_spare_put(x->spare, s->span_id, &bytes);
}

static void otlp_keep(void *ctx, const uint8_t *span_id)
{
	struct otlp *x = ctx;
	struct bytes bytes;
	if (x->lanes[EXPORT_SPANS] == NULL || !has_spare(x) || !otlp_spare_take(x->spare, span_id, &bytes))
		return;
	x->unsampled--;
	push_one(x->lanes[EXPORT_SPANS], 0, &bytes);
}

static void otlp_settle(void *ctx)
{
	struct otlp *x = ctx;
	if (x->spare != NULL)
		otlp_spare_clear(x->spare);
}

static void otlp_metrics(void *ctx, const struct metric *m, size_t n, uint64_t now_ns)
{
	struct otlp *x = ctx;
	struct otlp_lane *l = x->lanes[EXPORT_METRICS];
	struct otlp_item *items = calloc(n + 1, sizeof *items);
	size_t used = 0;
	(void)now_ns; /* points carry their time */
	for (size_t i = 0; l != NULL && i < n; i++) {
		struct metric told = m[i];
		int rc = x->delta != NULL ? otlp_delta_metric(x->delta, &m[i], &told) : 0;
		if (told.points_n == 0)
			continue;
		if (rc == 0 && items != NULL && otlp_encode_metric(&told, &items[used].bytes) == 0)
			items[used++].weight = told.points_n;
		else
			otlp_lane_count_dropped(l, told.points_n);
	}
	if (used > 0)
		otlp_lane_push(l, items, used);
	free(items);
}

static void otlp_finding(void *ctx, const json_t *finding, const uint8_t *trace_id, const uint8_t *span_id, uint64_t time_ns)
{
	struct otlp *x = ctx;
	struct otlp_lane *l = x->lanes[EXPORT_LOGS];
	struct bytes bytes = {0};
	if (l == NULL)
		return;
	int rc = otlp_encode_finding(finding, trace_id, span_id, time_ns, clock_ns(CLOCK_REALTIME), &bytes);
	push_one(l, rc, &bytes);
}

static void otlp_flush(void *ctx, unsigned int timeout_ms)
{
	struct otlp *x = ctx;
	uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + timeout_ms * NS_PER_MS;
	for (size_t i = 0; i < EXPORT_SIGNALS; i++)
		if (x->lanes[i] != NULL)
			otlp_lane_flush_start(x->lanes[i]);
	for (size_t i = 0; i < EXPORT_SIGNALS; i++)
		if (x->lanes[i] != NULL)
			otlp_lane_flush_wait(x->lanes[i], deadline);
}

static void otlp_counts(void *ctx, struct export_counts out[EXPORT_SIGNALS])
{
	struct otlp *x = ctx;
	for (size_t i = 0; i < EXPORT_SIGNALS; i++) {
		out[i] = (struct export_counts){0};
		if (x->lanes[i] != NULL)
			otlp_lane_counts(x->lanes[i], &out[i]);
	}
	out[EXPORT_SPANS].unsampled = x->unsampled;
	out[EXPORT_SPANS].undecided = x->spare != NULL ? otlp_spare_count(x->spare) : 0;
}

static void otlp_error(void *ctx, char *buf, size_t size)
{
	struct otlp *x = ctx;
	buf[0] = '\0';
	for (size_t i = 0; i < EXPORT_SIGNALS && buf[0] == '\0'; i++)
		if (x->lanes[i] != NULL)
			otlp_lane_error(x->lanes[i], buf, size);
}

static void otlp_close(void *ctx, unsigned int timeout_ms)
{
	if (timeout_ms > 0)
		otlp_flush(ctx, timeout_ms);
	otlp_free(ctx);
}

const struct exporter exporter_otlp = {
	.name = "otlp",
	.doc = "OpenTelemetry over HTTP or gRPC: otlp[:[PROTOCOL:]URL], else OTEL_EXPORTER_OTLP_*; PROTOCOL is http/protobuf, "
	       "http/json or grpc",
	.open = otlp_open,
	.span = otlp_span,
	.keep = otlp_keep,
	.settle = otlp_settle,
	.metrics = otlp_metrics,
	.finding = otlp_finding,
	.flush = otlp_flush,
	.counts = otlp_counts,
	.last_error = otlp_error,
	.close = otlp_close,
};

const struct exporter exporter_file = {
	.name = "file",
	.doc = "OTLP as JSON, a request a line, appended to a file, as the Collector's file exporter does: file:PATH",
	.open = file_open,
	.span = otlp_span,
	.keep = otlp_keep,
	.settle = otlp_settle,
	.metrics = otlp_metrics,
	.finding = otlp_finding,
	.flush = otlp_flush,
	.counts = otlp_counts,
	.last_error = otlp_error,
	.close = otlp_close,
};
