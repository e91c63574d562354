/* Reading reports back: what was written, and errors that say where. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sample.h"

#include "report/render.h"

static char path[] = "/tmp/gapscope-report-XXXXXX";

static int make(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int clear(void **state)
{
	(void)state;
	return unlink(path);
}

static void put(const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void reads_what_was_written(void **state)
{
	(void)state;
	char err[256];
	json_t *r = sample_report(), *back = NULL;
	char *text = render_json(r);
	put(text);
	assert_int_equal(report_load(path, &back, err, sizeof err), 0);
	assert_true(json_equal(r, back));
	free(text);
	json_decref(r);
	json_decref(back);
}

static void names_the_place(void **state)
{
	(void)state;
	char err[512];
	json_t *back = NULL;
	put("{\n  \"schema\": \"gapscope.report/1\",\n  oops\n}");
	assert_int_equal(report_load(path, &back, err, sizeof err), -EINVAL);
	assert_non_null(strstr(err, ":3:"));
	assert_null(strchr(err, '\n'));
	put("");
	assert_int_equal(report_load(path, &back, err, sizeof err), -EINVAL);
	put("{\"schema\":\"x\"}");
	assert_int_equal(report_load(path, &back, err, sizeof err), -EINVAL);
	assert_non_null(strstr(err, "schema"));
	assert_int_equal(report_load("/no/such/file", &back, err, sizeof err), -ENOENT);
	assert_non_null(strstr(err, "/no/such/file"));
	assert_int_equal(report_load("/", &back, err, sizeof err) < 0, 1);
	assert_null(back);
}

static void a_hostile_file_cannot_reach_the_terminal(void **state)
{
	(void)state;
	char err[256];
	json_t *r = sample_report(), *back = NULL;
	json_object_set_new(json_object_get(r, "service"), "name", json_string("x\x1b]0;evil\x07"));
	char *text = render_json(r);
	put(text);
	assert_int_equal(report_load(path, &back, err, sizeof err), 0);
	assert_string_equal(json_string_value(json_object_get(json_object_get(back, "service"), "name")), "x?]0;evil?");
	free(text);
	json_decref(r);
	json_decref(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_what_was_written), cmocka_unit_test(names_the_place),
					   cmocka_unit_test(a_hostile_file_cannot_reach_the_terminal)};
	return cmocka_run_group_tests(tests, make, clear);
}
