/*
 * Sends the telemetry of a session to an OTLP endpoint and, for comparison, as JSON lines to a file; then tells the exact accounting as
 * JSON on stdout. The session is a script: requests served, each of which asks another service, some with a failure, some again, some
 * unfinished.
 *
 *   otlp_driver REQUESTS JSONL-FILE [URL]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/exporter.h"
#include "exporters/resource.h"
#include "model/script.h"
#include "report/session.h"

#define OUTPUTS 2
#define FLUSH_MS 20000
#define REQUESTS_PER_FLUSH 500 /* two spans each: within the queue of 2048 */

struct outputs {
	const struct exporter *exporter[OUTPUTS];
	void *state[OUTPUTS];
};

static void on_span(void *ctx, const struct span *s)
{
	struct outputs *o = ctx;
	for (size_t i = 0; i < OUTPUTS; i++)
		o->exporter[i]->span(o->state[i], s);
}

static void on_keep(void *ctx, const uint8_t *span_id)
{
	struct outputs *o = ctx;
	o->exporter[0]->keep(o->state[0], span_id);
}

static void on_finding(void *ctx, const json_t *finding, const uint8_t *trace_id, const uint8_t *span_id, uint64_t time_ns)
{
	struct outputs *o = ctx;
	for (size_t i = 0; i < OUTPUTS; i++)
		o->exporter[i]->finding(o->state[i], finding, trace_id, span_id, time_ns);
}

static void feed(void *ctx, const struct event *e)
{
	session_event(ctx, e);
}

/* Asks the other service once; `answer` NULL: the connection is reset. */
static void call(struct script *s, const char *answer, uint64_t took_ns)
{
	const int client = 5;
	script_socket(s, client);
	script_connect(s, client, "10.0.0.9", 80, 0);
	script_write(s, client, "GET /charge?token=secret HTTP/1.1\r\nHost: payments\r\n\r\n");
	script_took(s, took_ns);
	if (answer == NULL)
		script_read_err(s, client, ECONNRESET);
	else
		script_read(s, client, answer);
	script_close(s, client);
}

static void one_request(struct script *s, unsigned int n)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
	};
	char text[512];
	const int server = 4;
	const uint64_t took_ns = (n % 50 + 1) * SCRIPT_MSEC;
	script_accept(s, 3, server, "10.0.0.1", (uint16_t)(1024 + n % 60000));
	/* every third has a caller with a trace of its own */
	snprintf(text, sizeof text, "GET /buy/%u?card=4111111111111111 HTTP/1.1\r\nHost: shop\r\n%s\r\n", n,
		 n % 3 == 0 ? "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n" : "");
	script_read(s, server, text);
	/* every eleventh is asked up to three times */
	for (unsigned int again = n % 11 == 5 ? 2 : 0; again > 0; again--) {
		call(s, answers[2], took_ns);
		script_pass(s, 20 * SCRIPT_MSEC);
	}
	call(s, n % 7 == 0 ? NULL : answers[n % 3], took_ns);
	script_write(s, server, n % 7 == 0 ? answers[2] : answers[0]);
	script_close(s, server);
}

static void tell_metrics(struct session *session, struct outputs *o, uint64_t now)
{
	size_t n;
	const struct metric *m = session_metrics(session, &n);
	for (size_t i = 0; i < OUTPUTS; i++)
		o->exporter[i]->metrics(o->state[i], m, n, now);
}

static void play(struct session *session, struct outputs *o, unsigned int requests)
{
	struct script s;
	script_init_feed(&s, feed, session);
	script_start(&s, 100, 1, "/usr/bin/shop");
	script_listen(&s, 3, 8080);
	script_resolve(&s, "payments", "10.0.0.9", 0);
	for (unsigned int n = 0; n < requests; n++) {
		one_request(&s, n);
		if (n % REQUESTS_PER_FLUSH == REQUESTS_PER_FLUSH - 1)
			o->exporter[0]->flush(o->state[0], FLUSH_MS);
	}
	script_match(&s, 1, "stdout", "CREDIT_CARD", "4111 11\xe2\x80\xa2\xe2\x80\xa2 1111", 7);
	/* one that has no answer when the session ends */
	script_socket(&s, 6);
	script_connect(&s, 6, "10.0.0.9", 80, 0);
	script_write(&s, 6, "GET /pending HTTP/1.1\r\nHost: payments\r\n\r\n");
	script_pass(&s, SCRIPT_SEC);
	script_tick(&s);
	session_finish(session, s.now);
	tell_metrics(session, o, s.now);
}

static void tell_counts(const struct outputs *o)
{
	static const char *const names[EXPORT_SIGNALS] = {
		[EXPORT_SPANS] = "spans", [EXPORT_METRICS] = "metrics", [EXPORT_LOGS] = "logs"};
	struct export_counts c[EXPORT_SIGNALS];
	char why[256];
	json_t *all = json_object();
	o->exporter[0]->counts(o->state[0], c);
	o->exporter[0]->last_error(o->state[0], why, sizeof why);
	for (size_t i = 0; i < EXPORT_SIGNALS; i++)
		json_object_set_new(all, names[i],
				    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "produced", (json_int_t)c[i].produced,
					      "acknowledged", (json_int_t)c[i].acknowledged, "rejected", (json_int_t)c[i].rejected,
					      "dropped", (json_int_t)c[i].dropped, "queued", (json_int_t)c[i].queued, "unsampled",
					      (json_int_t)c[i].unsampled));
	json_object_set_new(all, "error", json_string(why));
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

int main(int argc, char **argv)
{
	struct outputs o = {.exporter = {exporter_find("otlp"), exporter_find("jsonl")}};
	struct resource *resource;
	struct counters counters = {.published = 12, .log_bytes_seen = 100, .log_bytes_read = 100};
	char err[256];
	if (argc < 3) {
		fprintf(stderr, "usage: otlp_driver REQUESTS JSONL-FILE [URL]\n");
		return 2;
	}
	const struct resource_input about = {.service = "shop", .exe = "/usr/bin/shop", .pid = 100, .start_ns = SCRIPT_EPOCH};
	if (resource_new(&about, &resource, err, sizeof err) != 0)
		return 2;
	if (o.exporter[0]->open(argc > 3 ? argv[3] : NULL, resource, &o.state[0], err, sizeof err) != 0 ||
	    o.exporter[1]->open(argv[2], resource, &o.state[1], err, sizeof err) != 0) {
		fprintf(stderr, "%s\n", err);
		return 2;
	}
	struct stacks *stacks = stacks_new();
	const struct session_options options = {.service = "shop",
						.seed = 7,
						.exponential_histograms = exporter_wants_exponential(),
						.sink = {.span = on_span, .finding = on_finding, .keep = on_keep, .ctx = &o}};
	struct session *session = session_new(&options, stacks, &counters);
	if (session == NULL)
		return 2;
	play(session, &o, (unsigned int)atoi(argv[1]));
	o.exporter[0]->flush(o.state[0], FLUSH_MS);
	tell_counts(&o);
	session_free(session);
	o.exporter[0]->close(o.state[0], 1000);
	o.exporter[1]->close(o.state[1], 0);
	resource_free(resource);
	stacks_free(stacks);
	return 0;
}
