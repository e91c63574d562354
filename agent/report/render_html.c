/*
 * The report as one HTML page that needs nothing else. A script in it draws what the dashboard draws (web/view.js); the findings and tables
 * written here are for readers that run no script, as build servers' and mail's. The caller's thread.
 */
#include <string.h>

#include "detectors/detector.h"
#include "report/asset.h"
#include "report/flame.h"
#include "report/render.h"
#include "report/render_util.h"
#include "report/report.h"
#include "report/score.h"

ASSET(view, "view.js");
ASSET(style, "view.css");
ASSET(report, "report.js");

static const char head[] = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
			   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
			   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
			   "'unsafe-inline'; script-src "
			   "'unsafe-inline'\">\n"
			   "<link rel=\"icon\" href=\"data:,\">\n<style>\n";

static void put_row(FILE *out, const char *label, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	fprintf(out, "<dt>%s</dt><dd>", label);
	put_escaped(out, text);
	fputs("</dd>\n", out);
}

static void put_stack(FILE *out, const json_t *stack)
{
	size_t i;
	const json_t *frame;
	if (json_array_size(stack) == 0)
		return;
	fputs("<details><summary>stack</summary><pre>", out);
	json_array_foreach (stack, i, frame) {
		put_escaped(out, json_string_value(frame) != NULL ? json_string_value(frame) : "?");
		fputc('\n', out);
	}
	fputs("</pre></details>\n", out);
}

static void put_finding(FILE *out, const json_t *f)
{
	char count[32];
	char *evidence = render_evidence(json_object_get(f, "evidence"));
	fputs("<article class=\"finding ", out);
	put_escaped(out, json_text(f, "severity"));
	fputs("\"><h3><code>", out);
	put_escaped(out, json_text(f, "rule"));
	fputs("</code></h3>\n<p>", out);
	put_escaped(out, json_text(f, "message"));
	fputs("</p>\n<dl>", out);
	put_row(out, "severity", json_text(f, "severity"));
	put_row(out, "confidence", json_text(f, "confidence"));
	put_row(out, "peer", json_text(f, "peer"));
	put_row(out, "operation", json_text(f, "operation"));
	put_row(out, "sink", json_text(f, "sink"));
	put_row(out, "where", json_text(json_object_get(f, "call_site"), "text"));
	snprintf(count, sizeof count, "%" JSON_INTEGER_FORMAT " times", json_number(f, "count"));
	put_row(out, "seen", count);
	put_row(out, "first", json_text(f, "first_seen"));
	put_row(out, "last", json_text(f, "last_seen"));
	put_row(out, "evidence", evidence);
	put_row(out, "remedy", json_text(f, "remedy"));
	put_row(out, "fingerprint", json_text(f, "fingerprint"));
	fputs("</dl>\n", out);
	put_stack(out, json_object_get(json_object_get(f, "call_site"), "stack"));
	fputs("</article>\n", out);
	free(evidence);
}

/* A list of objects as a table: the first one's members that are no objects are its columns, others as evidence is shown. */
static void put_table(FILE *out, const char *title, const json_t *list)
{
	const char *key;
	json_t *value, *row;
	size_t i;
	if (json_array_size(list) == 0)
		return;
	fprintf(out, "<h2>%s</h2>\n<table><tr>", title);
	json_object_foreach (json_array_get(list, 0), key, value) {
		fputs("<th>", out);
		put_escaped(out, key);
		fputs("</th>", out);
	}
	fputs("</tr>\n", out);
	json_array_foreach (list, i, row) {
		fputs("<tr>", out);
		json_object_foreach (json_array_get(list, 0), key, value) {
			const json_t *cell = json_object_get(row, key);
			const json_t *text =
				strcmp(key, "call_site") == 0 && json_is_object(cell) ? json_object_get(cell, "text") : cell;
			char *shown = render_evidence(text);
			fputs("<td>", out);
			put_escaped(out, shown != NULL ? shown : "");
			fputs("</td>", out);
			free(shown);
		}
		fputs("</tr>\n", out);
	}
	fputs("</table>\n", out);
}

/* For those who run no script. */
static void put_plain(FILE *out, const json_t *report)
{
	const json_t *service = json_object_get(report, "service"), *findings = json_object_get(report, "findings"), *item;
	const json_t *loss = json_object_get(report, "loss");
	size_t n = json_array_size(findings), i;
	fputs("<h2 class=\"name\">", out);
	put_escaped(out, json_text(service, "name"));
	fprintf(out, ": %zu finding%s</h2>\n<p>", n, n == 1 ? "" : "s");
	put_escaped(out, json_text(service, "exe"));
	fputs(", ", out);
	put_escaped(out, json_text(service, "start"));
	fputs(" to ", out);
	put_escaped(out, json_text(service, "end"));
	fputs("</p>\n", out);
	json_array_foreach (findings, i, item)
		put_finding(out, item);
	put_table(out, "Deadlines of each dependency", json_object_get(report, "deadlines"));
	put_table(out, "Retries", json_object_get(report, "retries"));
	put_table(out, "Proven by injected faults", json_object_get(report, "proofs"));
	put_table(out, "Data", json_object_get(report, "data"));
	fprintf(out,
		"<h2>What this cannot speak of</h2>\n<ul><li>records read %" JSON_INTEGER_FORMAT ", lost %" JSON_INTEGER_FORMAT
		"</li>\n<li>log bytes written %" JSON_INTEGER_FORMAT ", scanned %" JSON_INTEGER_FORMAT "</li>\n",
		json_number(loss, "published"), json_number(loss, "lost"), json_number(loss, "log_bytes_seen"),
		json_number(loss, "log_bytes_scanned"));
	json_array_foreach (json_object_get(report, "not_exercised"), i, item) {
		fputs("<li>not exercised: ", out);
		put_escaped(out, json_string_value(item) != NULL ? json_string_value(item) : "?");
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

/* The report with its score, for the script. A `<` in it could end the element that it stands in. */
static void put_data(FILE *out, const json_t *report)
{
	json_t *counts = json_object();
	for (int s = SEVERITY_CRITICAL; s >= SEVERITY_INFO; s--) {
		const char *severity = severity_name((enum severity)s);
		json_object_set_new(counts, severity, json_integer((json_int_t)report_count(report, severity)));
	}
	json_t *data = json_pack("{s:{s:o, s:o}, s:O}", "summary", "findings", counts, "score", score_of(report, "standard"),
				 "report", report);
	char *text = data != NULL ? json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
	for (const char *c = text != NULL ? text : "null"; *c != '\0'; c++) {
		if (*c == '<')
			fputs("\\u003c", out);
		else
			fputc(*c, out);
	}
	free(text);
	json_decref(data);
}

static void html_write(const json_t *report, FILE *out, bool colour)
{
	(void)colour;
	fputs(head, out);
	fwrite(asset_style, 1, ASSET_SIZE(style), out);
	fputs("</style>\n<title>gapscope: ", out);
	put_escaped(out, json_text(json_object_get(report, "service"), "name"));
	fputs("</title></head>\n<body><a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
	      "<header><h1>gapscope</h1><p>report of a session</p></header>\n<main id=\"main\" tabindex=\"-1\"><div id=\"view\">\n",
	      out);
	put_plain(out, report);
	fputs("</div>\n", out);
	flame_write(json_object_get(report, "heap"), "live_bytes", "Memory in use, by call stack", out);
	flame_write(json_object_get(report, "heap"), "alloc_bytes", "Memory allocated, by call stack", out);
	fputs("</main>\n<script type=\"application/json\" id=\"report\">", out);
	put_data(out, report);
	fputs("</script>\n<script>\n", out);
	fwrite(asset_view, 1, ASSET_SIZE(view), out);
	fwrite(asset_report, 1, ASSET_SIZE(report), out);
	fputs("</script>\n</body></html>\n", out);
}

const struct report_format report_format_html = {
	.name = "html",
	.doc = "one page for a browser that needs nothing else",
	.write = html_write,
};
