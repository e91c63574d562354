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
 * the next emit. */
json_t *findings_json(struct findings *f, size_t i);
/* Fingerprint: 16 hex digits of rule + call site by function and module, never by address. buf ≥ 17 bytes. */
void finding_fingerprint(const struct stacks *s, const struct finding *f, char *buf);

#endif
