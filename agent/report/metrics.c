/*
 * The session's metrics. Request metrics live in series (series.c); gapscope's own are built from the counters when asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "core/elapsed.h"
#include "report/areas.h"
#include "report/kinds.h"
#include "report/metrics.h"
#include "report/resource_metrics.h"
#include "report/series.h"
#include "report/snapshot.h"

#define EVENT_IDS 256U
#define METRICS_MAX 48U
#define NS_PER_S 1e9

static const char *const limit_names[] = {
#define LIMIT(name, text) [LIMIT_REACHED_##name] = (text),
	COUNTED_LIMITS(LIMIT)
#undef LIMIT
};

struct metrics {
	struct counters *counters;
	struct findings *findings;
	struct series *client[AREA_N], *server[AREA_N];
	struct series *requests, *connects, *ended;
	uint64_t bytes[2], heap_asked;
	double heap_held;
	struct resource_metrics *resources;
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
	bool fine = true;
	for (size_t i = 0; i < AREA_N; i++) {
		m->client[i] = series_new(area_table[i].bounds, area_table[i].bounds_n, counters);
		m->server[i] = series_new(area_table[i].bounds, area_table[i].bounds_n, counters);
		fine = fine && m->client[i] != NULL && m->server[i] != NULL;
	}
	m->requests = series_new(NULL, 0, counters);
	m->connects = series_new(area_table[AREA_DB].bounds, area_table[AREA_DB].bounds_n, counters);
	m->ended = series_new(NULL, 0, counters);
	m->resources = resource_metrics_new(counters);
	if (!fine || m->resources == NULL || m->requests == NULL || m->connects == NULL || m->ended == NULL) {
		metrics_free(m);
		return NULL;
	}
	return m;
}

void metrics_exponential(struct metrics *m)
{
	for (size_t i = 0; i < AREA_N; i++) {
		series_exponential(m->client[i]);
		series_exponential(m->server[i]);
	}
	series_exponential(m->connects);
}

void metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < AREA_N; i++) {
		series_free(m->client[i]);
		series_free(m->server[i]);
	}
	series_free(m->requests);
	series_free(m->connects);
	series_free(m->ended);
	resource_metrics_free(m->resources);
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
	if (resource_metrics_wants(e->id))
		resource_metrics_event(m->resources, e);
}

/* Attributes of one point, and their texts. */
struct point {
	struct attr list[POINT_ATTRS_MAX];
	char text[1024];
};

static struct attrs point_attrs(struct point *p)
{
	return (struct attrs){.list = p->list, .max = POINT_ATTRS_MAX, .text = p->text, .size = sizeof p->text};
}

static size_t count_end(struct metrics *m, const struct request *r)
{
	struct point point;
	struct attrs a = point_attrs(&point);
	attrs_text(&a, "gapscope.role", r->server ? "server" : "client");
	attrs_text(&a, "gapscope.request.end", request_end_name(r));
	return series_record_traced(m->requests, a.list, a.n, 1, NULL);
}

static size_t count_duration(struct metrics *m, struct series *durations, const struct area *area, const struct request *r,
			     double seconds)
{
	struct point point;
	struct attrs a = point_attrs(&point);
	char error[16];
	area->keys(&a, r);
	if (!r->server)
		area_server(&a, r);
	attrs_text(&a, "error.type", request_error_type(r, error, sizeof error));
	return series_record_traced(durations, a.list, a.n, seconds, m->span);
}

void metrics_request(struct metrics *m, const struct request *r)
{
	struct kind unknown = {0}, *k = r->kind != NULL ? r->kind : &unknown;
	const struct area *area = area_of(r);
	struct series *durations = (r->server ? m->server : m->client)[area - area_table];
	const double seconds = r->t_end > r->t_start ? (double)(r->t_end - r->t_start) / NS_PER_S : 0;
	if (k->requests != 0)
		series_again(m->requests, k->requests, 1, NULL);
	else
		k->requests = count_end(m, r);
	if (!request_end_seen(r))
		return; /* it has no duration */
	if (k->duration != 0)
		series_again(durations, k->duration, seconds, m->span);
	else
		k->duration = count_duration(m, durations, area, r, seconds);
}

void metrics_connect(struct metrics *m, const struct conn *c)
{
	struct point point;
	struct attrs a = point_attrs(&point);
	const struct request to = {.conn = (struct conn *)c};
	if (c->connect_t0 == 0 || c->connect_t1 < c->connect_t0)
		return;
	area_server(&a, &to);
	if (c->connect_err != 0)
		attrs_text(&a, "error.type", strerrorname_np(c->connect_err));
	series_record(m->connects, a.list, a.n, (double)elapsed_ns(c->connect_t0, c->connect_t1) / NS_PER_S);
}

void metrics_bytes(struct metrics *m, const struct conn *c, enum direction d, uint64_t bytes)
{
	m->bytes[d] += bytes;
	resource_metrics_bytes(m->resources, c, d, bytes);
}

void metrics_retransmits(struct metrics *m, const struct conn *c, uint64_t total)
{
	resource_metrics_retransmits(m->resources, c, total);
}

void metrics_kernel(struct metrics *m, const struct event *e)
{
	resource_metrics_kernel(m->resources, e);
}

void metrics_heap_asked(struct metrics *m, uint64_t bytes)
{
	m->heap_asked += bytes;
}

void metrics_heap_held(struct metrics *m, double bytes)
{
	m->heap_held += bytes;
}

void metrics_connection_end(struct metrics *m, const struct conn *c)
{
	static const char *const ends[] = {
		[CONN_OPEN] = "open", [CONN_CLOSED_BY_US] = "closed", [CONN_EOF] = "eof", [CONN_RESET] = "reset"};
	struct point point;
	struct attrs a = point_attrs(&point);
	if ((c->role != CONN_CLIENT && c->role != CONN_SERVER) || c->end >= sizeof ends / sizeof *ends)
		return;
	attrs_text(&a, "gapscope.role", c->role == CONN_SERVER ? "server" : "client");
	attrs_text(&a, "gapscope.connection.end", ends[c->end]);
	if (c->role == CONN_CLIENT && c->peer[0] != '\0')
		area_server(&a, &(struct request){.conn = (struct conn *)c});
	series_record(m->ended, a.list, a.n, 1);
}

/* -- the snapshot -- */

void snapshot_series(struct snapshot *s, struct metric head, struct series *series)
{
	head.points = series_points(series, s->start_ns, s->now_ns, &head.points_n);
	if (head.points_n > 0 && s->list_n < s->list_room)
		s->list[s->list_n++] = head;
}

void snapshot_own(struct snapshot *s, struct metric head)
{
	if (s->list_n == s->list_room)
		return;
	head.points = &s->own[s->own_n];
	s->list[s->list_n++] = head;
}

void snapshot_point(struct snapshot *s, double value, const char *key, const char *text)
{
	if (s->own_n == s->own_room)
		return;
	struct metric_point *p = &s->own[s->own_n++];
	*p = (struct metric_point){.start_ns = s->start_ns, .time_ns = s->now_ns, .value = value};
	if (key != NULL)
		p->attrs[p->attrs_n++] = (struct attr){.key = key, .type = ATTR_STRING, .s = text};
	s->list[s->list_n - 1].points_n++;
}

static void snapshot_bytes(const struct metrics *m, struct snapshot *s)
{
	snapshot_own(s, (struct metric){.name = "process.network.io", .unit = "By", .doc = "Bytes sent and received."});
	snapshot_point(s, (double)m->bytes[DIR_OUT], "network.io.direction", "transmit");
	snapshot_point(s, (double)m->bytes[DIR_IN], "network.io.direction", "receive");
}

/* Where allocations are watched. */
static void snapshot_heap(const struct metrics *m, struct snapshot *s)
{
	if (m->heap_asked == 0 && m->heap_held <= 0)
		return;
	snapshot_own(s, (struct metric){.name = "gapscope.heap.allocated",
					.unit = "By",
					.doc = "Memory that the service asked its allocator for.",
					.kind = METRIC_SUM});
	snapshot_point(s, (double)m->heap_asked, NULL, NULL);
	snapshot_own(s, (struct metric){.name = "gapscope.heap.held",
					.unit = "By",
					.doc = "Memory that the service holds, as samples estimate it.",
					.kind = METRIC_UPDOWN});
	snapshot_point(s, m->heap_held > 0 ? (double)(uint64_t)m->heap_held : 0, NULL, NULL);
}

static void snapshot_events(const struct metrics *m, struct snapshot *s)
{
	uint64_t left[EVENT_IDS];
	memcpy(left, m->events, sizeof left);
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
	if (s->list[s->list_n - 1].points_n == 0)
		s->list_n--;
}

/* Zeros are said: "nothing was lost" is a statement, an absent series is not. */
static void snapshot_counters(const struct metrics *m, struct snapshot *s)
{
	const struct counters *c = m->counters;
	snapshot_own(s, (struct metric){.name = "gapscope.records.published",
					.unit = "{record}",
					.doc = "Records that sources published."});
	snapshot_point(s, (double)c->published, NULL, NULL);
	snapshot_own(s, (struct metric){
				.name = "gapscope.events.lost", .unit = "{record}", .doc = "Records that sources lost, by cause."});
	for (unsigned int i = 0; i < WIRE_LOSS_CAUSES; i++)
		if (!loss_is_none(i))
			snapshot_point(s, (double)c->lost[i], "gapscope.loss.cause", loss_name(i));
	snapshot_own(s, (struct metric){.name = "gapscope.limits.reached",
					.unit = "{time}",
					.doc = "Times that a limit of the agent was reached."});
	for (unsigned int i = 0; i < LIMIT_REACHED_N; i++)
		snapshot_point(s, (double)c->limit[i], "gapscope.limit", limit_names[i]);
	snapshot_own(s,
		     (struct metric){.name = "gapscope.protocol.resyncs",
				     .unit = "{time}",
				     .doc = "Times that the place in a connection's bytes was lost: beyond what is captured of a "
					    "call, or with a record. Requests there may be missing from the other metrics."});
	snapshot_point(s, (double)c->protocol_resync, NULL, NULL);
	snapshot_own(s, (struct metric){.name = "gapscope.log.bytes",
					.unit = "By",
					.doc = "Bytes written to log sinks: all, and those scanned."});
	snapshot_point(s, (double)c->log_bytes_seen, "gapscope.log.state", "seen");
	snapshot_point(s, (double)c->log_bytes_read, "gapscope.log.state", "scanned");
}

/* Retries and goodput: their shares of the requests show a retry storm. */
static void snapshot_retries(const struct metrics *m, struct snapshot *s)
{
	const struct counters *c = m->counters;
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

static void snapshot_findings(const struct metrics *m, struct snapshot *s)
{
	size_t n = findings_count(m->findings);
	if (n == 0)
		return;
	snapshot_own(s, (struct metric){.name = "gapscope.findings",
					.unit = "{finding}",
					.doc = "Findings, by rule and severity.",
					.kind = METRIC_UPDOWN});
	for (size_t i = 0; i < n;) {
		const char *rule = findings_rule(m->findings, i);
		enum severity severity = findings_severity(m->findings, i);
		size_t first = i;
		while (i < n && findings_severity(m->findings, i) == severity && strcmp(findings_rule(m->findings, i), rule) == 0)
			i++;
		snapshot_point(s, (double)(i - first), "gapscope.rule", rule);
		struct metric_point *p = &s->own[s->own_n - 1];
		p->attrs[p->attrs_n++] =
			(struct attr){.key = "gapscope.severity", .type = ATTR_STRING, .s = severity_name(severity)};
	}
}

const struct metric *metrics_snapshot(struct metrics *m, uint64_t start_ns, uint64_t now_ns, size_t *ret_n)
{
	size_t room = EVENT_IDS + 1 + 2 + WIRE_LOSS_CAUSES + LIMIT_REACHED_N + 1 + 2 + 4 + 2 + RESOURCE_METRICS_POINTS +
		      findings_count(m->findings);
	struct metric_point *own = calloc(room, sizeof *own);
	*ret_n = 0;
	if (own == NULL)
		return NULL;
	free(m->own);
	m->own = own;
	struct snapshot s = {
		.list = m->list, .list_room = METRICS_MAX, .own = own, .own_room = room, .start_ns = start_ns, .now_ns = now_ns};
	for (size_t i = 0; i < AREA_N; i++) {
		const struct area *area = &area_table[i];
		struct metric duration = {
			.unit = "s", .kind = METRIC_HISTOGRAM, .bounds = area->bounds, .bounds_n = area->bounds_n};
		duration.name = area->client_metric;
		duration.doc = area->client_doc;
		snapshot_series(&s, duration, m->client[i]);
		duration.name = area->server_metric;
		duration.doc = area->server_doc;
		snapshot_series(&s, duration, m->server[i]);
	}
	snapshot_series(&s,
			(struct metric){.name = "gapscope.requests", .unit = "{request}", .doc = "Requests seen, by role and end."},
			m->requests);
	snapshot_series(&s,
			(struct metric){.name = "gapscope.connect.duration",
					.unit = "s",
					.doc = "Time that connecting took.",
					.kind = METRIC_HISTOGRAM,
					.bounds = area_table[AREA_DB].bounds,
					.bounds_n = area_table[AREA_DB].bounds_n},
			m->connects);
	snapshot_series(&s,
			(struct metric){.name = "gapscope.connections.ended",
					.unit = "{connection}",
					.doc = "Connections that ended, by role and how: resets show here."},
			m->ended);
	resource_metrics_snapshot(m->resources, &s);
	snapshot_bytes(m, &s);
	snapshot_heap(m, &s);
	snapshot_events(m, &s);
	snapshot_counters(m, &s);
	snapshot_retries(m, &s);
	snapshot_findings(m, &s);
	*ret_n = s.list_n;
	return m->list;
}
