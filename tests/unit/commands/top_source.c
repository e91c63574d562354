/* Where `top` looks: a file is one service; what is not there is said. tests/system/top.py has the daemon. */
#include "commands/top_source.h"

#include <errno.h>
#include <unistd.h>

#include "commands/unit.h"
#include "report/render.h"
#include "report/render_util.h"
#include "report/report.h"

static void a_file_is_one_service(void **state)
{
	char path[] = "/tmp/gapscope-top-XXXXXX", err[512] = "";
	FILE *f = fdopen(mkstemp(path), "w");
	json_t *report = report_new(json_pack("{s:s, s:i}", "name", "sh\033[2Jop", "client_requests", 5)), *services, *read;
	struct top_source *s;
	(void)state;

	report_format_json.write(report, f, false);
	fclose(f);
	assert_int_equal(top_source_open(path, NULL, &s, err, sizeof(err)), 0);
	assert_int_equal(top_source_services(s, &services, err, sizeof(err)), 0);
	assert_int_equal(json_array_size(services), 1);
	assert_int_equal(json_number(json_array_get(services, 0), "client_requests"), 5);
	assert_null(strchr(json_text(json_array_get(services, 0), "name"), '\033'));
	assert_int_equal(top_source_report(s, "", &read, err, sizeof(err)), 0);
	assert_true(json_is_array(json_object_get(read, "findings")));
	json_decref(read);
	json_decref(services);
	assert_int_equal(truncate(path, 3), 0);
	assert_true(top_source_services(s, &services, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, path));
	top_source_close(s);
	json_decref(report);
	unlink(path);
}

static void what_is_not_there_is_said(void **state)
{
	char err[512] = "";
	struct top_source *s;
	json_t *services;
	(void)state;

	assert_int_equal(top_source_open("/nonexistent/report.json", NULL, &s, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "/nonexistent/report.json"));
	assert_int_equal(top_source_open("unix:/nonexistent/socket", "secret", &s, err, sizeof(err)), 0);
	assert_int_equal(top_source_services(s, &services, err, sizeof(err)), -EIO);
	assert_null(strstr(err, "secret"));
	top_source_close(s);
	top_source_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_file_is_one_service), cmocka_unit_test(what_is_not_there_is_said)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
