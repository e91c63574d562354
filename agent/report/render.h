/*
 * Ways to write a report: one file, one entry, one row in render.c. Texts returned are the caller's, to free; NULL when memory is out.
 */
#ifndef GAPSCOPE_REPORT_RENDER_H
#define GAPSCOPE_REPORT_RENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct report_format {
	const char *name; /* `--format NAME` */
	const char *doc;
	/* Write the report to out; what out cannot take is found by ferror. Colour (ANSI escapes) is for `text` only. */
	void (*write)(const json_t *report, FILE *out, bool colour);
};

extern const struct report_format *const report_formats[]; /* ends with NULL */
/* By name; NULL if unknown. */
const struct report_format *report_format_find(const char *name);
char *render(const struct report_format *f, const json_t *report, bool colour);
char *render_json(const json_t *report);
char *render_text(const json_t *report, bool colour);

extern const struct report_format report_format_text, report_format_json, report_format_html, report_format_sarif,
	report_format_junit, report_format_folded;

#endif
