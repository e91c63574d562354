/* Kinds of requests: rows and points that were found by them are the ones that the names lead to. */
#include "sample.h"

#include "protocols/protocol.h"
#include "report/kinds.h"
#include "report/metrics.h"
#include "report/traffic.h"

#define MANY 20000U

static const struct protocol http = {.name = "http"}, redis = {.name = "redis"};

static uint32_t seed = 1;

static uint32_t any(uint32_t n)
{
	seed = seed * 1664525U + 1013904223U;
	return (seed >> 16) % n;
}

/* One of some hundreds of different ones; more than are remembered. */
static struct request some_request(const struct conn *conns)
{
	static const char *const methods[] = {"GET", "POST", "SET"}, *const words[] = {"", "orders", "stock"};
	static const char *const statuses[] = {"", "ERR", "WRONGTYPE"};
	struct request r = {.conn = (struct conn *)&conns[any(4)],
			    .server = any(2) == 0,
			    .area = any(2) == 0 ? AREA_HTTP : AREA_DB,
			    .end = any(3) == 0 ? REQUEST_EOF : REQUEST_DONE,
			    .end_unseen = any(4) == 0,
			    .t_start = 5,
			    .t_end = 5 + any(2) * 20000000U};

	r.protocol = r.area == AREA_HTTP ? &http : &redis;
	r.system = r.area == AREA_HTTP ? NULL : "redis";
	r.status = r.area == AREA_HTTP ? 200 + (int)any(3) * 150 : 0;
	r.failed = any(2) == 0;
	strcpy(r.method, methods[any(3)]);
	strcpy(r.target, words[any(3)]);
	strcpy(r.summary, words[any(3)]);
	strcpy(r.status_text, r.failed ? statuses[any(3)] : "");
	strcpy(r.host, any(2) == 0 ? "payments:8080" : "");
	return r;
}

struct told {
	struct metrics *metrics;
	struct traffic *traffic;
};

static struct told told_new(struct counters *counters, struct findings *findings)
{
	struct told t = {.metrics = metrics_new(counters, findings), .traffic = traffic_new(1, counters)};

	assert_non_null(t.metrics);
	assert_non_null(t.traffic);
	return t;
}

static void tell(const struct told *t, const struct request *r)
{
	metrics_request(t->metrics, r);
	traffic_request(t->traffic, r);
}

static void told_free(struct told *t)
{
	metrics_free(t->metrics);
	traffic_free(t->traffic);
}

static void assert_same(const struct told *a, const struct told *b)
{
	size_t n = 0, m = 0;
	const struct metric *x = metrics_snapshot(a->metrics, 1, 2, &n), *y = metrics_snapshot(b->metrics, 1, 2, &m);
	json_t *rows = traffic_json(a->traffic), *others = traffic_json(b->traffic);

	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(x[i].name, y[i].name);
		assert_int_equal(x[i].points_n, y[i].points_n);
		for (size_t k = 0; strncmp(x[i].name, "gapscope.limits", 15) != 0 && k < x[i].points_n; k++) {
			assert_true(x[i].points[k].value == y[i].points[k].value);
			assert_int_equal(x[i].points[k].count, y[i].points[k].count);
			assert_memory_equal(x[i].points[k].buckets, y[i].points[k].buckets, sizeof x[i].points[k].buckets);
		}
	}
	assert_true(json_array_size(rows) > 10);
	assert_true(json_equal(rows, others));
	json_decref(rows);
	json_decref(others);
}

static void they_change_no_number(void **state)
{
	(void)state;
	struct counters counters[2] = {0};
	struct stacks *stacks = stacks_new();
	struct findings *findings = findings_new(stacks, &counters[0]);
	struct told plain = told_new(&counters[0], findings), fast = told_new(&counters[1], findings);
	struct kinds *kinds = kinds_new();
	const struct conn conns[4] = {{.peer = "payments:80"},
				      {.peer = "10.0.0.7:443", .tls = true},
				      {.peer = "10.0.0.7:443", .tls = true, .handshake = {.server_name = "pay.example"}},
				      {.peer = ""}};

	for (uint32_t i = 0; i < MANY; i++) {
		struct request r = some_request(conns);

		tell(&plain, &r);
		r.kind = kinds_of(kinds, &r);
		tell(&fast, &r);
	}
	assert_same(&plain, &fast);
	assert_int_equal(counters[0].limit[LIMIT_REACHED_SERIES], counters[1].limit[LIMIT_REACHED_SERIES]);
	told_free(&plain);
	told_free(&fast);
	kinds_free(kinds);
	findings_free(findings);
	stacks_free(stacks);
}

static void alike_ones_share_one(void **state)
{
	(void)state;
	struct kinds *kinds = kinds_new();
	const struct conn one = {.peer = "127.0.0.1:4000"}, other = {.peer = "127.0.0.1:4001"};
	struct request a = {.server = true, .conn = (struct conn *)&one, .method = "GET", .status = 200}, b = a;

	b.conn = (struct conn *)&other; /* a server's callers come and go */
	assert_ptr_equal(kinds_of(kinds, &a), kinds_of(kinds, &b));
	kinds_of(kinds, &a)->requests = 7;
	assert_int_equal(kinds_of(kinds, &b)->requests, 7);
	b.status = 500;
	assert_int_equal(kinds_of(kinds, &b)->requests, 0);
	assert_true(kinds_of(kinds, &b)->error);
	assert_false(kinds_of(kinds, &a)->error);
	kinds_free(kinds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_change_no_number),
		cmocka_unit_test(alike_ones_share_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
