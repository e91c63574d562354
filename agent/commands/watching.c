/* See watching.h. */
#include "commands/watching.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_MS 3000U /* how long sending what is queued may take at the end */

void watching_name(struct watching *w, const char *exe)
{
	const char *const env = getenv("OTEL_SERVICE_NAME"), *const slash = strrchr(exe, '/');
	const char *name = slash && slash[1] ? slash + 1 : exe;

	if (w->settings.service)
		name = w->settings.service;
	else if (env && *env)
		name = env;
	snprintf(w->service, sizeof(w->service), "%s", *name ? name : "service");
}

/* What is known of a connection lowers what is captured of it. */
static void on_policy(void *ctx, uint32_t pid, int fd, uint8_t policy, uint64_t now_ns)
{
	const struct watching *w = ctx;

	ingest_set_policy(w->ingest, pid, fd, policy, now_ns);
	probing_policy(w->probing, (pid_t)pid, fd, policy, now_ns);
}

int watching_open(struct watching *w, const char *exe, const struct proving_of *service, char *err, size_t err_size)
{
	const struct settings *const s = &w->settings;
	/* A program that is to be started has no number yet, and an exporter that cannot be opened must be told before it has. */
	struct resource_input resource = {.service = w->service, .exe = exe};
	int e;

	if ((e = pipeline_ingest(&w->pipeline, s, &w->seed, &w->ingest, err, err_size)) < 0)
		return e;
	w->start_ns = ingest_now_ns(w->ingest);
	if ((e = proving_open(s->prove, service, w->ingest, &w->pipeline, &w->proving, err, err_size)) < 0 ||
	    (e = outputs_open(&w->pipeline.outputs, &s->exports, true, &resource, err, err_size)) < 0)
		return e;
	if ((e = pipeline_open(&w->pipeline, &w->settings, w->service, w->seed)) < 0 || (e = proving_watch(w->proving)) < 0) {
		snprintf(err, err_size, "out of memory");
		return e;
	}
	model_on_policy(session_model(w->pipeline.session), on_policy, w);
	return pipeline_record(&w->pipeline, s, w->service, w->start_ns, w->seed, err, err_size);
}

void watching_note(struct watching *w, pid_t pid, const char *text)
{
	const uint64_t now = ingest_now_ns(w->ingest);
	const struct event e = {
		.t0 = now,
		.t1 = now,
		.pid = (uint32_t)pid,
		.tid = (uint32_t)pid,
		.fd = -1,
		.id = WIRE_SOURCE_INFO,
		.data = (const uint8_t *)text,
		.data_len = (uint32_t)strlen(text),
	};

	pipeline_event(&w->pipeline, &e);
}

void watching_finish(struct watching *w)
{
	const struct settings *const s = &w->settings;
	const uint64_t end_ns = ingest_now_ns(w->ingest);

	session_finish(w->pipeline.session, end_ns);
	pipeline_end_recording(&w->pipeline, s->record, end_ns);
	pipeline_report(&w->pipeline, s->report, "text", s->quiet ? NULL : stderr);
	pipeline_metrics(&w->pipeline, end_ns);
	outputs_close(&w->pipeline.outputs, FLUSH_MS, true);
}

void watching_done(struct watching *w)
{
	pipeline_done(&w->pipeline);
	tcp_watch_free(w->tcp);
	tls_watch_free(w->tls);
	probing_close(w->probing);
	proving_close(w->proving);
	ingest_free(w->ingest);
	settings_done(&w->settings);
}
