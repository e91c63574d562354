/* A session beside its baseline. */
#include "gate/compare.h"

#include "sample.h"

struct pair {
	struct gate_policy policy;
	json_t *report, *baseline, *checks;
};

static void open_pair(struct pair *p)
{
	policy_defaults(&p->policy);
	p->report = sample_session();
	p->baseline = sample_session();
	p->checks = json_array();
}

static void close_pair(struct pair *p)
{
	json_decref(p->report);
	json_decref(p->baseline);
	json_decref(p->checks);
}

static void traffic_is(struct pair *p, json_t *before, json_t *now)
{
	const struct gate_input in = {.policy = &p->policy, .report = p->report, .baseline = p->baseline, .today = "2026-11-21"};

	json_object_set_new(p->baseline, "traffic", json_pack("[o]", before));
	json_object_set_new(p->report, "traffic", json_pack("[o]", now));
	json_array_clear(p->checks);
	compare_traffic(&in, p->checks);
}

static const char *state_of(const struct pair *p, const char *name)
{
	size_t i;
	const json_t *c;

	json_array_foreach (p->checks, i, c)
		if (strcmp(json_string_value(json_object_get(c, "check")), name) == 0)
			return json_string_value(json_object_get(c, "state"));
	return "absent";
}

static void slower(void **state)
{
	struct pair p;
	(void)state;

	open_pair(&p);
	traffic_is(&p, sample_row(500, 0, 10, 20), sample_row(500, 0, 30, 40));
	assert_string_equal(state_of(&p, "latency"), "fail");
	traffic_is(&p, sample_row(500, 0, 30, 40), sample_row(500, 0, 10, 20)); /* faster is no regression */
	assert_string_equal(state_of(&p, "latency"), "pass");
	traffic_is(&p, sample_row(500, 0, 1, 2), sample_row(500, 0, 2, 3)); /* surely slower, by a millisecond */
	assert_string_equal(state_of(&p, "latency"), "pass");
	traffic_is(&p, sample_row(500, 0, 10, 200), sample_row(500, 0, 10, 240)); /* within the noise */
	assert_string_equal(state_of(&p, "latency"), "pass");
	close_pair(&p);
}

/* A row of which `slow` requests took half a second, the others ten to twenty milliseconds. */
static json_t *row_with_slow_ones(int slow)
{
	json_t *row = sample_row(500, 0, 10, 20), *all = json_object_get(row, "duration_us");
	const int n = (int)json_array_size(all);

	for (int i = 0; i < slow; i++)
		json_array_set_new(all, (size_t)(n - slow + i), json_integer(500000 + i));
	return row;
}

static void some_much_slower(void **state)
{
	static const struct {
		int before, now;
		const char *state;
	} cases[] = {{0, 0, "pass"},  {2, 4, "pass"},   {0, 15, "warn"}, {0, 60, "fail"},
		     {5, 90, "fail"}, {60, 60, "pass"}, {60, 15, "pass"}};
	struct pair p;
	(void)state;

	open_pair(&p);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		traffic_is(&p, row_with_slow_ones(cases[i].before), row_with_slow_ones(cases[i].now));
		assert_string_equal(state_of(&p, "latency"), cases[i].state);
	}
	close_pair(&p);
}

/* So many errors in each of ten seconds of 50 requests. */
static void errors_come(json_t *report, int in_first, int in_others)
{
	json_t *requests = json_array(), *errors = json_array();

	for (int i = 0; i < 10; i++) {
		json_array_append_new(requests, json_integer(50));
		json_array_append_new(errors, json_integer(i == 0 ? in_first : in_others));
	}
	json_object_set_new(report, "timeline", json_pack("{s:{s:o, s:o}}", "server", "requests", requests, "errors", errors));
}

static void more_errors(void **state)
{
	struct pair p;
	(void)state;

	open_pair(&p);
	errors_come(p.baseline, 0, 0);
	errors_come(p.report, 4, 4);
	traffic_is(&p, sample_row(500, 2, 10, 20), sample_row(500, 40, 10, 20));
	assert_string_equal(state_of(&p, "errors"), "fail");
	traffic_is(&p, sample_row(500, 0, 10, 20), sample_row(500, 12, 10, 20)); /* few, one at a time */
	assert_string_equal(state_of(&p, "errors"), "fail");
	errors_come(p.report, 12, 0); /* all of the same second */
	traffic_is(&p, sample_row(500, 0, 10, 20), sample_row(500, 12, 10, 20));
	assert_string_equal(state_of(&p, "errors"), "warn");
	json_object_del(p.report, "timeline"); /* nobody knows when */
	traffic_is(&p, sample_row(500, 0, 10, 20), sample_row(500, 12, 10, 20));
	assert_string_equal(state_of(&p, "errors"), "warn");
	traffic_is(&p, sample_row(500, 2, 10, 20), sample_row(500, 80, 10, 20));
	assert_string_equal(state_of(&p, "errors"), "fail");
	errors_come(p.report, 4, 4);
	traffic_is(&p, sample_row(500, 2, 10, 20), sample_row(500, 6, 10, 20)); /* 0.8 % more */
	assert_string_equal(state_of(&p, "errors"), "pass");
	traffic_is(&p, sample_row(20, 0, 10, 20), sample_row(20, 2, 10, 20)); /* a tenth, of few */
	assert_string_equal(state_of(&p, "errors"), "pass");
	close_pair(&p);
}

static void known_findings(void **state)
{
	struct pair p;
	json_t *worse = sample_finding("retry.unbounded", "error", "aa"), *other = sample_finding("retry.unbounded", "info", "bb");
	(void)state;

	open_pair(&p);
	sample_add(p.baseline, sample_finding("retry.unbounded", "warning", "aa"));
	assert_true(baseline_has(p.baseline, json_array_get(json_object_get(p.baseline, "findings"), 0)));
	assert_false(baseline_has(p.baseline, worse)); /* it grew */
	assert_false(baseline_has(p.baseline, other));
	json_decref(worse);
	json_decref(other);
	close_pair(&p);
}

static void silence_of_a_baseline(void **state)
{
	struct pair p;
	json_t *f = sample_finding("data.log.email", "error", "aa"), *loss;
	char why[192];
	(void)state;

	open_pair(&p);
	const struct gate_input in = {.policy = &p.policy, .report = p.report, .baseline = p.baseline, .today = "2026-11-21"};
	loss = json_object_get(p.baseline, "loss");
	assert_true(baseline_would_show(&in, f, why, sizeof(why)));
	json_object_set_new(loss, "log_bytes_scanned", json_integer(100));
	assert_false(baseline_would_show(&in, f, why, sizeof(why)));
	json_object_set_new(f, "rule", json_string("retry.unbounded")); /* which reads no log */
	assert_true(baseline_would_show(&in, f, why, sizeof(why)));
	/* three times in a thousand requests: a hundred would show it 0.3 times, two hundred 0.6 times */
	json_object_set_new(json_object_get(p.report, "service"), "server_requests", json_integer(960));
	assert_false(baseline_would_show(&in, f, why, sizeof(why)));
	json_object_set_new(json_object_get(p.baseline, "service"), "server_requests", json_integer(160));
	assert_true(baseline_would_show(&in, f, why, sizeof(why)));
	json_object_set_new(loss, "lost", json_integer(100));
	assert_false(baseline_would_show(&in, f, why, sizeof(why)));
	assert_non_null(strstr(why, "lost"));
	json_decref(f);
	close_pair(&p);
}

static json_t *dependency(const char *peer, const char *function)
{
	return json_pack("{s:s, s:{s:s, s:s}}", "peer", peer, "call_site", "function", function, "module", "shop");
}

static void dependencies(void **state)
{
	struct pair p;
	(void)state;

	open_pair(&p);
	const struct gate_input in = {.policy = &p.policy, .report = p.report, .baseline = p.baseline, .today = "2026-11-21"};
	json_object_set_new(p.baseline, "deadlines",
			    json_pack("[o, o, o]", dependency("payments:443", "pay"), dependency("10.0.0.7:81", "stock"),
				      dependency("mail:25", "mail")));
	json_object_set_new(p.report, "deadlines",
			    json_pack("[o, o, o]", dependency("payments:443", "other"), dependency("10.0.0.9:81", "stock"),
				      dependency("post:25", "mail")));
	compare_dependencies(&in, p.checks);
	assert_int_equal(json_array_size(p.checks), 2);
	const json_t *first = json_array_get(p.checks, 0), *second = json_array_get(p.checks, 1);
	assert_string_equal(json_string_value(json_object_get(first, "state")), "inconclusive");
	assert_non_null(strstr(json_string_value(json_object_get(first, "text")), "mail:25"));
	assert_non_null(strstr(json_string_value(json_object_get(second, "text")), "2 of"));
	close_pair(&p);
}

TEST_MAIN(cmocka_unit_test(slower), cmocka_unit_test(some_much_slower), cmocka_unit_test(more_errors),
	  cmocka_unit_test(known_findings), cmocka_unit_test(silence_of_a_baseline), cmocka_unit_test(dependencies))
