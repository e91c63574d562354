/*
 * A session beside its baseline (compare.h).
 */
#include "gate/compare.h"

#include <string.h>

#include "gate/statistics.h"
#include "report/render_util.h"
#include "report/report.h"
#include "report/timeline.h"
#include "report/traffic.h"

#define SAMPLE_LEAST 32U /* durations of a row below which latency is not judged: not even all of them slower would be sure */
/* Requests of the same moment wait for the same thing, a busy machine say, so their durations are not independent of one another. */
#define DESIGN_EFFECT 4.0
#define SHOWN_LEAST 0.5 /* times that the baseline would have shown what the session showed: below, its silence says nothing */

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

bool baseline_would_show(const struct gate_input *in, const json_t *finding, char *why, size_t size)
{
	const struct gate_policy *p = in->policy;
	const json_t *loss = json_object_get(in->baseline, "loss");
	const double before = (double)report_requests(in->baseline), now = (double)report_requests(in->report);
	const double lost = (double)json_number(loss, "lost"), all = lost + (double)json_number(loss, "published");
	const double written = (double)json_number(loss, "log_bytes_seen"), read = (double)json_number(loss, "log_bytes_scanned");
	const double count = (double)json_number(finding, "count");

	if (in->baseline_unwatched)
		snprintf(why, size, "the baseline is not whole");
	else if (before < p->requests)
		snprintf(why, size, "the baseline saw %.0f requests only", before);
	else if (report_seconds(in->baseline) < in->settle_s)
		snprintf(why, size, "the baseline was watched for %.0f s only", report_seconds(in->baseline));
	else if (all > 0 && lost / all > p->lost_share)
		snprintf(why, size, "the baseline lost %.3g %% of its records", lost / all * 100);
	else if (written > 0 && read / written < p->log_share && strncmp(json_text(finding, "rule"), "data.log.", 9) == 0)
		snprintf(why, size, "the baseline read %.3g %% of its log", read / written * 100);
	else if (now > 0 && count > 0 && count * before / now < SHOWN_LEAST)
		snprintf(why, size, "seen %.0f times in %.0f requests, and the baseline saw %.0f", count, now, before);
	else
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

/* Of an ascending sample, how many lie above. */
static size_t above(const double *sample, size_t n, double limit)
{
	size_t k = n;

	while (k > 0 && sample[k - 1] > limit)
		k--;
	return n - k;
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
	/* The median says that requests are slower, what lies past the baseline's p95 that some are much slower: either is a regression if it is
	 * sure. */
	const double chance = mann_whitney_above(a, a_n, b, b_n, DESIGN_EFFECT), median_a = quantile(a, a_n, 0.5),
		     median_b = quantile(b, b_n, 0.5);
	const bool slower =
		chance < p->latency_alpha && median_b > median_a * p->latency_ratio && median_b - median_a > p->latency_ms;

	const double p95_a = quantile(a, a_n, 0.95);
	const double limit = p95_a * p->latency_ratio > p95_a + p->latency_ms ? p95_a * p->latency_ratio : p95_a + p->latency_ms;
	const size_t slow_a = above(a, a_n, limit), slow_b = above(b, b_n, limit);
	const double alone = fisher_above(slow_a, a_n, slow_b, b_n), tail = chance_weakened(alone, DESIGN_EFFECT);

	gate_check(checks, "latency",
		   slower || tail < p->latency_alpha ? CHECK_FAIL
		   : alone < p->latency_alpha        ? CHECK_WARN /* a bad moment makes so many, too */
						     : CHECK_PASS,
		   "%s: median %.4g ms, baseline %.4g ms (Mann-Whitney p = %.2g, %zu and %zu samples); p95 %.4g and %.4g ms, %zu "
		   "and %zu "
		   "slower than %.4g ms (Fisher p = %.2g)",
		   name, median_b, median_a, chance, b_n, a_n, quantile(b, b_n, 0.95), p95_a, slow_b, slow_a, limit, tail);
}

static size_t steps_of(const json_t *direction, const char *key, uint64_t to[TIMELINE_STEPS])
{
	size_t i, n = 0;
	const json_t *value;

	json_array_foreach (json_object_get(direction, key), i, value)
		if (n < TIMELINE_STEPS)
			to[n++] = (uint64_t)json_integer_value(value);
	return n;
}

/* Do errors come by themselves, or many of a moment? Of all requests of that direction, since a row's own times are not kept. */
static double errors_hang_together(const json_t *report, const char *direction)
{
	const json_t *line = json_object_get(json_object_get(report, "timeline"), direction);
	uint64_t errors[TIMELINE_STEPS], requests[TIMELINE_STEPS];
	const size_t n = steps_of(line, "requests", requests);

	return n > 0 && steps_of(line, "errors", errors) == n ? dispersion(errors, requests, n) : DESIGN_EFFECT;
}

static double errors_design_effect(const struct gate_input *in, const char *direction)
{
	const double now = errors_hang_together(in->report, direction), before = errors_hang_together(in->baseline, direction);
	const double effect = now > before ? now : before;

	return effect < DESIGN_EFFECT ? effect : DESIGN_EFFECT;
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
	const double effect = errors_design_effect(in, json_text(now, "direction")), alone = fisher_above(a, a_n, b, b_n);
	const double chance = chance_weakened(alone, effect), share_a = (double)a / (double)a_n, share_b = (double)b / (double)b_n;
	const bool more = share_b - share_a > p->errors_increase;
	const enum check_state state = more && chance < p->errors_alpha  ? CHECK_FAIL
				       : more && alone < p->errors_alpha ? CHECK_WARN /* of a moment, which may be anybody's */
									 : CHECK_PASS;

	gate_check(checks, "errors", state,
		   "%s: %.3g %% fail, baseline %.3g %% (Fisher p = %.2g, %zu of %zu and %zu of %zu, design effect %.2g)", name,
		   share_b * 100, share_a * 100, chance, (size_t)b, (size_t)b_n, (size_t)a, (size_t)a_n, effect);
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
