/* A finding, a stack and a report to test with. */
#ifndef GAPSCOPE_TESTS_REPORT_SAMPLE_H
#define GAPSCOPE_TESTS_REPORT_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "report/findings.h"
#include "report/report.h"

static const struct rule sample_rule = {
	.id = "deadline.response.missing",
	.severity = SEVERITY_ERROR,
	.title = "no deadline on the response",
	.doc = "doc",
	.remedy = "set a read timeout",
};

static inline struct finding sample_finding(uint32_t stack)
{
	return (struct finding){
		.rule = &sample_rule,
		.severity = SEVERITY_ERROR,
		.confidence = CONFIDENCE_SUSPECTED,
		.peer = "payments:443",
		.operation = "GET /charge",
		.stack = stack,
		.key = "payments:443",
		.count = 1,
		.first_seen_ns = 1700000000123000000ULL,
		.last_seen_ns = 1700000001000000000ULL,
		.message = "charge() waits without a deadline",
	};
}

static inline uint32_t sample_stack(struct stacks *s, const char *function, const char *module, uint64_t offset, uint32_t line)
{
	const struct frame frames[] = {
		{.function = "recv", .module = "libc.so.6", .offset = 0x1000, .runtime = true},
		{.function = function, .module = module, .file = line != 0 ? "src/app.c" : NULL, .line = line, .offset = offset},
	};
	return stacks_add(s, frames, 2);
}

/* A report with one finding of the sample rule; evidence and texts carry characters that markup must escape. */
static inline json_t *sample_report(void)
{
	struct counters counters = {.published = 10};
	struct stacks *stacks = stacks_new();
	struct findings *findings = findings_new(stacks, &counters);
	struct finding f = sample_finding(sample_stack(stacks, "charge", "app", 0x1234, 88));
	f.message = "a <b> & \"c\" waits";
	f.evidence = json_pack("{s:i, s:[i,i]}", "attempts", 25, "gaps_ms", 12, 11);
	findings_emit(findings, &f);
	json_t *report = report_new(json_pack("{s:s, s:s, s:s}", "name", "shop", "start", "2026-01-01T00:00:00.000Z", "end",
					      "2026-01-01T00:01:00.000Z"));
	json_array_append(json_object_get(report, "findings"), findings_json(findings, 0));
	json_object_set_new(report, "loss", report_loss(&counters));
	json_array_append_new(json_object_get(report, "not_exercised"), json_string("connect"));
	findings_free(findings);
	stacks_free(stacks);
	return report;
}

#endif
