/*
 * Recording, session, exporters and report of one session (pipeline.h).
 */
#include "commands/pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/report_file.h"
#include "exporters/pprof.h"
#include "report/render.h"

int pipeline_init(struct pipeline *p)
{
	memset(p, 0, sizeof(*p));
	p->stacks = stacks_new();
	return p->stacks ? 0 : -ENOMEM;
}

int pipeline_ingest(struct pipeline *p, const struct settings *s, uint64_t *ret_seed, struct ingest **ret, char *err,
		    size_t err_size)
{
	const struct ingest_options options = {.thread_max = s->rings,
					       .ring_bytes = s->ring_size,
					       .scan_percent = s->scan_cpu,
					       .stacks = !s->no_stacks,
					       .samples = true,
					       .alloc_mean = settings_alloc_mean(s),
					       .alloc_first = s->alloc_mean ? 0 : SETTINGS_ALLOC_FIRST};
	int e;

	if (s->report && (e = report_file_check(s->report, err, err_size)) < 0)
		return e;
	if (getrandom(ret_seed, sizeof(*ret_seed), 0) != (ssize_t)sizeof(*ret_seed))
		*ret_seed = (uint64_t)getpid();
	e = ingest_new(&options, p->stacks, &p->counters, ret);
	if (e < 0)
		snprintf(err, err_size, "cannot make the shared memory: %s; fewer --rings or a smaller --ring-size need less",
			 strerror(-e));
	return e;
}

int pipeline_record(struct pipeline *p, const struct settings *s, const char *service, uint64_t start_ns, uint64_t seed, char *err,
		    size_t err_size)
{
	struct recording_info info = {.start_ns = start_ns, .seed = seed};
	int e;

	if (!s->record)
		return 0;
	snprintf(info.service, sizeof(info.service), "%s", service);
	e = recording_create(s->record, &info, p->stacks, &p->writer);
	if (e < 0)
		snprintf(err, err_size, "%s: cannot write the recording: %s; check the folder and its permissions", s->record,
			 strerror(-e));
	return e;
}

int pipeline_open(struct pipeline *p, struct settings *s, const char *service, uint64_t seed)
{
	struct session_options o = {
		.service = service,
		.seed = seed,
		.detector_options = settings_detector_options,
		.detector_options_ctx = s,
		.detector_enabled = settings_detector_enabled,
		.exponential_histograms = s->histograms ? strcmp(s->histograms, "exponential") == 0 : exporter_wants_exponential(),
		.sink = outputs_sink(&p->outputs),
	};

	p->profile = s->alloc_profile;
	p->session = session_new(&o, p->stacks, &p->counters);
	return p->session ? 0 : -ENOMEM;
}

/* What cannot be seen belongs into the report. */
static void note(struct pipeline *p, const struct event *e)
{
	char text[1024];

	snprintf(text, sizeof(text), "%.*s", e->data ? (int)e->data_len : 0, e->data ? (const char *)e->data : "");
	session_note_unexercised(p->session, text);
}

void pipeline_event(void *ctx, const struct event *e)
{
	struct pipeline *p = ctx;

	p->events++;
	p->images += e->id == WIRE_PROCESS_START;
	if (e->id == WIRE_SOURCE_INFO)
		note(p, e);
	if (p->writer && p->record_error == 0)
		p->record_error = recording_write(p->writer, e);
	session_event(p->session, e);
}

void pipeline_metrics(struct pipeline *p, uint64_t now_ns)
{
	size_t n;

	if (p->outputs.n == 0)
		return;
	const struct metric *m = session_metrics(p->session, &n);
	outputs_metrics(&p->outputs, m, n, now_ns);
}

void pipeline_metrics_tick(struct pipeline *p, uint64_t now_ns)
{
	size_t n;

	if (p->outputs.n == 0)
		return;
	const struct metric *m = session_metrics(p->session, &n);
	outputs_metrics_tick(&p->outputs, m, n, now_ns);
}

/* For pprof. Nothing is written where allocations were not watched. */
static void write_profile(const struct pipeline *p, const json_t *report)
{
	struct bytes profile = {0};
	char err[512];
	int e = pprof_encode(report, &profile);

	if (e < 0)
		complain("%s: no memory profile: %s", p->profile,
			 e == -ENODATA ? "allocations were not watched; add --alloc" : strerror(-e));
	else if (report_file_write(p->profile, (const char *)profile.data, profile.len, err, sizeof(err)) < 0)
		complain("%s", err);
	free(profile.data);
}

int pipeline_report(struct pipeline *p, const char *path, const char *format, FILE *out)
{
	char err[512];
	int e = 0;

	if (!path && !out && !p->profile)
		return 0;
	json_t *report = session_report(p->session);
	if (report && p->profile)
		write_profile(p, report);
	if (!path && !out) {
		json_decref(report);
		return report ? 0 : -ENOMEM;
	}
	bool colour = !path && isatty(fileno(out)) && !getenv("NO_COLOR");
	char *text = report ? render(report_format_find(path ? "json" : format), report, colour) : NULL;
	json_decref(report);
	if (!text) {
		complain("out of memory while writing the report");
		return -ENOMEM;
	}
	if (path) {
		e = report_file_write(path, text, strlen(text), err, sizeof(err));
		if (e < 0)
			complain("%s", err);
	} else if (fputs(text, out) < 0 || fflush(out) != 0) {
		e = -errno;
		complain("cannot print the report: %s", strerror(-e));
	}
	free(text);
	return e;
}

void pipeline_end_recording(struct pipeline *p, const char *path, uint64_t end_ns)
{
	struct recording_totals totals = {
		.events = p->events,
		.published = p->counters.published,
		.truncated_bytes = p->counters.truncated_bytes,
		.end_ns = end_ns,
	};

	if (!p->writer)
		return;
	memcpy(totals.lost, p->counters.lost, sizeof(totals.lost));
	memcpy(totals.limits, p->counters.limit, sizeof(totals.limits));
	int e = recording_close(p->writer, &totals);
	p->writer = NULL;
	if (p->record_error == 0)
		p->record_error = e;
	if (p->record_error < 0)
		complain("%s: the recording is not complete: %s", path, strerror(-p->record_error));
}

void pipeline_done(struct pipeline *p)
{
	session_free(p->session);
	stacks_free(p->stacks);
	memset(p, 0, sizeof(*p));
}
