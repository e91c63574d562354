/*
 * The JSON-lines exporter: one object a line into a file, for scripts and for looking at. Whole lines go out in one write() to a descriptor
 * opened for appending, so those of several agents do not mix, and the accounting is exact. Spans, which may be many, are written together:
 * when the agent has handed on what it read, or enough of them wait. Agent's main thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/exporters.h"
#include "exporters/json_line.h"
#include "report/findings.h"
#include "report/text.h"

#define TOGETHER_BYTES (64U * 1024U)

struct jsonl {
	int fd;
	struct json_line spans; /* lines of spans that were not written yet */
	struct export_counts counts[EXPORT_SIGNALS];
	char error[160];
};

static json_t *value_json(const struct attr *a)
{
	switch (a->type) {
	case ATTR_STRING:
		return text_json(a->s);
	case ATTR_INT:
		return json_integer(a->i);
	case ATTR_DOUBLE:
		return json_real(a->d);
	case ATTR_BOOL:
		return json_boolean(a->b);
	}
	return json_null();
}

static json_t *attrs_json(const struct attr *attrs, size_t n)
{
	json_t *o = json_object();
	for (size_t i = 0; i < n; i++)
		json_object_set_new(o, attrs[i].key, value_json(&attrs[i]));
	return o;
}

static json_t *id_json(const uint8_t *id, size_t len)
{
	char text[33] = "";
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
	return json_string(text);
}

static int write_line(int fd, const json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(12));
	if (text == NULL)
		return -ENOMEM;
	size_t len = strlen(text);
	text[len] = '\n'; /* in place of the NUL: the length is known */
	ssize_t done = write(fd, text, len + 1);
	int rc = done < 0 ? -errno : (size_t)done == len + 1 ? 0 : -EIO;
	free(text);
	return rc;
}

static int jsonl_open(const char *target, const struct resource *r, void **ret, char *err, size_t err_size)
{
	if (target == NULL || target[0] == '\0') {
		snprintf(err, err_size, "name a file: --export jsonl:FILE");
		return -EINVAL;
	}
	err[0] = '\0';
	struct jsonl *x = calloc(1, sizeof *x);
	if (x == NULL)
		return -ENOMEM;
	int rc = 0;
	/* telemetry names peers and paths: for its owner's eyes */
	x->fd = open(target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (x->fd < 0)
		rc = -errno;
	if (rc == 0) {
		json_t *about = json_object();
		json_object_set_new(about, "resource", attrs_json(r->attrs, r->attrs_n));
		rc = write_line(x->fd, about);
		json_decref(about);
	}
	if (rc != 0) {
		snprintf(err, err_size, "%s: cannot be written: %s; check the folder and its permissions", target, strerror(-rc));
		if (x->fd >= 0)
			close(x->fd);
		free(x);
		return rc;
	}
	*ret = x;
	return 0;
}

static void add_value(struct json_line *l, const struct attr *a)
{
	switch (a->type) {
	case ATTR_STRING:
		json_line_text(l, a->s);
		break;
	case ATTR_INT:
		json_line_int(l, a->i);
		break;
	case ATTR_DOUBLE:
		json_line_real(l, a->d);
		break;
	case ATTR_BOOL:
		json_line_bool(l, a->b);
		break;
	}
}

static void add_attrs(struct json_line *l, const struct attr *attrs, size_t n)
{
	json_line_literal(l, "{");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			json_line_literal(l, ",");
		json_line_text(l, attrs[i].key);
		json_line_literal(l, ":");
		add_value(l, &attrs[i]);
	}
	json_line_literal(l, "}");
}

static void add_ids(struct json_line *l, const uint8_t *trace_id, const uint8_t *span_id)
{
	json_line_literal(l, "{\"trace_id\":");
	json_line_hex(l, trace_id, 16);
	json_line_literal(l, ",\"span_id\":");
	json_line_hex(l, span_id, 8);
}

static void add_span(struct json_line *l, const struct span *s)
{
	static const char *const kinds[] = {[SPAN_INTERNAL] = "internal",
					    [SPAN_SERVER] = "server",
					    [SPAN_CLIENT] = "client",
					    [SPAN_PRODUCER] = "producer",
					    [SPAN_CONSUMER] = "consumer"};
	static const char *const statuses[] = {[SPAN_UNSET] = "unset", [SPAN_OK] = "ok", [SPAN_ERROR] = "error"};
	static const uint8_t none[8];

	json_line_literal(l, "{\"span\":");
	add_ids(l, s->trace_id, s->span_id);
	json_line_literal(l, ",\"parent_id\":");
	if (memcmp(s->parent_id, none, sizeof none) == 0)
		json_line_literal(l, "null");
	else
		json_line_hex(l, s->parent_id, sizeof s->parent_id);
	json_line_literal(l, ",\"name\":");
	json_line_text(l, s->name);
	json_line_literal(l, ",\"kind\":");
	json_line_text(l, kinds[s->kind]);
	json_line_literal(l, ",\"start\":");
	json_line_time(l, s->start_ns);
	json_line_literal(l, ",\"end\":");
	json_line_time(l, s->end_ns);
	json_line_literal(l, ",\"duration_s\":");
	json_line_seconds(l, s->end_ns - s->start_ns);
	json_line_literal(l, ",\"status\":");
	json_line_text(l, statuses[s->status]);
	json_line_literal(l, ",\"attributes\":");
	add_attrs(l, s->attrs, s->attrs_n);
	if (s->linked) {
		json_line_literal(l, ",\"link\":");
		add_ids(l, s->link_trace_id, s->link_span_id);
		json_line_literal(l, "}");
	}
	json_line_literal(l, "}}\n");
}

static size_t lines_in(const char *text, size_t len)
{
	const char *const end = text + len;
	size_t n = 0;

	while ((text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
		text++;
		n++;
	}
	return n;
}

/* Write the spans that wait. Where a disk gets full midway, those that are whole in the file arrived. */
static void write_spans(struct jsonl *x)
{
	struct export_counts *const c = &x->counts[EXPORT_SPANS];
	struct json_line *const l = &x->spans;
	size_t done = 0, whole;

	while (done < l->len) {
		const ssize_t n = write(x->fd, l->text + done, l->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			snprintf(x->error, sizeof x->error, "cannot write: %s", strerror(n < 0 ? errno : EIO));
			break;
		}
		done += (size_t)n;
	}
	whole = done < l->len ? lines_in(l->text, done) : c->queued;
	c->acknowledged += whole;
	c->dropped += c->queued - whole;
	c->queued = 0;
	l->len = 0;
}

static void jsonl_span(void *ctx, const struct span *s)
{
	struct jsonl *x = ctx;
	const size_t before = x->spans.len;

	x->counts[EXPORT_SPANS].produced++;
	add_span(&x->spans, s);
	if (x->spans.failed) {
		x->spans.failed = false;
		x->spans.len = before;
		x->counts[EXPORT_SPANS].dropped++;
		snprintf(x->error, sizeof x->error, "no memory for a span");
		return;
	}
	x->counts[EXPORT_SPANS].queued++;
	if (x->spans.len >= TOGETHER_BYTES)
		write_spans(x);
}

static void jsonl_turn(void *ctx)
{
	write_spans(ctx);
}

/* Write {"<kind>": o} and count it. Takes o over. */
static void put(struct jsonl *x, enum export_signal signal, const char *kind, json_t *o)
{
	json_t *line = json_object();
	json_object_set_new(line, kind, o);
	write_spans(x); /* what came first stands first */
	int rc = write_line(x->fd, line);
	json_decref(line);
	x->counts[signal].produced++;
	if (rc == 0) {
		x->counts[signal].acknowledged++;
	} else {
		x->counts[signal].dropped++;
		snprintf(x->error, sizeof x->error, "cannot write: %s", strerror(-rc));
	}
}

static json_t *point_json(const struct metric *m, const struct metric_point *p)
{
	char start[32], time[32];
	json_t *o = json_object();
	json_object_set_new(o, "name", json_string(m->name));
	json_object_set_new(o, "unit", json_string(m->unit != NULL ? m->unit : ""));
	json_object_set_new(o, "attributes", attrs_json(p->attrs, p->attrs_n));
	json_object_set_new(o, "start", json_string(time_text(p->start_ns, start, sizeof start)));
	json_object_set_new(o, "time", json_string(time_text(p->time_ns, time, sizeof time)));
	if (m->kind != METRIC_HISTOGRAM) {
		json_object_set_new(o, "value", json_real(p->value));
		return o;
	}
	json_t *bounds = json_array(), *buckets = json_array();
	for (size_t i = 0; i < m->bounds_n; i++)
		json_array_append_new(bounds, json_real(m->bounds[i]));
	for (size_t i = 0; i <= m->bounds_n; i++)
		json_array_append_new(buckets, json_integer((json_int_t)p->buckets[i]));
	json_object_set_new(o, "count", json_integer((json_int_t)p->count));
	json_object_set_new(o, "sum", json_real(p->sum));
	json_object_set_new(o, "min", json_real(p->min));
	json_object_set_new(o, "max", json_real(p->max));
	json_object_set_new(o, "bounds", bounds);
	json_object_set_new(o, "buckets", buckets);
	return o;
}

static void jsonl_metrics(void *ctx, const struct metric *m, size_t n, uint64_t now_ns)
{
	(void)now_ns;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < m[i].points_n; k++)
			put(ctx, EXPORT_METRICS, "metric", point_json(&m[i], &m[i].points[k]));
}

static void jsonl_finding(void *ctx, const json_t *finding, const uint8_t *trace_id, const uint8_t *span_id, uint64_t time_ns)
{
	char time[32];
	json_t *o = json_copy((json_t *)finding);
	json_object_set_new(o, "time", json_string(time_text(time_ns, time, sizeof time)));
	if (trace_id != NULL && span_id != NULL) {
		json_object_set_new(o, "trace_id", id_json(trace_id, 16));
		json_object_set_new(o, "span_id", id_json(span_id, 8));
	}
	put(ctx, EXPORT_LOGS, "finding", o);
}

static void jsonl_flush(void *ctx, unsigned int timeout_ms)
{
	(void)timeout_ms;
	write_spans(ctx);
}

static void jsonl_counts(void *ctx, struct export_counts out[EXPORT_SIGNALS])
{
	struct jsonl *x = ctx;
	memcpy(out, x->counts, sizeof x->counts);
}

static void jsonl_error(void *ctx, char *buf, size_t size)
{
	struct jsonl *x = ctx;
	snprintf(buf, size, "%s", x->error);
}

static void jsonl_close(void *ctx, unsigned int timeout_ms)
{
	struct jsonl *x = ctx;
	(void)timeout_ms;
	write_spans(x);
	close(x->fd);
	free(x->spans.text);
	free(x);
}

const struct exporter exporter_jsonl = {
	.name = "jsonl",
	.doc = "JSON lines appended to a file: jsonl:FILE",
	.open = jsonl_open,
	.span = jsonl_span,
	.turn = jsonl_turn,
	.metrics = jsonl_metrics,
	.finding = jsonl_finding,
	.flush = jsonl_flush,
	.counts = jsonl_counts,
	.last_error = jsonl_error,
	.close = jsonl_close,
};
