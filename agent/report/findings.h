/*
 * The findings of a session: the store that detectors emit into and that reports and exporters read.
 */
#ifndef GAPSCOPE_REPORT_FINDINGS_H
#define GAPSCOPE_REPORT_FINDINGS_H

#include "detectors/detector.h"

struct findings;

struct findings *findings_new(const struct stacks *stacks, struct counters *counters);
void findings_free(struct findings *f);
/* For detector_env.emit: ctx is the struct findings. */
void findings_emit(void *ctx, const struct finding *f);
size_t findings_count(const struct findings *f);
/* Finding i as the report's JSON object (DETECTORS.md), sorted by severity, then rule, call site and key. Borrowed reference, valid until
 * the next emit. NULL when memory is out. */
json_t *findings_json(struct findings *f, size_t i);
/* Severity of finding i, and its rule's id, in the same order. */
enum severity findings_severity(struct findings *f, size_t i);
const char *findings_rule(struct findings *f, size_t i);
/* Have fn called when a finding is new and when its severity or confidence rises; request_id is the one it links to, 0 = none. */
typedef void (*findings_change_fn)(void *ctx, const json_t *finding, uint64_t request_id, uint64_t time_ns);
void findings_on_change(struct findings *f, findings_change_fn fn, void *ctx);
/* Where a request's trace is asked for: fn fills 16 bytes, or returns false. A finding then names the trace of its latest request. */
typedef bool (*findings_trace_fn)(void *ctx, uint64_t request_id, uint8_t ret_trace_id[16]);
void findings_traces(struct findings *f, findings_trace_fn fn, void *ctx);
/* Fingerprint: 16 hex digits of rule + call site by function and module, never by address. buf ≥ 17 bytes. */
void finding_fingerprint(const struct stacks *s, const struct finding *f, char *buf);
/* Time as the report writes it: RFC 3339, UTC, milliseconds. buf ≥ 32 bytes. */
const char *time_text(uint64_t unix_ns, char *buf, size_t size);
/* A call site as the report writes it: a new object with text, function, module, file, line and stack. */
json_t *call_site_json(const struct stacks *s, uint32_t stack);

#endif
