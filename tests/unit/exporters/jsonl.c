/* JSON lines: each line an object, appended, counted; a full disk is counted too. */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters/exporter.h"

static const struct attr who[] = {{.key = "service.name", .type = ATTR_STRING, .s = "shop"}};
static const struct resource about = {.attrs = who, .attrs_n = 1};

static void give_all(const struct exporter *jsonl, void *x)
{
	static const double bounds[] = {1};
	const struct span span = {
		.trace_id = {0xab},
		.span_id = {0xcd},
		.name = "GET",
		.kind = SPAN_SERVER,
		.start_ns = 1000000000,
		.end_ns = 1500000000,
		.attrs = {{.key = "b", .type = ATTR_BOOL, .b = true}, {.key = "d", .type = ATTR_DOUBLE, .d = 0.5}},
		.attrs_n = 2};
	const struct metric_point points[2] = {{.value = 1}, {.value = 2}};
	const struct metric_point histogram = {.count = 1, .sum = 2, .buckets = {0, 1}};
	const struct metric metrics[2] = {
		{.name = "m", .kind = METRIC_SUM, .points = points, .points_n = 2},
		{.name = "h", .kind = METRIC_HISTOGRAM, .bounds = bounds, .bounds_n = 1, .points = &histogram, .points_n = 1}};
	json_t *finding = json_pack("{s:s}", "rule", "r");
	static const uint8_t trace[16] = {1}, id[8] = {2};
	jsonl->span(x, &span);
	jsonl->metrics(x, metrics, 2, 0);
	jsonl->finding(x, finding, trace, id, 1);
	assert_null(json_object_get(finding, "trace_id")); /* the caller's is as it was */
	json_decref(finding);
	jsonl->flush(x, 0);
}

static void lines(void **state)
{
	(void)state;
	static const char *const kinds[] = {"resource", "span", "metric", "metric", "metric", "finding"};
	char path[] = "/tmp/gapscope-jsonl-XXXXXX", err[256], line[4096];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	const struct exporter *jsonl = exporter_find("jsonl");
	void *x = NULL;
	assert_int_equal(jsonl->open(path, &about, &x, err, sizeof err), 0);
	give_all(jsonl, x);
	struct export_counts c[EXPORT_SIGNALS];
	jsonl->counts(x, c);
	assert_int_equal(c[EXPORT_SPANS].acknowledged, 1);
	assert_int_equal(c[EXPORT_METRICS].acknowledged, 3);
	assert_int_equal(c[EXPORT_LOGS].acknowledged, 1);
	jsonl->close(x, 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	FILE *in = fopen(path, "r");
	for (size_t i = 0; i < 6; i++) {
		assert_non_null(fgets(line, sizeof line, in));
		json_t *o = json_loads(line, 0, NULL);
		assert_non_null(json_object_get(o, kinds[i]));
		if (i == 1) {
			const json_t *s = json_object_get(o, "span");
			assert_string_equal(json_string_value(json_object_get(s, "span_id")), "cd00000000000000");
			assert_true(json_is_null(json_object_get(s, "parent_id")));
			assert_true(json_real_value(json_object_get(s, "duration_s")) == 0.5);
		}
		json_decref(o);
	}
	assert_null(fgets(line, sizeof line, in));
	fclose(in);
	unlink(path);
}

/* Spans wait for each other, but not for longer than a turn, nor in larger numbers than 64 KiB hold. */
static void spans_go_together(void **state)
{
	(void)state;
	static const struct span span = {
		.trace_id = {1},
		.span_id = {2},
		.parent_id = {3},
		.linked = true,
		.link_trace_id = {4},
		.name = "say \"hi\"",
		.kind = SPAN_CLIENT,
		.status = SPAN_ERROR,
		.attrs = {{.key = "s", .type = ATTR_STRING, .s = "\xff\\"}, {.key = "i", .type = ATTR_INT, .i = -7}},
		.attrs_n = 2};
	char path[] = "/tmp/gapscope-jsonl-XXXXXX", err[256], line[4096];
	int fd = mkstemp(path);
	struct export_counts c[EXPORT_SIGNALS];
	const struct exporter *jsonl = exporter_find("jsonl");
	void *x = NULL;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(jsonl->open(path, &about, &x, err, sizeof err), 0);
	for (int i = 0; i < 1000; i++)
		jsonl->span(x, &span);
	jsonl->counts(x, c);
	assert_int_equal(c[EXPORT_SPANS].produced, 1000);
	assert_in_range(c[EXPORT_SPANS].queued, 1, 999);
	assert_int_equal(c[EXPORT_SPANS].queued + c[EXPORT_SPANS].acknowledged, 1000);
	jsonl->turn(x);
	jsonl->counts(x, c);
	assert_int_equal(c[EXPORT_SPANS].queued, 0);
	assert_int_equal(c[EXPORT_SPANS].acknowledged, 1000);
	FILE *in = fopen(path, "r");
	assert_non_null(fgets(line, sizeof line, in));
	for (int i = 0; i < 1000; i++) {
		assert_non_null(fgets(line, sizeof line, in));
		json_t *o = json_loads(line, 0, NULL), *s = json_object_get(o, "span"), *attrs = json_object_get(s, "attributes");
		assert_string_equal(json_string_value(json_object_get(s, "name")), "say \"hi\"");
		assert_string_equal(json_string_value(json_object_get(s, "parent_id")), "0300000000000000");
		assert_string_equal(json_string_value(json_object_get(s, "status")), "error");
		assert_string_equal(json_string_value(json_object_get(attrs, "s")), "?\\");
		assert_int_equal(json_integer_value(json_object_get(attrs, "i")), -7);
		assert_int_equal(strlen(json_string_value(json_object_get(json_object_get(s, "link"), "trace_id"))), 32);
		json_decref(o);
	}
	assert_null(fgets(line, sizeof line, in));
	fclose(in);
	jsonl->close(x, 0);
	unlink(path);
}

/* Of spans that were to go together, those arrived that are whole in the file. */
static void a_disk_that_fills_up_is_counted(void **state)
{
	(void)state;
	static const struct span span = {.name = "GET", .kind = SPAN_SERVER};
	char path[] = "/tmp/gapscope-jsonl-XXXXXX", err[256];
	int fd = mkstemp(path);
	struct export_counts c[EXPORT_SIGNALS];
	const struct exporter *jsonl = exporter_find("jsonl");
	struct rlimit limit, before;
	struct stat st;
	void *x = NULL;
	assert_true(fd >= 0);
	assert_int_equal(jsonl->open(path, &about, &x, err, sizeof err), 0);
	jsonl->span(x, &span);
	jsonl->turn(x);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){.rlim_cur = (rlim_t)st.st_size + 1000, .rlim_max = before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 10; i++)
		jsonl->span(x, &span);
	jsonl->turn(x);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	jsonl->counts(x, c);
	assert_int_equal(c[EXPORT_SPANS].produced, 11);
	assert_in_range(c[EXPORT_SPANS].acknowledged, 2, 10);
	assert_int_equal(c[EXPORT_SPANS].acknowledged + c[EXPORT_SPANS].dropped, 11);
	jsonl->last_error(x, err, sizeof err);
	assert_true(strlen(err) > 0);
	jsonl->close(x, 0);
	close(fd);
	unlink(path);
}

static void a_full_disk_is_counted(void **state)
{
	(void)state;
	char err[256];
	const struct exporter *jsonl = exporter_find("jsonl");
	void *x = NULL;
	assert_int_equal(jsonl->open("/dev/full", &about, &x, err, sizeof err), -ENOSPC);
	assert_non_null(strstr(err, "/dev/full"));
	assert_int_equal(jsonl->open("/no/such/folder/x", &about, &x, err, sizeof err), -ENOENT);
	assert_int_equal(jsonl->open(NULL, &about, &x, err, sizeof err), -EINVAL);
	assert_non_null(strstr(err, "jsonl:FILE"));
	assert_null(x);
}

static void a_reader_that_left_is_counted(void **state)
{
	(void)state;
	int ends[2];
	char path[64], err[256];
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
	const struct exporter *jsonl = exporter_find("jsonl");
	void *x = NULL;
	assert_int_equal(jsonl->open(path, &about, &x, err, sizeof err), 0);
	close(ends[0]);
	close(ends[1]);
	signal(SIGPIPE, SIG_IGN);
	give_all(jsonl, x);
	struct export_counts c[EXPORT_SIGNALS];
	jsonl->counts(x, c);
	assert_int_equal(c[EXPORT_METRICS].produced, 3);
	assert_int_equal(c[EXPORT_METRICS].dropped, 3);
	jsonl->last_error(x, err, sizeof err);
	assert_true(strlen(err) > 0);
	jsonl->close(x, 0);
}

TEST_MAIN(cmocka_unit_test(lines), cmocka_unit_test(spans_go_together), cmocka_unit_test(a_disk_that_fills_up_is_counted),
	  cmocka_unit_test(a_full_disk_is_counted), cmocka_unit_test(a_reader_that_left_is_counted))
