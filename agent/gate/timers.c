/*
 * Event loops beside the baseline's (timers.h). How far a loop's timers reach depends on its traffic: less of it has fewer timers of others, and
 * longer sleeps. So reaches are not compared with reaches. What is compared are questions of which the loop would have slept for longer than
 * T, had there been no timer of the question's own: those that brought one of length T, and those that slept past it.
 */
#include "gate/timers.h"

#include <string.h>

#include "gate/statistics.h"
#include "report/render_util.h"

#define LEAST_PAST 5U /* questions that were slept past: of fewer, something rare may be the cause */
#define ALPHA 1e-3
#define SAME 0.03    /* timers of one length differ by so much of it */
#define LATE 0.2     /* a loop reckons from when it woke last: it is late by so much of a limit … */
#define LATE_S 0.1   /* … and so many seconds */
#define EXCEPTION 10 /* one question in so many may be slept past in the baseline: another kind, without a timer */

/* Questions after which the loop meant to sleep for longer than limit_s, for sure. */
static uint64_t past(const json_t *row, double limit_s)
{
	uint64_t n = 0;
	size_t i;
	const json_t *reach;

	json_array_foreach (json_object_get(row, "reaches"), i, reach)
		if (json_number_value(json_object_get(reach, "from_s")) >= limit_s + limit_s * LATE + LATE_S)
			n += (uint64_t)json_number(reach, "operations");
	return n;
}

/* Questions that brought a timer of this length, or a shorter one. */
static uint64_t bounded(const json_t *row, double limit_s)
{
	uint64_t n = 0;
	size_t i;
	const json_t *timer;

	json_array_foreach (json_object_get(row, "timers"), i, timer)
		if (json_number_value(json_object_get(timer, "seconds")) <= limit_s * (1 + SAME))
			n += (uint64_t)json_number(timer, "operations");
	return n;
}

static const json_t *row_of(const json_t *report, const char *peer)
{
	size_t i;
	const json_t *row;

	json_array_foreach (json_object_get(report, "hints"), i, row)
		if (strcmp(json_text(row, "peer"), peer) == 0)
			return row;
	return NULL;
}

/* The baseline's timer that most of its questions brought, if none but a few were slept past it. */
static double limit_of(const json_t *row, uint64_t *ret_brought, uint64_t *ret_past)
{
	double limit_s = 0;
	size_t i;
	const json_t *timer;

	*ret_brought = 0;
	json_array_foreach (json_object_get(row, "timers"), i, timer) {
		const double one = json_number_value(json_object_get(timer, "seconds"));
		const uint64_t n = (uint64_t)json_number(timer, "operations"), beyond = past(row, one);

		if (n <= *ret_brought || beyond * EXCEPTION > n)
			continue;
		limit_s = one;
		*ret_brought = n;
		*ret_past = beyond;
	}
	return limit_s;
}

static void compare_row(const json_t *before, const json_t *now, json_t *checks)
{
	uint64_t brought_a, past_a = 0;
	const double limit_s = limit_of(before, &brought_a, &past_a);

	if (limit_s <= 0)
		return;
	const uint64_t brought_b = bounded(now, limit_s), past_b = past(now, limit_s);
	const double chance = fisher_above(past_a, past_a + brought_a, past_b, past_b + brought_b);
	const char *peer = json_text(now, "peer");

	if (past_b >= LEAST_PAST && chance < ALPHA)
		gate_check(checks, "timer", CHECK_INCONCLUSIVE,
			   "%s: in the baseline %zu of %zu questions brought the event loop a timer of %.3g s, and %zu were slept "
			   "past "
			   "it; here %zu and %zu of %zu (Fisher p = %.2g), up to %.3g s: a timeout may have been dropped; gate "
			   "--prove "
			   "decides it",
			   peer, (size_t)brought_a, (size_t)json_number(before, "operations"), limit_s, (size_t)past_a,
			   (size_t)brought_b, (size_t)past_b, (size_t)json_number(now, "operations"), chance,
			   json_number_value(json_object_get(now, "longest_s")));
	else
		gate_check(checks, "timer", CHECK_PASS, "%s: %zu questions slept past %.3g s, and %zu of the baseline's", peer,
			   (size_t)past_b, limit_s, (size_t)past_a);
}

void compare_timers(const struct gate_input *in, json_t *checks)
{
	size_t i;
	const json_t *row;

	json_array_foreach (json_object_get(in->report, "hints"), i, row) {
		const json_t *before = row_of(in->baseline, json_text(row, "peer"));

		if (before)
			compare_row(before, row, checks);
	}
}
