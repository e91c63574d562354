/* A session, end to end: events in, the report, spans, metrics and findings out; and the same again for the same events. */
#include <stdio.h>
#include <stdlib.h>

#include "sample.h"

#include "model/script.h"
#include "report/render.h"
#include "report/session.h"

#define SPANS_MAX 16U

struct world {
	struct counters counters;
	struct stacks *stacks;
	struct session *session;
	struct script script;
	struct span spans[SPANS_MAX];
	char urls[SPANS_MAX][128];
	size_t spans_n, findings_n, linked_n;
};

static void on_span(void *ctx, const struct span *s)
{
	struct world *w = ctx;
	if (w->spans_n >= SPANS_MAX) {
		w->spans_n++;
		return;
	}
	for (size_t i = 0; i < s->attrs_n; i++)
		if (strcmp(s->attrs[i].key, "url.full") == 0)
			snprintf(w->urls[w->spans_n], sizeof w->urls[0], "%s", s->attrs[i].s);
	w->spans[w->spans_n++] = *s;
}

static void on_finding(void *ctx, const json_t *finding, const uint8_t *trace_id, const uint8_t *span_id, uint64_t time_ns)
{
	struct world *w = ctx;
	w->findings_n++;
	w->linked_n += trace_id != NULL && span_id != NULL;
	assert_true(json_is_object(finding));
	assert_true(time_ns >= SCRIPT_EPOCH);
}

static void feed(void *ctx, const struct event *e)
{
	session_event(ctx, e);
}

static void start(struct world *w, bool (*enabled)(void *, const struct detector *))
{
	memset(w, 0, sizeof *w);
	w->stacks = stacks_new();
	const struct session_options o = {
		.service = "shop",
		.seed = 42,
		.detector_enabled = enabled,
		.sink = {.span = on_span, .finding = on_finding, .ctx = w},
	};
	w->session = session_new(&o, w->stacks, &w->counters);
	assert_non_null(w->session);
	script_init_feed(&w->script, feed, w->session);
	w->script.stack = sample_stack(w->stacks, "charge", "app", 0x10, 88);
}

static void stop(struct world *w)
{
	session_free(w->session);
	stacks_free(w->stacks);
}

/* A service takes a request, and asks another service without a deadline before it answers. */
static void serve(struct world *w)
{
	struct script *s = &w->script;
	script_start(s, 100, 1, "/usr/bin/shop");
	script_listen(s, 3, 8080);
	script_accept(s, 3, 4, "10.0.0.1", 40000);
	script_read(s, 4,
		    "GET /buy?card=1 HTTP/1.1\r\nHost: shop\r\ntraceparent: "
		    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n");
	script_resolve(s, "payments", "10.0.0.9", 0);
	script_socket(s, 5);
	script_connect(s, 5, "10.0.0.9", 80, 0);
	script_write(s, 5, "GET /charge?token=secret HTTP/1.1\r\nHost: payments\r\n\r\n");
	script_took(s, 3 * SCRIPT_SEC);
	script_read(s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	script_close(s, 5);
	script_write(s, 4, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	script_close(s, 4);
	script_pass(s, SCRIPT_SEC);
	script_tick(s);
	script_log(s, 1, 1, 40);
	script_match(s, 1, "stdout", "EMAIL", "a…@e…", 7);
}

static const json_t *with_rule(const json_t *report, const char *rule)
{
	size_t i;
	json_t *f;
	json_array_foreach (json_object_get(report, "findings"), i, f)
		if (strcmp(json_string_value(json_object_get(f, "rule")), rule) == 0)
			return f;
	return NULL;
}

static void events_become_a_report(void **state)
{
	(void)state;
	struct world w;
	char err[256];
	start(&w, NULL);
	serve(&w);
	session_note_unexercised(w.session, "io_uring is used: not visible");
	session_finish(w.session, w.script.now);
	session_finish(w.session, w.script.now); /* once is enough */
	json_t *r = session_report(w.session);
	assert_true(report_check(r, err, sizeof err));
	const json_t *service = json_object_get(r, "service");
	assert_string_equal(json_string_value(json_object_get(service, "name")), "shop");
	assert_string_equal(json_string_value(json_object_get(service, "exe")), "/usr/bin/shop");
	assert_int_equal(json_integer_value(json_object_get(service, "client_requests")), 1);
	assert_int_equal(json_integer_value(json_object_get(service, "server_requests")), 1);
	const json_t *f = with_rule(r, "deadline.response.missing");
	assert_non_null(f);
	assert_string_equal(json_string_value(json_object_get(f, "peer")), "payments:80");
	assert_string_equal(json_string_value(json_object_get(json_object_get(f, "call_site"), "function")), "charge");
	assert_non_null(with_rule(r, "data.log.email"));
	assert_true(json_array_size(json_object_get(r, "deadlines")) > 0);
	bool noted = false;
	size_t i;
	json_t *text;
	json_array_foreach (json_object_get(r, "not_exercised"), i, text)
		noted = noted || strstr(json_string_value(text), "io_uring") != NULL;
	assert_true(noted);
	assert_true(w.findings_n >= 2);
	json_decref(r);
	stop(&w);
}

static void requests_become_spans_of_one_trace(void **state)
{
	(void)state;
	struct world w;
	start(&w, NULL);
	serve(&w);
	session_finish(w.session, w.script.now);
	assert_int_equal(w.spans_n, 3);
	const struct span *lookup = &w.spans[0], *client = &w.spans[1], *server = &w.spans[2];
	assert_int_equal(lookup->kind, SPAN_CLIENT);
	assert_memory_equal(lookup->trace_id, server->trace_id, 16);
	assert_int_equal(client->kind, SPAN_CLIENT);
	assert_int_equal(server->kind, SPAN_SERVER);
	assert_int_equal(server->trace_id[0], 0x0a);
	assert_int_equal(server->parent_id[0], 0xb7);
	assert_true(server->parent_remote);
	assert_memory_equal(client->trace_id, server->trace_id, 16);
	assert_memory_equal(client->parent_id, server->span_id, 8);
	assert_false(client->parent_remote);
	assert_string_equal(w.urls[1], "http://payments/charge?token=REDACTED");
	assert_true(client->end_ns - client->start_ns >= 3 * SCRIPT_SEC);
	assert_true(server->start_ns < client->start_ns && client->end_ns < server->end_ns);

	size_t n;
	const struct metric *m = session_metrics(w.session, &n);
	bool seen = false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(m[i].name, "http.client.request.duration") == 0)
			seen = m[i].points[0].count == 1 && m[i].points[0].sum >= 3;
	assert_true(seen);
	stop(&w);
}

/* More requests at once than detectors look at, answered one by one. */
static void many_requests_at_once(void **state)
{
	(void)state;
	struct world w;
	start(&w, NULL);
	struct script *s = &w.script;
	script_socket(s, 5);
	script_connect(s, 5, "10.0.0.9", 6379, 0);
	for (int i = 0; i < 200; i++)
		script_write(s, 5, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
	for (int i = 0; i < 200; i++)
		script_read(s, 5, "$1\r\nb\r\n");
	session_finish(w.session, s->now);
	assert_int_equal(w.spans_n, 200);
	stop(&w);
}

static void same_events_same_report(void **state)
{
	(void)state;
	char *text[2];
	struct span spans[2];
	for (size_t i = 0; i < 2; i++) {
		struct world w;
		start(&w, NULL);
		serve(&w);
		session_finish(w.session, w.script.now);
		json_t *r = session_report(w.session);
		text[i] = render_json(r);
		json_decref(r);
		spans[i] = w.spans[0];
		stop(&w);
	}
	assert_string_equal(text[0], text[1]);
	assert_memory_equal(spans[0].span_id, spans[1].span_id, 8);
	free(text[0]);
	free(text[1]);
}

/* The span of a retry is linked to the span of the attempt before it. */
static void retries_are_linked(void **state)
{
	(void)state;
	struct world w;
	start(&w, NULL);
	struct script *s = &w.script;
	script_start(s, 100, 1, "/usr/bin/shop");
	script_socket(s, 5);
	script_connect(s, 5, "10.0.0.9", 80, 0);
	for (int i = 0; i < 4; i++) { /* what is told no in the end was a retry, too; asking afresh after it is none */
		script_write(s, 5, "GET /charge HTTP/1.1\r\nHost: payments\r\n\r\n");
		script_read(s, 5,
			    i < 2    ? "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
			    : i == 2 ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
				     : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		script_pass(s, SCRIPT_SEC);
	}
	assert_int_equal(w.spans_n, 4);
	assert_false(w.spans[0].linked);
	assert_false(w.spans[3].linked);
	for (size_t i = 1; i < 3; i++) {
		assert_true(w.spans[i].linked);
		assert_memory_equal(w.spans[i].link_span_id, w.spans[i - 1].span_id, 8);
		assert_memory_equal(w.spans[i].link_trace_id, w.spans[i - 1].trace_id, 16);
	}
	stop(&w);
}

/* How many records were lost is said, and how many requests ended out of sight because of it. */
static void what_was_lost_is_said(void **state)
{
	(void)state;
	struct world w;
	start(&w, NULL);
	struct script *s = &w.script;
	script_start(s, 100, 1, "/usr/bin/shop");
	script_socket(s, 5);
	script_connect(s, 5, "10.0.0.9", 80, 0);
	script_write(s, 5, "GET /charge HTTP/1.1\r\nHost: payments\r\n\r\n");
	script_event(s, (struct event){.id = WIRE_LOSS, .fd = -1, .a0 = WIRE_LOSS_RING_FULL, .a1 = 3});
	assert_int_equal(w.spans_n, 1);
	session_finish(w.session, s->now);
	json_t *r = session_report(w.session);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(r, "loss"), "requests_unseen")), 1);
	json_decref(r);
	stop(&w);
}

static bool only_data(void *ctx, const struct detector *d)
{
	(void)ctx;
	return strcmp(d->name, "data") == 0;
}

static void detectors_can_be_off(void **state)
{
	(void)state;
	struct world w;
	char err[256];
	start(&w, only_data);
	serve(&w);
	json_t *early = session_report(w.session); /* while it runs */
	assert_true(report_check(early, err, sizeof err));
	json_decref(early);
	session_finish(w.session, w.script.now);
	json_t *r = session_report(w.session);
	assert_true(report_check(r, err, sizeof err));
	assert_null(with_rule(r, "deadline.response.missing"));
	assert_non_null(with_rule(r, "data.log.email"));
	assert_int_equal(json_array_size(json_object_get(r, "deadlines")), 0);
	json_decref(r);
	stop(&w);
}

static void an_unfinished_session_is_freed_whole(void **state)
{
	(void)state;
	struct world w;
	start(&w, NULL);
	struct script *s = &w.script;
	script_start(s, 100, 1, "/usr/bin/shop");
	script_socket(s, 5);
	script_connect(s, 5, "10.0.0.9", 80, 0);
	script_write(s, 5, "GET / HTTP/1.1\r\nHost: payments\r\n\r\n");
	stop(&w); /* the address sanitizer says what was left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_become_a_report), cmocka_unit_test(requests_become_spans_of_one_trace),
		cmocka_unit_test(many_requests_at_once),  cmocka_unit_test(same_events_same_report),
		cmocka_unit_test(retries_are_linked),     cmocka_unit_test(what_was_lost_is_said),
		cmocka_unit_test(detectors_can_be_off),   cmocka_unit_test(an_unfinished_session_is_freed_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
