/*
 * A session beside its baseline (compare.h).
 */
#include "gate/compare.h"

#include <stdlib.h>
#include <string.h>

#include "gate/statistics.h"
#include "report/render_util.h"
#include "report/traffic.h"

#define SAMPLE_LEAST 32U /* durations of a row below which latency is not judged: not even all of them slower would be sure */
/* Requests of the same moment wait for the same thing, a busy machine say, so their durations are not independent of one another. */
#define DESIGN_EFFECT 4.0

bool baseline_has(const json_t *baseline, const json_t *finding)
{
	size_t i;
	const json_t *known;

	json_array_foreach (json_object_get(baseline, "findings"), i, known)
		if (strcmp(json_text(known, "fingerprint"), json_text(finding, "fingerprint")) == 0 &&
		    severity_rank(json_text(known, "severity")) >= severity_rank(json_text(finding, "severity")))
			return true;
	return false;
}

static size_t sample(const json_t *row, double to[TRAFFIC_SAMPLE])
{
	size_t i, n = 0;
	const json_t *value;

	json_array_foreach (json_object_get(row, "duration_us"), i, value)
		if (n < TRAFFIC_SAMPLE)
			to[n++] = (double)json_integer_value(value) / 1e3;
	return n;
}

static void row_name(const json_t *row, char *buf, size_t size)
{
	const char *peer = json_text(row, "peer");

	snprintf(buf, size, "%s %s%s%s", json_text(row, "direction"), json_text(row, "operation"), *peer ? " " : "", peer);
}

static void compare_latency(const struct gate_input *in, const json_t *before, const json_t *now, json_t *checks)
{
	const struct gate_policy *p = in->policy;
	double a[TRAFFIC_SAMPLE], b[TRAFFIC_SAMPLE];
	const size_t a_n = sample(before, a), b_n = sample(now, b);
	char name[400];

	row_name(now, name, sizeof(name));
	if (a_n < SAMPLE_LEAST || b_n < SAMPLE_LEAST)
		return;
	/* The median says that requests are slower, a high quantile that some are much slower: either is a regression if it is sure. */
	const double chance = mann_whitney_above(a, a_n, b, b_n, DESIGN_EFFECT), median_a = quantile(a, a_n, 0.5),
		     median_b = quantile(b, b_n, 0.5);
	const bool slower =
		chance < p->latency_alpha && median_b > median_a * p->latency_ratio && median_b - median_a > p->latency_ms;

	gate_check(checks, "latency", slower ? CHECK_FAIL : CHECK_PASS,
		   "%s: median %.4g ms, baseline %.4g ms, p95 %.4g and %.4g ms (Mann-Whitney p = %.2g, %zu and %zu samples)", name,
		   median_b, median_a, quantile(b, b_n, 0.95), quantile(a, a_n, 0.95), chance, b_n, a_n);
}

static void compare_errors(const struct gate_input *in, const json_t *before, const json_t *now, json_t *checks)
{
	const struct gate_policy *p = in->policy;
	const uint64_t a_n = (uint64_t)json_number(before, "requests"), b_n = (uint64_t)json_number(now, "requests");
	const uint64_t a = (uint64_t)json_number(before, "errors"), b = (uint64_t)json_number(now, "errors");
	char name[400];

	if (a_n == 0 || b_n == 0)
		return;
	row_name(now, name, sizeof(name));
	const double chance = fisher_above(a, a_n, b, b_n), share_a = (double)a / (double)a_n, share_b = (double)b / (double)b_n;
	const bool worse = chance < p->errors_alpha && share_b - share_a > p->errors_increase;

	gate_check(checks, "errors", worse ? CHECK_FAIL : CHECK_PASS,
		   "%s: %.3g %% fail, baseline %.3g %% (Fisher p = %.2g, %zu of %zu and %zu of %zu)", name, share_b * 100,
		   share_a * 100, chance, (size_t)b, (size_t)b_n, (size_t)a, (size_t)a_n);
}

void compare_traffic(const struct gate_input *in, json_t *checks)
{
	const json_t *before = json_object_get(in->baseline, "traffic");
	size_t i;
	const json_t *row;

	json_array_foreach (json_object_get(in->report, "traffic"), i, row) {
		const json_t *like = traffic_row_like(before, row);

		if (!like)
			continue;
		compare_latency(in, like, row, checks);
		compare_errors(in, like, row, checks);
	}
}

/* "127.0.0.1:8080", "[::1]:443": no name, so another deployment may have another. */
static bool is_address(const char *peer)
{
	return *peer == '[' || peer[strspn(peer, "0123456789.:")] == '\0';
}

static bool same_caller(const json_t *a, const json_t *b)
{
	static const char *const keys[] = {"module", "function"};
	const json_t *x = json_object_get(a, "call_site"), *y = json_object_get(b, "call_site");

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!*json_text(x, keys[i]) || strcmp(json_text(x, keys[i]), json_text(y, keys[i])) != 0)
			return false;
	return true;
}

/* Was the dependency of this row used? By its name, or, where it has none, from the same place in the program. */
static bool was_used(const json_t *report, const json_t *dependency)
{
	static const char *const sections[] = {"deadlines", "retries", "traffic"};
	const char *peer = json_text(dependency, "peer");
	size_t i;
	const json_t *row;

	for (size_t k = 0; k < sizeof(sections) / sizeof(*sections); k++)
		json_array_foreach (json_object_get(report, sections[k]), i, row)
			if (strcmp(json_text(row, "peer"), peer) == 0 || (is_address(peer) && same_caller(row, dependency)))
				return true;
	return false;
}

void compare_dependencies(const struct gate_input *in, json_t *checks)
{
	size_t i, used = 0;
	const json_t *row;

	json_array_foreach (json_object_get(in->baseline, "deadlines"), i, row) {
		const char *peer = json_text(row, "peer");

		if (!*peer)
			continue;
		if (was_used(in->report, row))
			used++;
		else
			gate_check(checks, "dependency", CHECK_INCONCLUSIVE, "%s is used by the baseline and was not used here",
				   peer);
	}
	if (used)
		gate_check(checks, "dependency", CHECK_PASS, "%zu of the baseline's dependencies were used", used);
}
