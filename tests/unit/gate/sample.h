/* Reports and findings to judge. */
#ifndef GAPSCOPE_TESTS_GATE_SAMPLE_H
#define GAPSCOPE_TESTS_GATE_SAMPLE_H

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "gate/verdict.h"
#include "report/report.h"

static inline json_t *sample_finding(const char *rule, const char *severity, const char *fingerprint)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:{s:s, s:s, s:s}}", "rule", rule, "severity", severity,
			 "confidence", "observed", "peer", "payments:443", "operation", "GET /charge", "message", "it waits",
			 "remedy", "set a timeout", "fingerprint", fingerprint, "count", 3, "call_site", "text",
			 "charge() at pay.c:7", "function", "charge", "module", "shop");
}

/* A row of traffic whose durations are spread evenly over [from, to] ms. */
static inline json_t *sample_row(int requests, int errors, double from, double to)
{
	json_t *durations = json_array();

	for (int i = 0; i < 100; i++)
		json_array_append_new(durations, json_integer((json_int_t)((from + (to - from) * i / 99) * 1000)));
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:o}", "direction", "server", "protocol", "http", "peer", "", "operation",
			 "GET", "requests", requests, "errors", errors, "duration_us", durations);
}

/* A session with enough evidence and no finding. */
static inline json_t *sample_session(void)
{
	json_t *r = report_new(json_pack("{s:s, s:s, s:s, s:i, s:i}", "name", "shop", "start", "2026-11-21T10:00:00.000Z", "end",
					 "2026-11-21T10:01:00.500Z", "client_requests", 40, "server_requests", 60));

	json_object_set_new(
		r, "loss",
		json_pack("{s:i, s:i, s:i, s:i}", "published", 1000, "lost", 0, "log_bytes_seen", 500, "log_bytes_scanned", 500));
	json_object_set_new(r, "traffic", json_pack("[o]", sample_row(60, 0, 10, 20)));
	return r;
}

static inline void sample_add(json_t *report, json_t *finding)
{
	json_array_append_new(json_object_get(report, "findings"), finding);
}

#endif
