/*
 * `gapscope report FILE…`: one report from the files of one or several sessions, in any format of report_formats. Main thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands/commands.h"
#include "report/render.h"
#include "report/report.h"

#define FILES_MAX 1024

struct arguments {
	const char *format;
};

static const char *const formats[] = {"text", "json", "html", "sarif", "junit", "folded", NULL};

static const struct flag flags[] = {
	{.name = "format",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct arguments, format),
	 .arg = "FORMAT",
	 .doc = "text (default), json, html, sarif or junit",
	 .choices = formats},
	{0},
};

static int print(const json_t *report, const struct arguments *a)
{
	const struct report_format *f = report_format_find(a->format ? a->format : "text");

	if (!f) {
		complain("report: this build has no format '%s'", a->format);
		return EXIT_USAGE;
	}
	f->write(report, stdout, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
	return 0;
}

static int cmd_report(int argc, char **argv)
{
	struct arguments a = {0};
	json_t *reports[FILES_MAX];
	int status = EXIT_USAGE;
	size_t n = 0;
	char err[512];

	flags_first(flags, argc, argv);
	int operand = flags_parse(flags, argc, argv, &a, err, sizeof(err));
	if (operand < 0) {
		complain("report: %s", err);
		return EXIT_USAGE;
	}
	if (operand >= argc || argc - operand > FILES_MAX) {
		complain("report: give one to %d report files, as `gapscope run --report FILE` writes them", FILES_MAX);
		return EXIT_USAGE;
	}
	for (int i = operand; i < argc; i++) {
		if (report_load(argv[i], &reports[n], err, sizeof(err)) < 0) {
			complain("%s", err);
			goto out;
		}
		n++;
	}
	json_t *one = n == 1 ? json_incref(reports[0]) : report_merge(reports, n);
	if (one)
		status = print(one, &a);
	else
		complain("report: out of memory");
	json_decref(one);
out:
	while (n)
		json_decref(reports[--n]);
	return status;
}

const struct command cmd_report_entry = {
	.name = "report",
	.usage = "[--format FORMAT] FILE…",
	.doc = "print the report of one or more sessions",
	.text = "Reads report files and prints them as one. Formats: text for people, json, html (one page that needs nothing "
		"else), sarif "
		"for code-scanning tools, junit for build servers.",
	.flags = flags,
	.run = cmd_report,
};
