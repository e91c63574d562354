/*
 * The readiness score (score.h).
 *
 * A rule that is broken at many places takes off more than at one, and less each time: the n-th finding of a rule counts 1/n. So a hundred
 * call sites of one wrapper do not hide what else there is.
 */
#include "report/score.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "report/render_util.h"

#define FIRST_SHOWN 5U

static const struct {
	const char *name;
	double weight;
} tiers[] = {{"standard", 1}, {"critical", 1.5}, {"internal", 0.6}};

static const struct {
	const char *name;
	double points;
} severities[] = {{"critical", 50}, {"error", 30}, {"warning", 15}, {"info", 2}};

static const struct {
	const char *name;
	double share;
} confidences[] = {{"suspected", 0.6}, {"observed", 0.9}, {"proven", 1}};

/* An area is the first word of its rules; it was exercised when one of these sections of the report has rows, or a finding is there. */
static const struct {
	const char *name, *section;
} areas[] = {{"deadline", "deadlines"}, {"retry", "retries"}, {"data", "data"}, {"resource", "resources"}};
#define AREAS (sizeof areas / sizeof *areas)

static double weight_of(const char *tier)
{
	for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++)
		if (strcmp(tiers[i].name, tier) == 0)
			return tiers[i].weight;
	return 1;
}

static double severity_points(const char *name)
{
	for (size_t i = 0; i < sizeof severities / sizeof *severities; i++)
		if (strcmp(severities[i].name, name) == 0)
			return severities[i].points;
	return severities[0].points;
}

static double confidence_share(const char *name)
{
	for (size_t i = 0; i < sizeof confidences / sizeof *confidences; i++)
		if (strcmp(confidences[i].name, name) == 0)
			return confidences[i].share;
	return 1;
}

static bool in_area(const json_t *finding, const char *area)
{
	const char *rule = json_text(finding, "rule");
	const size_t len = strlen(area);
	return strncmp(rule, area, len) == 0 && rule[len] == '.';
}

static double tenth(double x)
{
	return round(x * 10) / 10;
}

/* What one finding takes off, with the numbers that made it. */
static json_t *loss_of(const json_t *f, double weight, size_t nth)
{
	const double base = severity_points(json_text(f, "severity")), share = confidence_share(json_text(f, "confidence"));
	const double points = base * share * weight / (double)nth;
	return json_pack("{s:s, s:f, s:f, s:f, s:f, s:I, s:s, s:s, s:s, s:s}", "rule", json_text(f, "rule"), "points",
			 tenth(points), "severity_points", base, "confidence_share", share, "tier_weight", weight, "nth_of_rule",
			 (json_int_t)nth, "peer", json_text(f, "peer"), "where", json_text(json_object_get(f, "call_site"), "text"),
			 "remedy", json_text(f, "remedy"), "fingerprint", json_text(f, "fingerprint"));
}

static size_t earlier_of_rule(const json_t *lost, const json_t *finding)
{
	size_t i, n = 0;
	const json_t *l;
	json_array_foreach (lost, i, l)
		n += strcmp(json_text(l, "rule"), json_text(finding, "rule")) == 0;
	return n;
}

/* Findings come worst first, so the worst of a rule counts whole. */
static json_t *area_of(const json_t *report, size_t a, double weight, double *ret_score)
{
	json_t *lost = json_array();
	double score = 100;
	size_t i;
	const json_t *f;
	json_array_foreach (json_object_get(report, "findings"), i, f) {
		if (!in_area(f, areas[a].name))
			continue;
		json_t *l = loss_of(f, weight, earlier_of_rule(lost, f) + 1);
		score -= json_real_value(json_object_get(l, "points"));
		json_array_append_new(lost, l);
	}
	const bool seen =
		json_array_size(lost) > 0 || json_array_size(json_object_get(report, areas[a].section)) > 0 ||
		(strcmp(areas[a].name, "data") == 0 && json_number(json_object_get(report, "loss"), "log_bytes_scanned") > 0);
	*ret_score = seen ? fmax(tenth(score), 0) : -1;
	return json_pack("{s:o, s:o}", "score", seen ? json_real(*ret_score) : json_null(), "lost", lost);
}

static int by_points(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const double p = json_number_value(json_object_get(x, "points")), q = json_number_value(json_object_get(y, "points"));
	if (p != q)
		return p > q ? -1 : 1;
	const int order = strcmp(json_text(x, "rule"), json_text(y, "rule"));
	return order != 0 ? order : strcmp(json_text(x, "where"), json_text(y, "where"));
}

static json_t *first_of(const json_t *o)
{
	json_t *first = json_array(), *area, *l;
	const char *name;
	size_t n = 0, i;
	json_object_foreach ((json_t *)o, name, area)
		n += json_array_size(json_object_get(area, "lost"));
	json_t **all = calloc(n + 1, sizeof *all);
	if (all == NULL)
		return first;
	n = 0;
	json_object_foreach ((json_t *)o, name, area)
		json_array_foreach (json_object_get(area, "lost"), i, l)
			all[n++] = l;
	qsort(all, n, sizeof *all, by_points);
	for (i = 0; i < n && i < FIRST_SHOWN; i++)
		json_array_append(first, all[i]);
	free(all);
	return first;
}

json_t *score_of(const json_t *report, const char *tier)
{
	const double weight = weight_of(tier);
	json_t *parts = json_object();
	double sum = 0;
	size_t seen = 0;
	for (size_t a = 0; a < AREAS; a++) {
		double score;
		json_object_set_new(parts, areas[a].name, area_of(report, a, weight, &score));
		seen += score >= 0;
		sum += score >= 0 ? score : 0;
	}
	/* The mean of what was seen: an area that was not exercised neither helps nor harms. */
	json_t *whole = seen > 0 ? json_real(tenth(sum / (double)seen)) : json_null();
	json_t *first = first_of(parts);
	return json_pack("{s:o, s:s, s:f, s:o, s:o}", "score", whole, "tier", tier, "weight", weight, "areas", parts, "first",
			 first);
}
