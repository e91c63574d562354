/* Verdicts as Argo Rollouts and Flagger take them. */
#include "sample.h"

static void argo(void **state)
{
	static const struct {
		const char *service, *verdict;
	} cases[] = {{"shop", "fail"}, {"web", "pass"}, {"job", "inconclusive"}};
	struct board *b = sample_board();
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct route_answer a = sample_ask(b, "GET", "/gate/argo", cases[i].service, NULL);
		json_t *o = json_loads(a.text, 0, NULL), *data = json_object_get(o, "data");

		/* another status is an error to Argo, and no verdict */
		assert_int_equal(a.status, 200);
		assert_string_equal(json_string_value(json_object_get(data, "verdict")), cases[i].verdict);
		assert_int_equal(json_is_true(json_object_get(data, "ok")), strcmp(cases[i].verdict, "pass") == 0);
		json_decref(o);
		free(a.made);
	}
	struct route_answer a = sample_ask(b, "GET", "/gate/argo", NULL, NULL); /* which of three? */
	assert_int_equal(a.status, 404);
	free(a.made);
	sample_done(b);
}

static unsigned int post(struct board *b, const char *path, const char *body, char **ret_text)
{
	struct route_answer a = sample_ask(b, "POST", path, NULL, body);

	*ret_text = a.made;
	return a.status;
}

static void flagger(void **state)
{
	static const char web[] =
		"{\"name\":\"web\",\"namespace\":\"n\",\"phase\":\"Progressing\",\"checksum\":\"1\",\"metadata\":{}}";
	static const char shop[] = "{\"name\":\"web\",\"metadata\":{\"service\":\"shop\"}}";
	struct board *b = sample_board();
	char *text;
	(void)state;

	assert_int_equal(post(b, "/gate/flagger", web, &text), 200);
	free(text);
	assert_int_equal(post(b, "/gate/flagger", shop, &text), 412);
	assert_int_equal(strncmp(text, "fail\nfinding: retry.unbounded", 29), 0); /* the reason reaches Flagger's event */
	free(text);
	assert_int_equal(post(b, "/gate/flagger", "{\"name\":\"job\"}", &text), 412);
	assert_int_equal(strncmp(text, "inconclusive\n", 13), 0);
	free(text);
	/* 2xx means "roll back now": only when it failed */
	assert_int_equal(post(b, "/gate/flagger/rollback", shop, &text), 200);
	free(text);
	assert_int_equal(post(b, "/gate/flagger/rollback", web, &text), 412);
	free(text);
	assert_int_equal(post(b, "/gate/flagger/rollback", "{\"name\":\"job\"}", &text), 412);
	free(text);
	sample_done(b);
}

static void hostile_bodies(void **state)
{
	static const char *const bodies[] = {
		NULL, "", "[]", "{", "3", "{\"name\":7}", "{\"name\":\"nobody\"}", "{\"metadata\":[]}"};
	struct board *b = sample_board();
	char *text;
	(void)state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		const unsigned int status = post(b, "/gate/flagger", bodies[i], &text);

		assert_true(status == 400 || status == 404);
		free(text);
	}
	sample_done(b);
}

TEST_MAIN(cmocka_unit_test(argo), cmocka_unit_test(flagger), cmocka_unit_test(hostile_bodies))
