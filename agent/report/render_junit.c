/*
 * The report as JUnit XML: one test case a finding, failed; so a CI system shows findings where it shows tests. A report without
 * findings is one passed case. Information is passed with its text, not failed. The caller's thread.
 */
#include <string.h>

#include "report/render.h"
#include "report/render_util.h"
#include "report/report.h"

static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	put_escaped(out, value);
	fputc('"', out);
}

static void put_case(FILE *out, const json_t *f)
{
	bool information = strcmp(json_text(f, "severity"), "info") == 0;
	const char *where = json_text(json_object_get(f, "call_site"), "text");
	char *evidence = render_evidence(json_object_get(f, "evidence"));
	fputs("    <testcase", out);
	put_attribute(out, "classname", json_text(f, "rule"));
	fputs(" name=\"", out);
	put_escaped(out, json_text(f, "rule"));
	fputs(" at ", out);
	put_escaped(out, where);
	if (json_text(f, "peer")[0] != '\0') {
		fputs(" to ", out);
		put_escaped(out, json_text(f, "peer"));
	}
	fprintf(out, "\" time=\"0\">\n      <%s", information ? "system-out" : "failure");
	if (!information) {
		put_attribute(out, "type", json_text(f, "severity"));
		put_attribute(out, "message", json_text(f, "message"));
	}
	fputs(">", out);
	if (information) {
		put_escaped(out, json_text(f, "message"));
		fputs("\n", out);
	}
	fputs("evidence: ", out);
	put_escaped(out, evidence != NULL ? evidence : "");
	fputs("\nremedy: ", out);
	put_escaped(out, json_text(f, "remedy"));
	fputs("\nfingerprint: ", out);
	put_escaped(out, json_text(f, "fingerprint"));
	fprintf(out, "</%s>\n    </testcase>\n", information ? "system-out" : "failure");
	free(evidence);
}

static void junit_write(const json_t *report, FILE *out, bool colour)
{
	(void)colour;
	const json_t *findings = json_object_get(report, "findings"), *f;
	size_t n = json_array_size(findings), i;
	size_t failures = n - report_count(report, "info");
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
	fprintf(out, "<testsuites tests=\"%zu\" failures=\"%zu\">\n  <testsuite", n > 0 ? n : 1, failures);
	put_attribute(out, "name", json_text(json_object_get(report, "service"), "name"));
	put_attribute(out, "timestamp", json_text(json_object_get(report, "service"), "start"));
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n", n > 0 ? n : 1, failures);
	if (n == 0)
		fputs("    <testcase classname=\"gapscope\" name=\"no findings\" time=\"0\"/>\n", out);
	json_array_foreach (findings, i, f)
		put_case(out, f);
	fputs("  </testsuite>\n</testsuites>\n", out);
}

const struct report_format report_format_junit = {
	.name = "junit",
	.doc = "JUnit XML: a failed test case for each finding",
	.write = junit_write,
};
