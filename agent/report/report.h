/*
 * The report: the JSON object `gapscope.report/1` that a session makes, that files hold, and that every format (render.h) is rendered from.
 */
#ifndef GAPSCOPE_REPORT_REPORT_H
#define GAPSCOPE_REPORT_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/counters.h"

#define REPORT_SCHEMA "gapscope.report/1"

/* A report without findings: every section that readers rely on is there. `service` is taken over. */
json_t *report_new(json_t *service);
/* Its objects `loss` and `limits`, from the counters. */
json_t *report_loss(const struct counters *c);
json_t *report_limits(const struct counters *c);

/* Read a report from a file ("-" = stdin), and check that it is one. 0, or -errno with one line in err (file, place, what to do). */
int report_load(const char *path, json_t **ret, char *err, size_t err_size);
/* Is this a report? False with one line in err if not. */
bool report_check(const json_t *report, char *err, size_t err_size);
/* One report of several: findings of one fingerprint, peer and operation become one, sections are joined, losses added up.
 * A new object; NULL when memory is out or n is 0. */
json_t *report_merge(json_t *const *reports, size_t n);
/* Requests that the service made and served. */
json_int_t report_requests(const json_t *report);
/* How long it was watched. */
double report_seconds(const json_t *report);
/* Findings of a severity, "error". */
size_t report_count(const json_t *report, const char *severity);

#endif
