/*
 * A session: the whole way from events to findings, spans and metrics, wired from the tables. Commands feed it: live (ingest) or from a
 * recording (replay). The same events give the same report, byte for byte.
 */
#ifndef GAPSCOPE_REPORT_SESSION_H
#define GAPSCOPE_REPORT_SESSION_H

#include "report/findings.h"
#include "report/telemetry.h"

struct session_options {
	const char *service;                                                    /* service.name */
	uint64_t seed;                                                          /* of trace and span ids; part of the recording */
	const double *(*detector_options)(void *ctx, const struct detector *d); /* NULL = defaults */
	void *detector_options_ctx;
	bool (*detector_enabled)(void *ctx, const struct detector *d); /* NULL = all */
	bool exponential_histograms;                                   /* durations have these, besides buckets that are fixed */
	struct telemetry_sink sink; /* where spans and findings go as they happen; zero = nowhere */
};

struct session;

struct session *session_new(const struct session_options *o, struct stacks *stacks, struct counters *counters);
void session_free(struct session *s);
struct model *session_model(struct session *s);
void session_event(struct session *s, const struct event *e);
void session_finish(struct session *s, uint64_t now_ns);
/* The report as DETECTORS.md fixes it: a new object. May be called while the session runs. */
json_t *session_report(struct session *s);
/* Metrics now, for exporters: see telemetry.h. The caller's until the next call. */
const struct metric *session_metrics(struct session *s, size_t *ret_n);
/* Free text that the report must carry: "seccomp: …" */
void session_note_unexercised(struct session *s, const char *text);

#endif
