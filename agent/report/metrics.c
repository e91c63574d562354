/*
 * The session's metrics. Request metrics live in series (series.c); gapscope's own are built from the counters when asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "report/metrics.h"
#include "report/series.h"
#include "report/spans.h"
#include "report/text.h"
#include "report/url.h"

#define EVENT_IDS 256U
#define METRICS_MAX 16U
#define NS_PER_S 1e9

/* Buckets of the HTTP semantic conventions, in seconds. */
static const double duration_bounds[] = {.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10};
#define DURATION_BOUNDS (sizeof duration_bounds / sizeof *duration_bounds)

static const char *const limit_names[] = {
#define LIMIT(name, text) [LIMIT_REACHED_##name] = (text),
	COUNTED_LIMITS(LIMIT)
#undef LIMIT
};

struct metrics {
	struct counters *counters;
	struct findings *findings;
	struct series *client, *server, *requests;
	const struct exemplar *span; /* of the request being counted */
	uint64_t events[EVENT_IDS];
	struct metric list[METRICS_MAX];
	struct metric_point *own; /* points of the last snapshot's own metrics */
};

struct metrics *metrics_new(struct counters *counters, struct findings *findings)
{
	struct metrics *m = calloc(1, sizeof *m);
	if (m == NULL)
		return NULL;
	m->counters = counters;
	m->findings = findings;
	m->client = series_new(duration_bounds, DURATION_BOUNDS, counters);
	m->server = series_new(duration_bounds, DURATION_BOUNDS, counters);
	m->requests = series_new(NULL, 0, counters);
	if (m->client == NULL || m->server == NULL || m->requests == NULL) {
		metrics_free(m);
		return NULL;
	}
	return m;
}

void metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	series_free(m->client);
	series_free(m->server);
	series_free(m->requests);
	free(m->own);
	free(m);
}

void metrics_in_span(struct metrics *m, const struct exemplar *x)
{
	m->span = x;
}

void metrics_event(struct metrics *m, const struct event *e)
{
	if (e->id < EVENT_IDS)
		m->events[e->id]++;
}

static void add_text(struct attr *attrs, size_t *n, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		attrs[(*n)++] = (struct attr){.key = key, .type = ATTR_STRING, .s = value};
}

static void add_int(struct attr *attrs, size_t *n, const char *key, int64_t value)
{
	attrs[(*n)++] = (struct attr){.key = key, .type = ATTR_INT, .i = value};
}

void metrics_request(struct metrics *m, const struct request *r)
{
	struct attr attrs[POINT_ATTRS_MAX];
	char method[sizeof r->method], host[LIMIT_PEER_TEXT], error[16];
	size_t n = 0;
	add_text(attrs, &n, "gapscope.role", r->server ? "server" : "client");
	add_text(attrs, &n, "gapscope.request.end", request_end_name(r->end));
	series_record(m->requests, attrs, n, 1);
	if (r->end == REQUEST_PENDING)
		return; /* it has no duration */

	n = 0;
	text_clean(r->method[0] != '\0' ? r->method : "_OTHER", method, sizeof method);
	add_text(attrs, &n, "http.request.method", method);
	if (r->server) {
		add_text(attrs, &n, "url.scheme", url_scheme(r->conn != NULL && r->conn->tls));
	} else {
		unsigned int port;
		add_text(attrs, &n, "server.address", request_server(r, host, sizeof host, &port));
		if (port != 0)
			add_int(attrs, &n, "server.port", port);
	}
	if (r->status != 0)
		add_int(attrs, &n, "http.response.status_code", r->status);
	add_text(attrs, &n, "network.protocol.version", request_version(r));
	add_text(attrs, &n, "error.type", request_error_type(r, error, sizeof error));
	uint64_t ns = r->t_end > r->t_start ? r->t_end - r->t_start : 0;
	series_record_traced(r->server ? m->server : m->client, attrs, n, (double)ns / NS_PER_S, m->span);
}

/* Builds the snapshot: metrics into list, own points into one array. */
struct snapshot {
	struct metrics *m;
	size_t metrics_n, points_n, points_room;
	uint64_t start_ns, now_ns;
};

static void snapshot_series(struct snapshot *s, struct metric head, struct series *series)
{
	head.points = series_points(series, s->start_ns, s->now_ns, &head.points_n);
	if (head.points_n > 0)
		s->m->list[s->metrics_n++] = head;
}

static void snapshot_own(struct snapshot *s, struct metric head)
{
	head.points = &s->m->own[s->points_n];
	s->m->list[s->metrics_n++] = head;
}

static void snapshot_point(struct snapshot *s, double value, const char *key, const char *text)
{
	if (s->points_n == s->points_room)
		return;
	struct metric_point *p = &s->m->own[s->points_n++];
	*p = (struct metric_point){.start_ns = s->start_ns, .time_ns = s->now_ns, .value = value};
	add_text(p->attrs, &p->attrs_n, key, text);
	s->m->list[s->metrics_n - 1].points_n++;
}

static void snapshot_events(struct snapshot *s)
{
	uint64_t left[EVENT_IDS];
	memcpy(left, s->m->events, sizeof left);
	snapshot_own(s,
		     (struct metric){
			     .name = "gapscope.events", .unit = "{event}", .doc = "Events read, by family.", .kind = METRIC_SUM});
	for (unsigned int i = 0; i < EVENT_IDS; i++) {
		if (left[i] == 0)
			continue;
		const char *family = event_family((uint16_t)i);
		uint64_t sum = 0;
		for (unsigned int j = i; j < EVENT_IDS; j++) {
			if (left[j] != 0 && strcmp(event_family((uint16_t)j), family) == 0) {
				sum += left[j];
				left[j] = 0;
			}
		}
		snapshot_point(s, (double)sum, "gapscope.event.family", family);
	}
	if (s->m->list[s->metrics_n - 1].points_n == 0)
		s->metrics_n--;
}

/* Zeros are said: "nothing was lost" is a statement, an absent series is not. */
static void snapshot_counters(struct snapshot *s)
{
	const struct counters *c = s->m->counters;
	snapshot_own(s, (struct metric){.name = "gapscope.records.published",
					.unit = "{record}",
					.doc = "Records that sources published."});
	snapshot_point(s, (double)c->published, NULL, NULL);
	snapshot_own(s, (struct metric){
				.name = "gapscope.events.lost", .unit = "{record}", .doc = "Records that sources lost, by cause."});
	for (unsigned int i = 0; i < WIRE_LOSS_CAUSES; i++)
		snapshot_point(s, (double)c->lost[i], "gapscope.loss.cause", loss_name(i));
	snapshot_own(s, (struct metric){.name = "gapscope.limits.reached",
					.unit = "{time}",
					.doc = "Times that a limit of the agent was reached."});
	for (unsigned int i = 0; i < LIMIT_REACHED_N; i++)
		snapshot_point(s, (double)c->limit[i], "gapscope.limit", limit_names[i]);
	snapshot_own(s, (struct metric){.name = "gapscope.log.bytes",
					.unit = "By",
					.doc = "Bytes written to log sinks: all, and those scanned."});
	snapshot_point(s, (double)c->log_bytes_seen, "gapscope.log.state", "seen");
	snapshot_point(s, (double)c->log_bytes_read, "gapscope.log.state", "scanned");
}

/* Retries and goodput: their shares of the requests show a retry storm. */
static void snapshot_retries(struct snapshot *s)
{
	const struct counters *c = s->m->counters;
	snapshot_own(s, (struct metric){.name = "gapscope.retries",
					.unit = "{request}",
					.doc = "Requests that repeated one that had failed: sent by the service, and received."});
	snapshot_point(s, (double)c->retries_out, "gapscope.role", "client");
	snapshot_point(s, (double)c->retries_in, "gapscope.role", "server");
	snapshot_own(s, (struct metric){.name = "gapscope.server.answers",
					.unit = "{request}",
					.doc = "Incoming requests that were answered well (goodput), and those that failed."});
	snapshot_point(s, (double)c->requests_in_good, "gapscope.answer", "good");
	snapshot_point(s, (double)c->requests_in_failed, "gapscope.answer", "failed");
}

static void snapshot_findings(struct snapshot *s)
{
	size_t n = findings_count(s->m->findings);
	if (n == 0)
		return;
	snapshot_own(s, (struct metric){.name = "gapscope.findings",
					.unit = "{finding}",
					.doc = "Findings, by rule and severity.",
					.kind = METRIC_UPDOWN});
	for (size_t i = 0; i < n;) {
		const char *rule = findings_rule(s->m->findings, i);
		enum severity severity = findings_severity(s->m->findings, i);
		size_t first = i;
		while (i < n && findings_severity(s->m->findings, i) == severity &&
		       strcmp(findings_rule(s->m->findings, i), rule) == 0)
			i++;
		snapshot_point(s, (double)(i - first), "gapscope.rule", rule);
		struct metric_point *p = &s->m->own[s->points_n - 1];
		add_text(p->attrs, &p->attrs_n, "gapscope.severity", severity_name(severity));
	}
}

const struct metric *metrics_snapshot(struct metrics *m, uint64_t start_ns, uint64_t now_ns, size_t *ret_n)
{
	size_t room = EVENT_IDS + 1 + WIRE_LOSS_CAUSES + LIMIT_REACHED_N + 2 + 4 + findings_count(m->findings);
	struct metric_point *own = calloc(room, sizeof *own);
	*ret_n = 0;
	if (own == NULL)
		return NULL;
	free(m->own);
	m->own = own;
	struct snapshot s = {.m = m, .points_room = room, .start_ns = start_ns, .now_ns = now_ns};
	struct metric duration = {.unit = "s", .kind = METRIC_HISTOGRAM, .bounds = duration_bounds, .bounds_n = DURATION_BOUNDS};
	duration.name = "http.client.request.duration";
	duration.doc = "Duration of HTTP client requests.";
	snapshot_series(&s, duration, m->client);
	duration.name = "http.server.request.duration";
	duration.doc = "Duration of HTTP server requests.";
	snapshot_series(&s, duration, m->server);
	snapshot_series(&s,
			(struct metric){.name = "gapscope.requests", .unit = "{request}", .doc = "Requests seen, by role and end."},
			m->requests);
	snapshot_events(&s);
	snapshot_counters(&s);
	snapshot_retries(&s);
	snapshot_findings(&s);
	*ret_n = s.metrics_n;
	return m->list;
}
