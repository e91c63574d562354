/*
 * The manual page as roff, from the same tables as the help (usage.h). Main thread; keeps nothing.
 */

#include "commands/settings.h"
#include "commands/usage.h"
#include "exporters/exporter.h"

/* Text with what roff would take for commands or escapes made harmless. */
static void roff(FILE *out, const char *text)
{
	bool line_start = true;

	for (; *text; text++) {
		if (line_start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		line_start = *text == '\n';
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\n' && text[1] == '\n')
			fputs("\n.PP", out), text++, fputc('\n', out);
		else
			fputc(*text, out);
	}
	fputc('\n', out);
}

static void item(FILE *out, const char *term, const char *arg, const char *text)
{
	fputs(".TP\n.B ", out);
	roff(out, term);
	if (arg) {
		fputs(".I ", out);
		roff(out, arg);
		fputs(".br\n", out);
	}
	roff(out, text);
}

static void commands(FILE *out)
{
	fputs(".SH COMMANDS\n", out);
	for (const struct command *const *c = command_table; *c; c++) {
		fprintf(out, ".SS gapscope %s ", (*c)->name);
		roff(out, (*c)->usage);
		roff(out, (*c)->text);
		for (const struct flag *f = (*c)->flags; f && f->name; f++) {
			char term[64];
			snprintf(term, sizeof(term), "--%s%s%s", f->name, f->arg ? " " : "", f->arg ? f->arg : "");
			item(out, term, NULL, f->doc);
		}
	}
}

static void configuration(FILE *out)
{
	fputs(".SH CONFIGURATION\n", out);
	roff(out,
	     "A YAML file, given with --config. Keys are the long flags of `gapscope run`; 'detectors' holds the options of each "
	     "detector, and 'enabled: false' switches one off. An unknown key is an error.");
	for (const struct detector *const *d = detector_table; *d; d++) {
		for (const struct option *o = (*d)->options; o && o->name; o++) {
			char term[160], text[512];
			snprintf(term, sizeof(term), "detectors.%s.%s", (*d)->name, o->name);
			snprintf(text, sizeof(text), "%s (default %g%s%s, %g to %g)", o->doc, o->value,
				 o->unit && *o->unit ? " " : "", o->unit ? o->unit : "", o->min, o->max);
			item(out, term, NULL, text);
		}
	}
}

static void rules(FILE *out)
{
	fputs(".SH FINDINGS\n", out);
	for (const struct detector *const *d = detector_table; *d; d++)
		for (const struct rule *r = (*d)->rules; r->id; r++) {
			char term[160];
			snprintf(term, sizeof(term), "%s (%s)", r->id, severity_name(r->severity));
			item(out, term, NULL, r->doc);
		}
	fputs(".SH EXPORTERS\n", out);
	for (const struct exporter *const *x = exporter_table; *x; x++)
		item(out, (*x)->name, NULL, (*x)->doc);
}

static void environment(FILE *out)
{
	static const struct {
		const char *name, *doc;
	} rows[] = {
		{"GAPSCOPE_LIB", "path of the shim, libgapscope.so, where it is not at its usual place"},
		{"GAPSCOPE_SESSION", "set by gapscope for the watched program: the session's shared memory"},
		{"LD_PRELOAD", "the shim is added at its end for the watched program; what stands there stays"},
		{"OTEL_SERVICE_NAME", "name of the service, where --service is not given"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT",
		 "switches OTLP export on; this and the other OTEL_ variables mean what OpenTelemetry says"},
		{"OTEL_METRIC_EXPORT_INTERVAL", "milliseconds between two exports of metrics, 60000"},
		{"NO_COLOR", "no colours on a terminal"},
	};

	fputs(".SH ENVIRONMENT\n", out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		item(out, rows[i].name, NULL, rows[i].doc);
}

void usage_manual(FILE *out)
{
	fputs(".TH GAPSCOPE 1 \"\" \"gapscope " GAPSCOPE_VERSION
	      "\"\n.SH NAME\ngapscope \\- find what stands between a service that works "
	      "and one that is ready for production\n.SH SYNOPSIS\n.B gapscope\n.I COMMAND\n[\\fIoptions\\fR]\n.SH DESCRIPTION\n",
	      out);
	roff(out,
	     "gapscope watches a service from outside its source and reports, with evidence from the run, waits without a "
	     "deadline, "
	     "retries without a bound, and personal data and secrets in logs. It exports spans, metrics and findings over OTLP.");
	commands(out);
	configuration(out);
	rules(out);
	environment(out);
	fputs(".SH EXIT STATUS\n", out);
	roff(out,
	     "`gapscope run` exits with the status of the program it ran, 128+n after a signal; every command exits with 2 for bad "
	     "input.");
}
