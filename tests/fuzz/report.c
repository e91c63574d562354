/* A report from anywhere, as `gate --baseline`, `report` and the daemon read it: what is accepted is judged, merged, scored and written in every
 * format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/verdict.h"
#include "report/render.h"
#include "report/report.h"
#include "report/score.h"
#include "report/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const json_t *report, const json_t *baseline)
{
	struct gate_policy policy;
	struct gate_input in = {.policy = &policy, .report = report, .baseline = baseline, .today = "2026-11-21"};

	policy_defaults(&policy);

	json_t *verdict = gate_judge(&in);
	const int status = verdict ? gate_exit_status(verdict) : -1;

	if (status != 0 && status != 1 && status != 3)
		abort();
	json_decref(verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *read = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL), *report = NULL;
	char why[256] = "";

	if (!read)
		return 0;
	if (!report_check(read, why, sizeof(why))) {
		if (!*why || !memchr(why, '\0', sizeof(why)))
			abort();
		goto out;
	}
	report = text_clean_tree(read);
	for (size_t i = 0; report_formats[i]; i++) {
		char *text = render(report_formats[i], report, true);

		/* Without allocations there is nothing to fold. */
		if (!text || (!*text && strcmp(report_formats[i]->name, "folded") != 0))
			abort();
		free(text);
	}
	json_decref(score_of(report, "critical"));

	json_t *both[] = {report, report}, *merged = report_merge(both, 2);

	if (!merged)
		abort();
	judge(report, NULL);
	judge(report, merged);
	judge(merged, report);
	json_decref(merged);
out:
	json_decref(report);
	json_decref(read);
	return 0;
}
