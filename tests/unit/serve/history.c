/* Sessions that ended, in a file. */
#include "serve/history.h"

#include <errno.h>
#include <unistd.h>

#include "sample.h"

static char path[] = "/tmp/gapscope-history-XXXXXX", err[256];

static void keeps_sessions(void **state)
{
	struct history *h;
	json_t *with = sample_report("error"), *without = sample_report(NULL);
	(void)state;

	assert_int_equal(history_open(path, &h, err, sizeof(err)), 0);
	assert_int_equal(history_add(h, "shop", "standard", with), 0);
	assert_int_equal(history_add(h, "it's; DROP TABLE session", "standard", without), 0);
	history_close(h);
	/* a later daemon reads what an earlier one wrote */
	assert_int_equal(history_open(path, &h, err, sizeof(err)), 0);
	json_t *all = history_list(h, NULL), *shop = history_list(h, "shop"), *nobody = history_list(h, "nobody");
	assert_int_equal(json_array_size(all), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(all, 0), "service")), "it's; DROP TABLE session");
	assert_int_equal(json_array_size(shop), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(shop, 0), "error")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(shop, 0), "requests")), 100);
	assert_int_equal(json_array_size(nobody), 0);
	json_decref(all);
	json_decref(shop);
	json_decref(nobody);
	json_decref(with);
	json_decref(without);
	history_close(h);
}

static void refuses_what_is_no_database(void **state)
{
	struct history *h;
	char other[] = "/tmp/gapscope-history-XXXXXX";
	const int fd = mkstemp(other);
	(void)state;

	assert_true(fd >= 0);
	assert_int_equal(
		write(fd, "this is a text file, and no database at all; it is long enough to be one, however, and so it is read",
		      100),
		100);
	close(fd);
	assert_int_equal(history_open(other, &h, err, sizeof(err)), -EIO);
	assert_non_null(strstr(err, "cannot keep a history there"));
	assert_int_equal(history_open("/nonexistent/h.db", &h, err, sizeof(err)), -EIO);
	unlink(other);
}

static int set_up(void **state)
{
	(void)state;
	const int fd = mkstemp(path);

	return fd < 0 || close(fd);
}

static int tear_down(void **state)
{
	char extra[64];
	(void)state;

	unlink(path);
	snprintf(extra, sizeof(extra), "%s-wal", path);
	unlink(extra);
	snprintf(extra, sizeof(extra), "%s-shm", path);
	unlink(extra);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_sessions), cmocka_unit_test(refuses_what_is_no_database)};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
