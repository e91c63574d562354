/*
 * A session: model, protocols and detectors wired from their tables; requests turned into spans and metrics.
 *
 * Everything runs on the caller's thread. Order of observers: protocols, detectors in table order, the session itself: so a request has
 * what the detectors say of it (its resend count) before it becomes a span.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/samples.h"
#include "protocols/protocol.h"
#include "report/kinds.h"
#include "report/metrics.h"
#include "report/proofs.h"
#include "report/report.h"
#include "report/session.h"
#include "report/spans.h"
#include "report/text.h"
#include "report/timeline.h"
#include "report/trace.h"
#include "report/traffic.h"

#define DETECTORS_MAX 16U
#define RESOLVE_IDS (1ULL << 63) /* ids of look-ups, apart from those of requests */

struct running {
	const struct detector *detector;
	void *state;
	double *defaults; /* option values where the caller gave none */
};

struct session {
	struct stacks *stacks;
	struct counters *counters;
	struct telemetry_sink sink;
	struct model *model;
	struct protocols *protocols;
	struct findings *findings;
	struct metrics *metrics;
	struct traces *traces;
	struct traffic *traffic;
	struct timeline *timeline;
	struct kinds *kinds;
	struct proofs *proofs;
	struct running running[DETECTORS_MAX];
	size_t running_n;
	json_t *service, *notes;
	uint64_t start_ns, end_ns, events;
	uint64_t client_requests, server_requests, resolves;
	uint64_t agent_cpu_ns, agent_memory_bytes; /* as the last tick told */
	bool finished;
};

/* -- what the session itself watches -- */

static void on_process_program(void *ctx, struct process *p)
{
	struct session *s = ctx;
	if (json_object_get(s->service, "exe") == NULL && p->exe[0] != '\0')
		json_object_set_new(s->service, "exe", text_json(p->exe));
}

static void on_request_start(void *ctx, struct request *r)
{
	struct session *s = ctx;
	traces_start(s->traces, r, model_serving(s->model, r->pid, r->tid));
}

/* Into the metrics; with an exemplar where the span is one that may be kept (filter trace_based). */
static void count_request(struct session *s, const struct request *r, const struct trace_ids *ids)
{
	struct exemplar x = {.time_ns = r->t_end};
	bool sampled = ids != NULL && (ids->flags & 1) != 0;
	if (sampled) {
		memcpy(x.trace_id, ids->trace_id, sizeof x.trace_id);
		memcpy(x.span_id, ids->span_id, sizeof x.span_id);
	}
	metrics_in_span(s->metrics, sampled ? &x : NULL);
	metrics_request(s->metrics, r);
	metrics_in_span(s->metrics, NULL);
}

/* Its span, once it ended; counted before, with the span as an exemplar. */
static void tell(struct session *s, struct request *r)
{
	struct trace_ids ids;
	const bool wanted = s->sink.span != NULL;
	bool traced = traces_end(s->traces, r, wanted ? &ids : NULL) && wanted;
	count_request(s, r, traced ? &ids : NULL);
	if (!traced)
		return;
	struct span_texts texts;
	struct span span;
	span_from_request(r, &ids, s->stacks, &texts, &span);
	struct trace_ids before;
	if (r->resend_of != 0 && traces_find(s->traces, r->resend_of, &before)) {
		span.linked = true;
		memcpy(span.link_trace_id, before.trace_id, sizeof span.link_trace_id);
		memcpy(span.link_span_id, before.span_id, sizeof span.link_span_id);
	}
	s->sink.span(s->sink.ctx, &span);
}

static void on_request_end(void *ctx, struct request *r)
{
	struct session *s = ctx;
	*(r->server ? &s->server_requests : &s->client_requests) += 1;
	r->kind = kinds_of(s->kinds, r);
	s->counters->requests_unseen += r->end_unseen;
	traffic_request(s->traffic, r);
	timeline_request(s->timeline, r);
	tell(s, r);
}

/* A name looked up by libc, whose own questions are out of sight: a span and a duration, but no request of the service's own. */
static void on_resolve(void *ctx, const struct resolve *l)
{
	struct session *s = ctx;
	struct in6_addr address;
	if (l->name[0] == '\0' || inet_pton(AF_INET, l->name, &address) == 1 || inet_pton(AF_INET6, l->name, &address) == 1)
		return;
	struct request r = {
		.id = RESOLVE_IDS | ++s->resolves,
		.area = AREA_DNS,
		.t_start = l->event->t0,
		.t_sent = l->event->t0,
		.t_end = l->event->t1,
		.pid = l->event->pid,
		.tid = l->event->tid,
		.stack = l->event->stack,
		.failed = l->code != 0,
		.answered = true,
	};
	snprintf(r.target, sizeof r.target, "%.*s", (int)sizeof r.target - 1, l->name);
	snprintf(r.status_text, sizeof r.status_text, "%s", l->code != 0 ? "lookup_failed" : "");
	traces_start(s->traces, &r, model_serving(s->model, r.pid, r.tid));
	tell(s, &r);
}

static void on_connect(void *ctx, struct conn *c, const struct event *e)
{
	const struct session *s = ctx;
	(void)e;
	metrics_connect(s->metrics, c);
}

static void on_data(void *ctx, struct conn *c, enum direction d, const struct event *e)
{
	const struct session *s = ctx;
	if (e->ret > 0)
		metrics_bytes(s->metrics, c, d, (uint64_t)e->ret);
}

static void on_heap_alloc(void *ctx, const struct allocation *a)
{
	const struct session *s = ctx;
	metrics_heap_held(s->metrics, a->no_free ? 0 : a->bytes);
}

static void on_heap_free(void *ctx, const struct allocation *a, double bytes, const struct event *e)
{
	const struct session *s = ctx;
	(void)a;
	(void)e;
	metrics_heap_held(s->metrics, -bytes);
}

static void on_heap_asked(void *ctx, struct process *p, uint64_t bytes)
{
	const struct session *s = ctx;
	(void)p;
	metrics_heap_asked(s->metrics, bytes);
}

static void on_close(void *ctx, struct conn *c, const struct event *e)
{
	const struct session *s = ctx;
	(void)e;
	metrics_connection_end(s->metrics, c);
}

/* What the kernel says of a connection. */
static void on_event(void *ctx, const struct event *e)
{
	const struct session *s = ctx;
	struct sample_socket socket;

	metrics_kernel(s->metrics, e);
	if (e->id != WIRE_SAMPLE_SOCKET || !sample_socket_of(&socket, e->data, e->data_len))
		return;
	const struct conn *c = model_conn(s->model, e->pid, e->fd);
	if (c != NULL && socket.retransmits != 0)
		metrics_retransmits(s->metrics, c, socket.retransmits);
}

static void on_finding(void *ctx, const json_t *finding, uint64_t request_id, uint64_t time_ns)
{
	struct session *s = ctx;
	if (s->sink.finding == NULL)
		return;
	struct trace_ids ids;
	bool linked = traces_find(s->traces, request_id, &ids);
	s->sink.finding(s->sink.ctx, finding, linked ? ids.trace_id : NULL, linked ? ids.span_id : NULL, time_ns);
}

/* For findings: the trace of the request that one was seen in. Its span is kept, so that the trace can be looked at. */
static bool trace_of(void *ctx, uint64_t request_id, uint8_t ret_trace_id[16])
{
	const struct session *s = ctx;
	struct trace_ids ids;
	if (!traces_find(s->traces, request_id, &ids))
		return false;
	memcpy(ret_trace_id, ids.trace_id, sizeof ids.trace_id);
	if (s->sink.keep != NULL)
		s->sink.keep(s->sink.ctx, ids.span_id);
	return true;
}

static const struct observer session_observer = {
	.rare_event = on_event,
	.process_program = on_process_program,
	.request_start = on_request_start,
	.request_end = on_request_end,
	.conn_connect = on_connect,
	.conn_data = on_data,
	.conn_close = on_close,
	.resolve = on_resolve,
	.heap_alloc = on_heap_alloc,
	.heap_free = on_heap_free,
	.heap_asked = on_heap_asked,
};

/* -- wiring -- */

static const double *options_of(struct running *run, const struct session_options *o)
{
	const double *given = o->detector_options != NULL ? o->detector_options(o->detector_options_ctx, run->detector) : NULL;
	const struct option *table = run->detector->options;
	if (given != NULL || table == NULL)
		return given;
	size_t n = 0;
	while (table[n].name != NULL)
		n++;
	run->defaults = calloc(n + 1, sizeof *run->defaults);
	for (size_t i = 0; run->defaults != NULL && i < n; i++)
		run->defaults[i] = table[i].value;
	return run->defaults;
}

static bool detector_start(struct session *s, const struct detector *d, const struct session_options *o)
{
	if (s->running_n == DETECTORS_MAX)
		return false;
	struct running *run = &s->running[s->running_n];
	run->detector = d;
	const struct detector_env env = {
		.model = s->model,
		.stacks = s->stacks,
		.counters = s->counters,
		.options = options_of(run, o),
		.emit = findings_emit,
		.emit_ctx = s->findings,
	};
	if (env.options == NULL && d->options != NULL)
		return false;
	run->state = d->create(&env);
	if (run->state == NULL) {
		free(run->defaults);
		return false;
	}
	s->running_n++;
	return model_observe(s->model, &d->observer, run->state) == 0;
}

static bool detectors_start(struct session *s, const struct session_options *o)
{
	for (size_t i = 0; detector_table[i] != NULL; i++) {
		const struct detector *d = detector_table[i];
		bool wanted = o->detector_enabled == NULL || o->detector_enabled(o->detector_options_ctx, d);
		if (wanted && !detector_start(s, d, o))
			return false;
	}
	return true;
}

struct session *session_new(const struct session_options *o, struct stacks *stacks, struct counters *counters)
{
	struct session *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->stacks = stacks;
	s->counters = counters;
	s->sink = o->sink;
	s->service = json_object();
	s->notes = json_array();
	s->model = model_new(stacks, counters);
	s->findings = findings_new(stacks, counters);
	s->traces = traces_new(o->seed);
	s->traffic = traffic_new(o->seed, counters);
	s->timeline = timeline_new();
	s->kinds = kinds_new();
	s->proofs = proofs_new(stacks, counters);
	if (s->service == NULL || s->notes == NULL || s->model == NULL || s->findings == NULL || s->traces == NULL ||
	    s->traffic == NULL || s->proofs == NULL || s->timeline == NULL || s->kinds == NULL)
		goto fail;
	json_object_set_new(s->service, "name", text_json(o->service));
	findings_on_change(s->findings, on_finding, s);
	findings_traces(s->findings, trace_of, s);
	s->metrics = metrics_new(counters, s->findings);
	if (s->metrics != NULL && o->exponential_histograms)
		metrics_exponential(s->metrics);
	s->protocols = protocols_new(s->model, counters);
	if (s->metrics == NULL || s->protocols == NULL || model_observe(s->model, &protocols_observer, s->protocols) != 0)
		goto fail;
	if (!detectors_start(s, o) || model_observe(s->model, &proofs_observer, s->proofs) != 0 ||
	    model_observe(s->model, &session_observer, s) != 0)
		goto fail;
	return s;
fail:
	session_free(s);
	return NULL;
}

void session_free(struct session *s)
{
	if (s == NULL)
		return;
	/* who listened may be gone; and the model goes first, since it tells of the connections that are left */
	memset(&s->sink, 0, sizeof s->sink);
	if (s->model != NULL && !s->finished)
		model_finish(s->model, s->end_ns);
	model_free(s->model);
	for (size_t i = 0; i < s->running_n; i++) {
		s->running[i].detector->destroy(s->running[i].state);
		free(s->running[i].defaults);
	}
	protocols_free(s->protocols);
	metrics_free(s->metrics);
	findings_free(s->findings);
	traces_free(s->traces);
	traffic_free(s->traffic);
	timeline_free(s->timeline);
	kinds_free(s->kinds);
	proofs_free(s->proofs);
	json_decref(s->service);
	json_decref(s->notes);
	free(s);
}

struct model *session_model(struct session *s)
{
	return s->model;
}

void session_event(struct session *s, const struct event *e)
{
	if (s->start_ns == 0)
		s->start_ns = e->t0;
	if (e->t1 > s->end_ns)
		s->end_ns = e->t1;
	s->events++;
	if (e->id == WIRE_TICK && e->a0 > s->agent_cpu_ns) {
		s->agent_cpu_ns = e->a0;
		s->agent_memory_bytes = e->a1;
	}
	metrics_event(s->metrics, e);
	model_event(s->model, e);
}

void session_finish(struct session *s, uint64_t now_ns)
{
	if (s->finished)
		return;
	s->finished = true;
	if (now_ns > s->end_ns)
		s->end_ns = now_ns;
	model_finish(s->model, s->end_ns);
	for (size_t i = 0; i < s->running_n; i++)
		if (s->running[i].detector->finish != NULL)
			s->running[i].detector->finish(s->running[i].state, s->end_ns);
}

const struct metric *session_metrics(struct session *s, size_t *ret_n)
{
	return metrics_snapshot(s->metrics, s->start_ns, s->end_ns, ret_n);
}

void session_note_unexercised(struct session *s, const char *text)
{
	json_array_append_new(s->notes, text_json(text));
}

/* -- the report -- */

static json_t *service_json(const struct session *s)
{
	char start[32], end[32];
	json_t *o = json_copy(s->service);
	json_object_set_new(o, "start", json_string(time_text(s->start_ns, start, sizeof start)));
	json_object_set_new(o, "end", json_string(time_text(s->end_ns, end, sizeof end)));
	json_object_set_new(o, "events", json_integer((json_int_t)s->events));
	json_object_set_new(o, "client_requests", json_integer((json_int_t)s->client_requests));
	json_object_set_new(o, "server_requests", json_integer((json_int_t)s->server_requests));
	return o;
}

/* What watching cost the machine so far. Not told of a recording of an older version, whose ticks say nothing. */
static json_t *cost_json(const struct session *s)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "agent_cpu_ms", (json_int_t)(s->agent_cpu_ns / 1000000U), "agent_memory_bytes",
			 (json_int_t)s->agent_memory_bytes, "session_ms", (json_int_t)((s->end_ns - s->start_ns) / 1000000U),
			 "records", (json_int_t)s->counters->published);
}

json_t *session_report(struct session *s)
{
	json_t *notes = json_array();
	json_t *report = report_new(service_json(s));
	for (size_t i = 0; i < findings_count(s->findings); i++)
		json_array_append(json_object_get(report, "findings"), findings_json(s->findings, i));
	for (size_t i = 0; i < s->running_n; i++) {
		const struct detector *d = s->running[i].detector;
		json_t *section = d->report != NULL ? d->report(s->running[i].state, notes) : NULL;
		if (section != NULL && d->section != NULL)
			json_object_set_new(report, d->section, section);
		else
			json_decref(section);
	}
	proofs_enter(s->proofs, report);
	json_array_extend(notes, s->notes);
	json_object_set_new(report, "traffic", traffic_json(s->traffic));
	json_object_set_new(report, "timeline", timeline_json(s->timeline, s->end_ns));
	if (s->agent_cpu_ns != 0)
		json_object_set_new(report, "cost", cost_json(s));
	json_object_set_new(report, "loss", report_loss(s->counters));
	json_object_set_new(report, "limits", report_limits(s->counters));
	json_object_set_new(report, "not_exercised", notes);
	return report;
}
