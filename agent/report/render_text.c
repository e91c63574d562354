/*
 * The report as a person reads it in a terminal: the verdict, each finding with its evidence and remedy, the bounds that hold, and what
 * the report cannot speak of. The caller's thread.
 */
#include <stdarg.h>
#include <string.h>

#include "detectors/detector.h"
#include "report/render.h"
#include "report/render_util.h"
#include "report/report.h"
#include "report/score.h"

#define WRAP_COLUMNS 100U

struct page {
	FILE *out;
	bool colour;
};

static const char *paint(const struct page *p, const char *escape)
{
	return p->colour ? escape : "";
}

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define PLAIN "\033[0m"

static const char *severity_colour(const char *severity)
{
	return strcmp(severity, "critical") == 0 || strcmp(severity, "error") == 0 ? "\033[1;31m"
	       : strcmp(severity, "warning") == 0                                  ? "\033[1;33m"
										   : "\033[1;36m";
}

/* Words of a text behind a label, wrapped at WRAP_COLUMNS with the lines under each other. */
static void put_wrapped(const struct page *p, const char *label, const char *text)
{
	size_t column = 14;
	fprintf(p->out, "    %s%-9s%s", paint(p, DIM), label, paint(p, PLAIN));
	for (const char *word = text; *word != '\0';) {
		size_t len = strcspn(word, " \n");
		if (column > 14 && column + len > WRAP_COLUMNS) {
			fprintf(p->out, "\n%13s", "");
			column = 14;
		}
		if (len > 0)
			fprintf(p->out, " %.*s", (int)len, word);
		column += len + 1;
		word += len + (word[len] != '\0');
	}
	fputc('\n', p->out);
}

static void put_verdict(const struct page *p, const json_t *report)
{
	const json_t *service = json_object_get(report, "service");
	size_t findings = json_array_size(json_object_get(report, "findings"));
	fprintf(p->out, "%s%s: ", paint(p, BOLD), json_text(service, "name"));
	if (findings == 0) {
		fprintf(p->out, "no findings%s\n", paint(p, PLAIN));
	} else {
		fprintf(p->out, "%zu finding%s%s (", findings, findings == 1 ? "" : "s", paint(p, PLAIN));
		const char *comma = "";
		for (int s = SEVERITY_CRITICAL; s >= SEVERITY_INFO; s--) {
			const char *severity = severity_name((enum severity)s);
			size_t n = report_count(report, severity);
			if (n == 0)
				continue;
			fprintf(p->out, "%s%s%zu %s%s", comma, paint(p, severity_colour(severity)), n, severity, paint(p, PLAIN));
			comma = ", ";
		}
		fprintf(p->out, ")\n");
	}
	fprintf(p->out, "%s%s, %" JSON_INTEGER_FORMAT " client and %" JSON_INTEGER_FORMAT " server requests, %s to %s%s\n",
		paint(p, DIM), json_text(service, "exe")[0] != '\0' ? json_text(service, "exe") : "program unknown",
		json_number(service, "client_requests"), json_number(service, "server_requests"), json_text(service, "start"),
		json_text(service, "end"), paint(p, PLAIN));
}

/* "readiness 72.5 of 100: deadline 60, retry 85": areas that were exercised. */
static void put_score(const struct page *p, const json_t *report)
{
	json_t *score = score_of(report, "standard"), *area;
	const json_t *whole = json_object_get(score, "score");
	const char *name, *comma = ": ";
	if (json_is_number(whole)) {
		fprintf(p->out, "readiness %s%.3g of 100%s", paint(p, BOLD), json_number_value(whole), paint(p, PLAIN));
		json_object_foreach (json_object_get(score, "areas"), name, area) {
			const json_t *part = json_object_get(area, "score");
			if (json_is_number(part)) {
				fprintf(p->out, "%s%s %.3g", comma, name, json_number_value(part));
				comma = ", ";
			}
		}
		fputc('\n', p->out);
	}
	json_decref(score);
}

static void put_finding(const struct page *p, const json_t *f)
{
	const char *severity = json_text(f, "severity");
	const char *message = json_text(f, "message");
	const json_t *site = json_object_get(f, "call_site");
	fprintf(p->out, "\n%s%s%s  %s%s%s  %s(%s, seen %" JSON_INTEGER_FORMAT "×)%s\n", paint(p, severity_colour(severity)),
		severity, paint(p, PLAIN), paint(p, BOLD), json_text(f, "rule"), paint(p, PLAIN), paint(p, DIM),
		json_text(f, "confidence"), json_number(f, "count"), paint(p, PLAIN));
	put_wrapped(p, "what", message[0] != '\0' ? message : json_text(f, "title"));
	if (json_text(f, "peer")[0] != '\0')
		put_wrapped(p, "peer", json_text(f, "peer"));
	if (json_text(f, "operation")[0] != '\0')
		put_wrapped(p, "operation", json_text(f, "operation"));
	if (json_text(f, "sink")[0] != '\0')
		put_wrapped(p, "sink", json_text(f, "sink"));
	if (json_text(f, "trace_id")[0] != '\0')
		put_wrapped(p, "trace", json_text(f, "trace_id"));
	put_wrapped(p, "where", json_text(site, "text"));
	char *evidence = render_evidence(json_object_get(f, "evidence"));
	if (evidence != NULL && evidence[0] != '\0')
		put_wrapped(p, "evidence", evidence);
	free(evidence);
	put_wrapped(p, "remedy", json_text(f, "remedy"));
	put_wrapped(p, "id", json_text(f, "fingerprint"));
}

static void put_title(const struct page *p, const char *title)
{
	fprintf(p->out, "\n%s%s%s\n", paint(p, BOLD), title, paint(p, PLAIN));
}

/* "3 s", "~134 s (the kernel's)", "none", "not known". */
static void put_bound(const struct page *p, const json_t *b)
{
	const char *bound = json_text(b, "bound");
	const json_t *seconds = json_object_get(b, "seconds");

	if (strcmp(bound, "kernel") == 0 && json_is_number(seconds))
		fprintf(p->out, "~%.3g s (the kernel's)", json_number_value(seconds));
	else if (json_is_number(seconds))
		fprintf(p->out, "%.3g s", json_number_value(seconds));
	else
		fprintf(p->out, "%s", strcmp(bound, "unknown") == 0 ? "not known" : bound);
}

static void put_deadlines(const struct page *p, const json_t *list)
{
	static const char *const phases[] = {"resolve", "connect", "write", "response", "body", "total"};
	size_t i;
	const json_t *d;
	if (json_array_size(list) == 0)
		return;
	put_title(p, "Deadlines of each dependency");
	json_array_foreach (list, i, d) {
		fprintf(p->out, "  %-32s %-8s", json_text(d, "peer"), json_text(d, "protocol"));
		for (size_t k = 0; k < sizeof phases / sizeof *phases; k++) {
			const json_t *b = json_object_get(json_object_get(d, "phase"), phases[k]);
			if (b == NULL)
				continue;
			fprintf(p->out, " %s ", phases[k]);
			put_bound(p, b);
			fputc(k + 1 < sizeof phases / sizeof *phases ? ',' : ' ', p->out);
		}
		fprintf(p->out, " → %s\n", json_text(d, "verdict"));
	}
}

static void put_retries(const struct page *p, const json_t *list)
{
	size_t i;
	const json_t *r;
	if (json_array_size(list) == 0)
		return;
	put_title(p, "Retries");
	json_array_foreach (list, i, r)
		fprintf(p->out, "  %-32s %-24s %s, at most %" JSON_INTEGER_FORMAT " attempts, backoff %s, jitter %s\n",
			json_text(r, "peer"), json_text(r, "operation"), json_text(r, "class"), json_number(r, "max_attempts"),
			json_text(r, "backoff"), json_text(r, "jitter"));
}

/* What injected faults have shown. */
static void put_proofs(const struct page *p, const json_t *list)
{
	size_t i;
	const json_t *r;
	if (json_array_size(list) == 0)
		return;
	put_title(p, "Proven by injected faults");
	json_array_foreach (list, i, r)
		fprintf(p->out, "  %-32s %-8s %s\n", json_text(r, "peer"), json_text(r, "fault"), json_text(r, "text"));
}

static void put_numbers(const struct page *p, const json_t *o)
{
	const char *key, *comma = " ";
	json_t *value;
	json_object_foreach ((json_t *)o, key, value) {
		if (json_integer_value(value) == 0)
			continue;
		fprintf(p->out, "%s%s %" JSON_INTEGER_FORMAT, comma, key, json_integer_value(value));
		comma = ", ";
	}
	fputc('\n', p->out);
}

static void put_unknown(const struct page *p, const json_t *report)
{
	const json_t *loss = json_object_get(report, "loss"), *limits = json_object_get(report, "limits");
	const json_t *list = json_object_get(report, "not_exercised");
	size_t i;
	const json_t *text;
	put_title(p, "What this report cannot speak of");
	fprintf(p->out, "  records read %" JSON_INTEGER_FORMAT ", lost %" JSON_INTEGER_FORMAT, json_number(loss, "published"),
		json_number(loss, "lost"));
	if (json_number(loss, "lost") != 0) {
		fputs(":", p->out);
		put_numbers(p, json_object_get(loss, "by_cause"));
		fputs("  requests and findings in what was lost are missing above: their numbers are the least that there were\n",
		      p->out);
	} else {
		fputc('\n', p->out);
	}
	if (json_number(loss, "aside") != 0)
		fprintf(p->out,
			"  not told, and not missed: calls of vfork children on the way to their programs: %" JSON_INTEGER_FORMAT
			"\n",
			json_number(loss, "aside"));
	if (json_number(loss, "requests_unseen") != 0)
		fprintf(p->out, "  requests whose end is unknown, since what came after was not seen: %" JSON_INTEGER_FORMAT "\n",
			json_number(loss, "requests_unseen"));
	fprintf(p->out, "  log bytes written %" JSON_INTEGER_FORMAT ", scanned %" JSON_INTEGER_FORMAT "\n",
		json_number(loss, "log_bytes_seen"), json_number(loss, "log_bytes_scanned"));
	if (json_object_size(limits) > 0) {
		fputs("  limits reached:", p->out);
		put_numbers(p, limits);
	}
	json_array_foreach (list, i, text)
		fprintf(p->out, "  not exercised: %s\n", json_string_value(text) != NULL ? json_string_value(text) : "?");
}

static void text_write(const json_t *report, FILE *out, bool colour)
{
	const struct page page = {.out = out, .colour = colour};
	size_t i;
	const json_t *finding;
	put_verdict(&page, report);
	put_score(&page, report);
	json_array_foreach (json_object_get(report, "findings"), i, finding)
		put_finding(&page, finding);
	put_deadlines(&page, json_object_get(report, "deadlines"));
	put_retries(&page, json_object_get(report, "retries"));
	put_proofs(&page, json_object_get(report, "proofs"));
	put_unknown(&page, report);
}

const struct report_format report_format_text = {
	.name = "text",
	.doc = "for people: the verdict, each finding with its evidence and remedy",
	.write = text_write,
};
