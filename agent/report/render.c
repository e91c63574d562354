/*
 * The table of formats, and JSON, which needs no file of its own. The caller's thread.
 */
#include <stdlib.h>
#include <string.h>

#include "report/render.h"

/* 12 digits: enough for a time in ns over half an hour, and 0.1 reads as 0.1. */
static void json_write(const json_t *report, FILE *out, bool colour)
{
	(void)colour;
	json_dumpf(report, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	fputc('\n', out);
}

const struct report_format report_format_json = {
	.name = "json",
	.doc = "the report itself, gapscope.report/1: for programs",
	.write = json_write,
};

const struct report_format *const report_formats[] = {
	&report_format_text,
	&report_format_json,
	&report_format_html,
	&report_format_sarif,
	&report_format_junit,
	&report_format_folded,
	NULL,
};

const struct report_format *report_format_find(const char *name)
{
	for (const struct report_format *const *f = report_formats; *f != NULL; f++)
		if (strcmp((*f)->name, name) == 0)
			return *f;
	return NULL;
}

char *render(const struct report_format *f, const json_t *report, bool colour)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	f->write(report, out, colour);
	bool broken = ferror(out) != 0;
	if (fclose(out) != 0 || broken) {
		free(text);
		return NULL;
	}
	return text;
}

char *render_json(const json_t *report)
{
	return render(&report_format_json, report, false);
}

char *render_text(const json_t *report, bool colour)
{
	return render(&report_format_text, report, colour);
}
