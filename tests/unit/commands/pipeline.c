/* The pipeline: events reach the session and the recording, and the report comes out whole. */
#include "commands/pipeline.h"

#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#include "commands/unit.h"

static void start(struct pipeline *p, struct settings *s)
{
	char err[256];

	assert_int_equal(settings_load(s, run_flags, 1, WORDS("run"), err, sizeof(err)), 1);
	assert_int_equal(pipeline_init(p), 0);
	assert_int_equal(pipeline_open(p, s, "unit", 7), 0);
}

static struct event note(const char *text)
{
	return (struct event){.id = WIRE_SOURCE_INFO,
			      .fd = -1,
			      .t0 = 1000000000,
			      .t1 = 1000000000,
			      .data = (const uint8_t *)text,
			      .data_len = (uint32_t)strlen(text)};
}

static void what_cannot_be_seen_is_in_the_report(void **state)
{
	static const char text[] = "io_uring is not visible";
	struct pipeline p;
	struct settings s;
	struct event e = note(text);
	size_t i;
	json_t *item;
	bool found = false;
	(void)state;

	start(&p, &s);
	pipeline_event(&p, &e);
	assert_int_equal(p.events, 1);
	session_finish(p.session, 2000000000);
	json_t *report = session_report(p.session);
	json_array_foreach (json_object_get(report, "not_exercised"), i, item) {
		found = found || strcmp(json_string_value(item), text) == 0;
	}
	assert_true(found);
	assert_string_equal(json_string_value(json_object_get(report, "schema")), "gapscope.report/1");
	json_decref(report);
	pipeline_done(&p);
}

static void program_images_are_counted(void **state)
{
	struct pipeline p;
	struct settings s;
	struct event e = {.id = WIRE_PROCESS_START, .pid = 5, .tid = 5, .fd = -1, .t0 = 1, .t1 = 1};
	(void)state;

	start(&p, &s);
	assert_int_equal(p.images, 0);
	pipeline_event(&p, &e);
	assert_int_equal(p.images, 1);
	session_finish(p.session, 2);
	pipeline_done(&p);
}

static void a_report_goes_to_its_file_or_nowhere(void **state)
{
	struct pipeline p;
	struct settings s;
	char path[] = "/tmp/gapscope-pipeline.XXXXXX";
	(void)state;

	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	start(&p, &s);
	session_finish(p.session, 1);
	assert_int_equal(pipeline_report(&p, path, "text", NULL), 0);
	json_t *report = json_load_file(path, 0, NULL);
	assert_non_null(report);
	json_decref(report);
	assert_int_equal(pipeline_report(&p, NULL, "text", NULL), 0);
	assert_true(pipeline_report(&p, "/nonexistent/x", "text", NULL) < 0);
	pipeline_done(&p);
	unlink(path);
}

static void a_failed_recording_does_not_stop_the_session(void **state)
{
	struct pipeline p;
	struct settings s;
	struct event e = note("x");
	(void)state;

	start(&p, &s);
	struct recording_info info = {.service = "unit"};
	int r = recording_create("/dev/full", &info, p.stacks, &p.writer);
	if (r == 0) {
		for (int i = 0; i < 100000 && p.record_error == 0; i++)
			pipeline_event(&p, &e);
		struct recording_totals totals = {0};
		int end = recording_close(p.writer, &totals);
		assert_true(p.record_error < 0 || end < 0);
	} else {
		assert_true(r < 0);
	}
	session_finish(p.session, 2);
	pipeline_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_seen_is_in_the_report),
		cmocka_unit_test(program_images_are_counted),
		cmocka_unit_test(a_report_goes_to_its_file_or_nowhere),
		cmocka_unit_test(a_failed_recording_does_not_stop_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
