/* Sessions that ended, in a file. */
#include "serve/history.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

static void remove_all(const char *file)
{
	static const char *const parts[] = {"", "-wal", "-shm", HISTORY_DAMAGED, HISTORY_DAMAGED "-wal", HISTORY_DAMAGED "-shm"};
	char name[128];

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		snprintf(name, sizeof(name), "%s%s", file, parts[i]);
		unlink(name);
	}
}

/* The daemon begins all the same, and what is left of the file stays for who can read it. */
static void begins_anew_when_damaged(void **state)
{
	char other[] = "/tmp/gapscope-history-XXXXXX", aside[64], garbage[4096];
	struct history *h;
	struct stat st;
	json_t *report = sample_report("error");
	int fd = mkstemp(other);
	(void)state;

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(history_open(other, &h, err, sizeof(err)), 0);
	assert_string_equal(err, "");
	for (int i = 0; i < 200; i++)
		assert_int_equal(history_add(h, "shop", "standard", report), 0);
	history_close(h);
	memset(garbage, 0xa5, sizeof(garbage));
	fd = open(other, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, garbage, sizeof(garbage), 4096), sizeof(garbage)); /* behind the head */
	close(fd);
	assert_int_equal(history_open(other, &h, err, sizeof(err)), 0);
	assert_non_null(strstr(err, "is damaged: it is kept as"));
	snprintf(aside, sizeof(aside), "%s" HISTORY_DAMAGED, other);
	assert_true(stat(aside, &st) == 0 && st.st_size > 4096);
	json_t *list = history_list(h, NULL);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	assert_int_equal(history_add(h, "shop", "standard", report), 0);
	history_close(h);
	json_decref(report);
	remove_all(other);
}

/* No room: the session is not kept, which is said, and the next one is. */
static void survives_a_full_disk(void **state)
{
	char other[] = "/tmp/gapscope-history-XXXXXX";
	struct history *h;
	struct rlimit before, full;
	json_t *report = sample_report("error"), *list;
	const int fd = mkstemp(other);
	(void)state;

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(history_open(other, &h, err, sizeof(err)), 0);
	assert_int_equal(history_add(h, "shop", "standard", report), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	full = before;
	full.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	const int e = history_add(h, "shop", "standard", report);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_true(e < 0);
	assert_int_equal(history_add(h, "shop", "standard", report), 0);
	list = history_list(h, NULL);
	assert_int_equal(json_array_size(list), 2);
	json_decref(list);
	history_close(h);
	json_decref(report);
	remove_all(other);
}

static int set_up(void **state)
{
	(void)state;
	const int fd = mkstemp(path);

	return fd < 0 || close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	remove_all(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_sessions), cmocka_unit_test(refuses_what_is_no_database),
					   cmocka_unit_test(begins_anew_when_damaged), cmocka_unit_test(survives_a_full_disk)};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
