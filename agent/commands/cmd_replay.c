/*
 * `gapscope replay`: the report of a recorded session, byte for byte the one that `run` gave. Main thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "commands/pipeline.h"
#include "commands/report_file.h"

#define FLUSH_MS 10000U

/* Live, ingest counts what went into logs where it scans it; a recording holds the counts in its events. */
static void count_log(void *ctx, const struct log_write *l)
{
	struct counters *c = ctx;

	c->log_bytes_seen += l->total;
	c->log_bytes_read += l->scanned;
}

static const struct observer log_counter = {.log = count_log};

static int replay(struct settings *s, const char *path, struct pipeline *p)
{
	struct recording_info info;
	struct recording_totals totals = {0};
	struct resource_input who = {.service = info.service};
	char err[512] = "";
	const char *at_fault = path; /* what err is about, where it does not say so itself */

	int e = recording_info(path, &info, err, sizeof(err));
	if (e < 0)
		goto bad;
	at_fault = NULL;
	if (s->report && (e = report_file_check(s->report, err, sizeof(err))) < 0)
		goto bad;
	if ((e = outputs_open(&p->outputs, &s->exports, false, &who, err, sizeof(err))) < 0)
		goto bad;
	e = pipeline_open(p, s, info.service, info.seed);
	if (e == 0)
		e = model_observe(session_model(p->session), &log_counter, &p->counters);
	if (e < 0) {
		snprintf(err, sizeof(err), "out of memory");
		goto bad;
	}
	e = recording_read(path, &info, p->stacks, pipeline_event, p, &totals, err, sizeof(err));
	if (e < 0) {
		at_fault = path;
		goto bad;
	}
	p->counters.published = totals.published;
	p->counters.truncated_bytes = totals.truncated_bytes;
	memcpy(p->counters.lost, totals.lost, sizeof(totals.lost));
	session_finish(p->session, totals.end_ns);
	if (totals.has_limits)
		memcpy(p->counters.limit, totals.limits, sizeof(totals.limits));
	e = pipeline_report(p, s->report, s->format ? s->format : "text", s->quiet ? NULL : stdout);
	pipeline_metrics(p, totals.end_ns);
	outputs_close(&p->outputs, FLUSH_MS, true);
	return e;
bad:
	if (strstr(err, path))
		at_fault = NULL;
	complain("%s%s%s", at_fault ? at_fault : "", at_fault ? ": " : "", *err ? err : strerror(-e));
	outputs_close(&p->outputs, 0, false);
	return e;
}

static int cmd_replay(int argc, char **argv)
{
	struct settings s;
	struct pipeline p;
	char err[512];
	int status = EXIT_USAGE;

	flags_first(replay_flags, argc, argv);
	int operand = settings_load(&s, replay_flags, argc, argv, err, sizeof(err));
	if (operand < 0) {
		complain("%s", err);
		return EXIT_USAGE;
	}
	if (operand != argc - 1)
		complain("replay: give one recording, as `gapscope run --record FILE` made it");
	else if (pipeline_init(&p) < 0)
		complain("out of memory");
	else {
		status = replay(&s, argv[operand], &p) < 0 ? EXIT_USAGE : 0;
		pipeline_done(&p);
	}
	settings_done(&s);
	return status;
}

const struct command cmd_replay_entry = {
	.name = "replay",
	.usage = "[options] RECORDING",
	.doc = "the report of a recorded session",
	.text = "Feeds the events of a recording through the same model, protocols and detectors as a live session. With the same "
		"configuration the report is the same, byte for byte. Spans, metrics and findings can be exported from it as from "
		"a live "
		"session.",
	.flags = replay_flags,
	.run = cmd_replay,
};
