/*
 * /metrics: Prometheus text format 0.0.4. Series of a watched service are there from the start, as explicit zeros, since a query that finds
 * nothing is an error for a canary's analysis.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detectors/detector.h"
#include "gate/verdict.h"
#include "report/render_util.h"
#include "report/report.h"
#include "report/score.h"
#include "serve/route.h"

/* A label's value: backslash, quote and line feed are escaped. */
static void put_label(FILE *out, const char *value)
{
	for (const char *c = value; *c; c++)
		if (*c == '\n')
			fputs("\\n", out);
		else
			fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
}

static void put_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* name{service="…",key="value"} number */
static void put(FILE *out, const char *name, const struct board_service *s, const char *key, const char *value, double number)
{
	fprintf(out, "%s{service=\"", name);
	put_label(out, s->name);
	if (key) {
		fprintf(out, "\",%s=\"", key);
		put_label(out, value);
	}
	if (isnan(number))
		fputs("\"} NaN\n", out);
	else
		fprintf(out, "\"} %.15g\n", number);
}

static size_t count_rule(const json_t *report, const char *rule)
{
	size_t i, n = 0;
	const json_t *f;

	json_array_foreach (json_object_get(report, "findings"), i, f)
		n += strcmp(json_text(f, "rule"), rule) == 0;
	return n;
}

/* A rule for each kind of thing, "data.log.<entity>": which there can be, only the findings say. */
static bool is_family(const char *rule)
{
	return strchr(rule, '<') != NULL;
}

static bool is_listed(const char *rule)
{
	for (size_t d = 0; detector_table[d]; d++)
		for (const struct rule *r = detector_table[d]->rules; r && r->id; r++)
			if (strcmp(r->id, rule) == 0)
				return true;
	return false;
}

static bool was_before(const json_t *findings, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(json_text(json_array_get(findings, i), "rule"), json_text(json_array_get(findings, at), "rule")) == 0)
			return true;
	return false;
}

static void put_findings(FILE *out, const struct board *b)
{
	put_head(out, "gapscope_findings", "gauge", "Findings of the latest session, by rule.");
	for (size_t i = 0; i < b->n; i++) {
		const struct board_service *s = &b->service[i];
		const json_t *findings = json_object_get(s->report, "findings");

		for (size_t d = 0; detector_table[d]; d++)
			for (const struct rule *r = detector_table[d]->rules; r && r->id; r++)
				if (!is_family(r->id))
					put(out, "gapscope_findings", s, "rule", r->id, (double)count_rule(s->report, r->id));
		for (size_t f = 0; f < json_array_size(findings); f++) {
			const char *rule = json_text(json_array_get(findings, f), "rule");

			if (!is_listed(rule) && !was_before(findings, f))
				put(out, "gapscope_findings", s, "rule", rule, (double)count_rule(s->report, rule));
		}
	}
	put_head(out, "gapscope_findings_by_severity", "gauge", "Findings of the latest session, by severity.");
	for (size_t i = 0; i < b->n; i++)
		for (int k = SEVERITY_CRITICAL; k >= SEVERITY_INFO; k--) {
			const char *severity = severity_name((enum severity)k);

			put(out, "gapscope_findings_by_severity", &b->service[i], "severity", severity,
			    (double)report_count(b->service[i].report, severity));
		}
}

static void put_scores(FILE *out, const struct board *b)
{
	put_head(out, "gapscope_readiness_score", "gauge", "Readiness, 0 to 100, by area; NaN where nothing was seen.");
	for (size_t i = 0; i < b->n; i++) {
		const struct board_service *s = &b->service[i];
		json_t *score = s->report ? score_of(s->report, s->tier) : NULL, *area;
		const json_t *whole = json_object_get(score, "score");
		const char *name;

		put(out, "gapscope_readiness_score", s, "area", "all", json_is_number(whole) ? json_number_value(whole) : NAN);
		json_object_foreach (json_object_get(score, "areas"), name, area) {
			const json_t *part = json_object_get(area, "score");
			put(out, "gapscope_readiness_score", s, "area", name, json_is_number(part) ? json_number_value(part) : NAN);
		}
		json_decref(score);
	}
}

static void put_verdicts(FILE *out, struct board *b, const char *today)
{
	static const char *const verdicts[] = {"pass", "fail", "inconclusive"};

	put_head(out, "gapscope_gate_verdict", "gauge", "1 for the verdict that the gate gives now.");
	for (size_t i = 0; i < b->n; i++) {
		json_t *verdict = board_verdict(b, &b->service[i], today);

		for (size_t v = 0; v < sizeof(verdicts) / sizeof(*verdicts); v++)
			put(out, "gapscope_gate_verdict", &b->service[i], "verdict", verdicts[v],
			    strcmp(json_text(verdict, "verdict"), verdicts[v]) == 0);
		json_decref(verdict);
	}
}

/* One number of the report for each service. */
static const struct number {
	const char *name, *type, *help, *section, *key;
} numbers[] = {
	{"gapscope_client_requests_total", "counter", "Requests that the service made.", "service", "client_requests"},
	{"gapscope_server_requests_total", "counter", "Requests that the service served.", "service", "server_requests"},
	{"gapscope_records_published_total", "counter", "Records of watched calls that were read.", "loss", "published"},
	{"gapscope_records_lost_total", "counter", "Records of watched calls that were lost.", "loss", "lost"},
	{"gapscope_log_bytes_total", "counter", "Bytes that the service logged.", "loss", "log_bytes_seen"},
	{"gapscope_log_bytes_scanned_total", "counter", "Bytes of logs that were looked at.", "loss", "log_bytes_scanned"},
};

void route_metrics(const struct route_request *q, struct route_answer *ret)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		answer_error(ret, 503, "out of memory");
		return;
	}
	put_head(out, "gapscope_service_watched", "gauge", "1 while a session watches the service.");
	for (size_t i = 0; i < q->board->n; i++)
		put(out, "gapscope_service_watched", &q->board->service[i], NULL, NULL,
		    q->board->service[i].state == BOARD_WATCHING);
	put_head(out, "gapscope_sessions_total", "counter", "Sessions that were started for the service.");
	for (size_t i = 0; i < q->board->n; i++)
		put(out, "gapscope_sessions_total", &q->board->service[i], NULL, NULL, (double)q->board->service[i].sessions);
	put_findings(out, q->board);
	put_scores(out, q->board);
	put_verdicts(out, q->board, q->today);
	for (size_t n = 0; n < sizeof(numbers) / sizeof(*numbers); n++) {
		put_head(out, numbers[n].name, numbers[n].type, numbers[n].help);
		for (size_t i = 0; i < q->board->n; i++)
			put(out, numbers[n].name, &q->board->service[i], NULL, NULL,
			    (double)json_number(json_object_get(q->board->service[i].report, numbers[n].section), numbers[n].key));
	}
	if (fclose(out) != 0) {
		free(text);
		answer_error(ret, 503, "out of memory");
		return;
	}
	answer_text(ret, 200, "text/plain; version=0.0.4; charset=utf-8", text);
	ret->made = text;
}
