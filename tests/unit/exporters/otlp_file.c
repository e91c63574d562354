/* OTLP into a file: whole lines, appended; a disk that is full; and the exporter that uses it. */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/otlp_transport.h"

static void lines(void **state)
{
	(void)state;
	char path[] = "/tmp/gapscope-file-XXXXXX";
	close(mkstemp(path));
	const struct otlp_signal s = {.url = path, .protocol = OTLP_FILE};
	const struct bytes one = {.data = (uint8_t *)"{1}", .len = 3}, two = {.data = (uint8_t *)"{2}", .len = 3};
	struct otlp_reply reply;
	void *a, *b;
	assert_int_equal(otlp_into_file.open(&s, &a), 0);
	assert_int_equal(otlp_into_file.open(&s, &b), 0);
	otlp_into_file.post(a, &one, 0, &reply);
	assert_int_equal(reply.verdict, OTLP_TAKEN);
	otlp_into_file.post(b, &two, 0, &reply);
	otlp_into_file.abort(a);
	otlp_into_file.close(a);
	otlp_into_file.close(b);
	char text[64] = "";
	FILE *f = fopen(path, "r");
	size_t n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	assert_int_equal(n, 8);
	assert_string_equal(text, "{1}\n{2}\n");
	unlink(path);
}

static void a_full_disk(void **state)
{
	(void)state;
	const struct otlp_signal s = {.url = (char *)"/dev/full", .protocol = OTLP_FILE};
	const struct bytes one = {.data = (uint8_t *)"{1}", .len = 3};
	struct otlp_reply reply;
	void *f;
	assert_int_equal(otlp_into_file.open(&s, &f), 0);
	otlp_into_file.post(f, &one, 0, &reply);
	assert_int_equal(reply.verdict, OTLP_REFUSED);
	assert_non_null(strstr(reply.why, "/dev/full"));
	otlp_into_file.close(f);
	const struct otlp_signal nowhere = {.url = (char *)"/nowhere/file", .protocol = OTLP_FILE};
	assert_true(otlp_into_file.open(&nowhere, &f) < 0);
}

static void the_exporter(void **state)
{
	(void)state;
	static const struct resource about;
	char path[] = "/tmp/gapscope-file-XXXXXX", err[256];
	close(mkstemp(path));
	const struct exporter *file = exporter_find("file");
	void *x = NULL;
	assert_true(file->open("", &about, &x, err, sizeof err) < 0);
	assert_true(file->open("/nowhere/file", &about, &x, err, sizeof err) < 0);
	assert_non_null(strstr(err, "/nowhere/file"));
	assert_int_equal(file->open(path, &about, &x, err, sizeof err), 0);
	const struct span span = {.trace_id = {1}, .span_id = {2}, .name = "GET", .kind = SPAN_CLIENT, .trace_flags = 1};
	file->span(x, &span);
	file->flush(x, 10000);
	struct export_counts c[EXPORT_SIGNALS];
	file->counts(x, c);
	assert_int_equal(c[EXPORT_SPANS].acknowledged, 1);
	file->close(x, 0);
	json_error_t why;
	json_t *o = json_load_file(path, JSON_DISABLE_EOF_CHECK, &why);
	assert_non_null(json_object_get(o, "resourceSpans"));
	json_decref(o);
	unlink(path);
}

TEST_MAIN(cmocka_unit_test(lines), cmocka_unit_test(a_full_disk), cmocka_unit_test(the_exporter))
