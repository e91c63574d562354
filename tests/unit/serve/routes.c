/* The plain endpoints. */
#include "sample.h"

static json_t *json_of(struct route_answer a)
{
	json_t *o = json_loads(a.text, 0, NULL);

	assert_non_null(o);
	assert_string_equal(a.type, "application/json");
	free(a.made);
	return o;
}

static void finds_rows(void **state)
{
	const char *rest = "";
	bool known;
	(void)state;

	assert_non_null(route_find("GET", "/healthz", &rest, &known));
	assert_non_null(route_find("HEAD", "/healthz", &rest, &known));
	assert_null(route_find("POST", "/healthz", &rest, &known));
	assert_true(known);
	assert_null(route_find("GET", "/healthz/", &rest, &known));
	assert_false(known);
	assert_non_null(route_find("GET", "/api/v1/services/shop", &rest, &known));
	assert_string_equal(rest, "shop");
	for (const struct route *r = route_table; r->method; r++)
		assert_true(r->doc && r->answer && r->path[0] == '/');
}

static void services(void **state)
{
	struct board *b = sample_board();
	json_t *all = json_of(sample_ask(b, "GET", "/api/v1/services", NULL, NULL));
	json_t *one = json_of(sample_ask(b, "GET", "/api/v1/services/shop", NULL, NULL));
	struct route_answer none = sample_ask(b, "GET", "/api/v1/services/../../etc/passwd", NULL, NULL);
	(void)state;

	assert_int_equal(json_array_size(json_object_get(all, "services")), 3);
	assert_string_equal(json_string_value(json_object_get(json_object_get(one, "report"), "schema")), REPORT_SCHEMA);
	assert_int_equal(none.status, 404);
	free(none.made);
	/* what a controller would be told now, and why */
	const json_t *listed = json_object_get(json_array_get(json_object_get(all, "services"), 0), "gate");
	assert_string_equal(json_string_value(json_object_get(listed, "verdict")), "fail");
	assert_int_equal(
		strncmp(json_string_value(json_array_get(json_object_get(listed, "why"), 0)), "finding: retry.unbounded", 24), 0);
	assert_true(json_array_size(json_object_get(one, "checks")) > 2);
	json_decref(all);
	json_decref(one);
	/* one that was never seen has a summary and no report */
	one = json_of(sample_ask(b, "GET", "/api/v1/services/job", NULL, NULL));
	assert_true(json_is_null(json_object_get(one, "report")));
	assert_string_equal(json_string_value(json_object_get(json_object_get(json_object_get(one, "summary"), "gate"), "verdict")),
			    "inconclusive");
	json_decref(one);
	sample_done(b);
}

static void findings(void **state)
{
	struct board *b = sample_board();
	json_t *all = json_of(sample_ask(b, "GET", "/api/v1/findings", NULL, NULL));
	json_t *web = json_of(sample_ask(b, "GET", "/api/v1/findings", "web", NULL));
	(void)state;

	assert_int_equal(json_array_size(json_object_get(all, "findings")), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(all, "findings"), 0), "service")),
			    "shop");
	assert_int_equal(json_array_size(json_object_get(web, "findings")), 0);
	json_decref(all);
	json_decref(web);
	sample_done(b);
}

static void ready(void **state)
{
	struct board *b = sample_board();
	struct route_answer a = sample_ask(b, "GET", "/readyz", NULL, NULL);
	(void)state;

	assert_int_equal(a.status, 200);
	free(a.made);
	board_update(b, board_find(b, "job"), BOARD_REFUSED, NULL, 1);
	a = sample_ask(b, "GET", "/readyz", NULL, NULL);
	assert_int_equal(a.status, 503);
	free(a.made);
	a = sample_ask(b, "GET", "/healthz", NULL, NULL);
	assert_int_equal(a.status, 200);
	a = sample_ask(b, "GET", "/api/v1/history", NULL, NULL); /* none is kept */
	assert_int_equal(a.status, 404);
	free(a.made);
	sample_done(b);
}

TEST_MAIN(cmocka_unit_test(finds_rows), cmocka_unit_test(services), cmocka_unit_test(findings), cmocka_unit_test(ready))
