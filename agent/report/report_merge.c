/*
 * One report of several: of the processes of one service, or of several runs. The caller's thread; inputs are not changed.
 */
#include <string.h>

#include "detectors/detector.h"
#include "report/render_util.h"
#include "report/report.h"
#include "report/traffic.h"

static bool same_finding(const json_t *a, const json_t *b)
{
	static const char *const keys[] = {"fingerprint", "rule", "peer", "operation", "sink"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(json_text(a, keys[i]), json_text(b, keys[i])) != 0)
			return false;
	return strcmp(json_text(json_object_get(a, "call_site"), "text"), json_text(json_object_get(b, "call_site"), "text")) == 0;
}

static void take_worse(json_t *to, const json_t *from, const char *key, int (*rank)(const char *name))
{
	if (rank(json_text(from, key)) > rank(json_text(to, key)))
		json_object_set(to, key, json_object_get(from, key));
}

/* Times are RFC 3339 in UTC with one width, so their order as text is their order in time. */
static void take_time(json_t *to, const json_t *from, const char *key, int sign)
{
	const int order = strcmp(json_text(from, key), json_text(to, key));

	if (json_object_get(from, key) != NULL && (sign > 0 ? order > 0 : order < 0))
		json_object_set(to, key, json_object_get(from, key));
}

static void finding_merge(json_t *to, const json_t *from)
{
	json_int_t count = json_integer_value(json_object_get(to, "count")) + json_integer_value(json_object_get(from, "count"));
	take_worse(to, from, "severity", severity_rank);
	take_worse(to, from, "confidence", confidence_rank);
	take_time(to, from, "first_seen", -1);
	/* the later one's numbers stand */
	if (strcmp(json_text(from, "last_seen"), json_text(to, "last_seen")) > 0) {
		json_object_set(to, "evidence", json_object_get(from, "evidence"));
		json_object_set(to, "message", json_object_get(from, "message"));
	}
	take_time(to, from, "last_seen", 1);
	json_object_set_new(to, "count", json_integer(count));
}

static void findings_add(json_t *list, const json_t *more)
{
	size_t i, k;
	json_t *finding, *known;
	json_array_foreach (more, i, finding) {
		bool merged = false;
		json_array_foreach (list, k, known) {
			if (!merged && same_finding(known, finding)) {
				finding_merge(known, finding);
				merged = true;
			}
		}
		if (!merged)
			json_array_append_new(list, json_deep_copy(finding));
	}
}

/* Most severe first, else in the order in which they came. */
static json_t *findings_sorted(const json_t *list)
{
	json_t *out = json_array();
	size_t i;
	json_t *finding;
	for (int s = SEVERITY_CRITICAL + 1; s >= SEVERITY_INFO; s--)
		json_array_foreach (list, i, finding)
			if (severity_rank(json_text(finding, "severity")) == s)
				json_array_append(out, finding);
	return out;
}

static void numbers_add(json_t *to, const json_t *from)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)from, key, value) {
		json_t *have = json_object_get(to, key);
		if (json_is_object(value) && json_is_object(have))
			numbers_add(have, value);
		else if (json_is_integer(value) && json_is_integer(have))
			json_object_set_new(to, key, json_integer(json_integer_value(have) + json_integer_value(value)));
		else if (have == NULL)
			json_object_set_new(to, key, json_deep_copy(value));
	}
}

static void list_add(json_t *to, const json_t *from)
{
	size_t i, k;
	json_t *item, *known;
	json_array_foreach (from, i, item) {
		bool there = false;
		json_array_foreach (to, k, known)
			there = there || json_equal(known, item);
		if (!there)
			json_array_append_new(to, json_deep_copy(item));
	}
}

static void service_add(json_t *to, const json_t *from)
{
	static const char *const sums[] = {"events", "client_requests", "server_requests"};
	take_time(to, from, "start", -1);
	take_time(to, from, "end", 1);
	for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
		json_int_t sum =
			json_integer_value(json_object_get(to, sums[i])) + json_integer_value(json_object_get(from, sums[i]));
		json_object_set_new(to, sums[i], json_integer(sum));
	}
}

/* Of two sorted samples, one of at most TRAFFIC_SAMPLE values in which each has its share of requests. */
static json_t *sample_merge(const json_t *a, json_int_t of_a, const json_t *b, json_int_t of_b)
{
	const size_t n_a = json_array_size(a), n_b = json_array_size(b), n = n_a + n_b;
	const double share = of_a + of_b > 0 ? (double)of_a / (double)(of_a + of_b) : 0;
	size_t take_a = n <= TRAFFIC_SAMPLE ? n_a : (size_t)(share * TRAFFIC_SAMPLE + 0.5);
	size_t take_b = n <= TRAFFIC_SAMPLE ? n_b : TRAFFIC_SAMPLE - take_a, i = 0, k = 0;
	json_t *out = json_array();
	take_a = take_a < n_a ? take_a : n_a;
	take_b = take_b < n_b ? take_b : n_b;
	while (i < take_a || k < take_b) {
		const json_t *x = i < take_a ? json_array_get(a, i * n_a / take_a) : NULL;
		const json_t *y = k < take_b ? json_array_get(b, k * n_b / take_b) : NULL;
		const bool first = y == NULL || (x != NULL && json_integer_value(x) <= json_integer_value(y));
		json_array_append(out, (json_t *)(first ? x : y));
		*(first ? &i : &k) += 1;
	}
	return out;
}

static void traffic_row_add(json_t *to, const json_t *from)
{
	static const char *const sums[] = {"requests", "errors"};
	json_object_set_new(to, "duration_us",
			    sample_merge(json_object_get(to, "duration_us"), json_integer_value(json_object_get(to, "requests")),
					 json_object_get(from, "duration_us"),
					 json_integer_value(json_object_get(from, "requests"))));
	for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
		json_object_set_new(to, sums[i],
				    json_integer(json_integer_value(json_object_get(to, sums[i])) +
						 json_integer_value(json_object_get(from, sums[i]))));
}

static void traffic_add(json_t *to, const json_t *from)
{
	size_t i;
	json_t *row;
	json_array_foreach (from, i, row) {
		json_t *same = traffic_row_like(to, row);
		if (same != NULL)
			traffic_row_add(same, row);
		else
			json_array_append_new(to, json_deep_copy(row));
	}
}

json_t *report_merge(json_t *const *reports, size_t n)
{
	static const char *const lists[] = {"deadlines", "retries", "data", "proofs", "not_exercised"};
	if (n == 0)
		return NULL;
	json_t *out = json_deep_copy(reports[0]);
	for (size_t r = 1; r < n && out != NULL; r++) {
		service_add(json_object_get(out, "service"), json_object_get(reports[r], "service"));
		findings_add(json_object_get(out, "findings"), json_object_get(reports[r], "findings"));
		if (json_object_get(out, "proofs") == NULL && json_object_get(reports[r], "proofs") != NULL)
			json_object_set_new(out, "proofs", json_array());
		for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
			list_add(json_object_get(out, lists[i]), json_object_get(reports[r], lists[i]));
		if (json_object_get(out, "traffic") == NULL)
			json_object_set_new(out, "traffic", json_array());
		traffic_add(json_object_get(out, "traffic"), json_object_get(reports[r], "traffic"));
		numbers_add(json_object_get(out, "loss"), json_object_get(reports[r], "loss"));
		numbers_add(json_object_get(out, "cost"), json_object_get(reports[r], "cost"));
		numbers_add(json_object_get(out, "limits"), json_object_get(reports[r], "limits"));
	}
	/* Their lines of time have beginnings of their own. */
	if (n > 1 && out != NULL) {
		json_object_del(out, "timeline");
		json_object_set_new(out, "findings", findings_sorted(json_object_get(out, "findings")));
	}
	return out;
}
