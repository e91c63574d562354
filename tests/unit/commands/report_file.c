/* The report's file: whole or not at all, and never instead of a device. */
#include "commands/report_file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/unit.h"

static char dir[] = "/tmp/gapscope-report.XXXXXX";
static char path[PATH_MAX], err[512];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/report.json", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void check_content(const char *wanted)
{
	char text[64] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_string_equal(text, wanted);
}

static void check_alone(int files)
{
	DIR *d = opendir(dir);

	assert_non_null(d);
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		files -= e->d_name[0] != '.';
	closedir(d);
	assert_int_equal(files, 0);
}

static void replaces_a_report_whole(void **state)
{
	struct stat st;
	(void)state;

	assert_int_equal(report_file_check(path, err, sizeof(err)), 0);
	check_alone(0);
	assert_int_equal(report_file_write(path, "one", 3, err, sizeof(err)), 0);
	check_content("one");
	FILE *old = fopen(path, "r");
	assert_int_equal(report_file_write(path, "two", 3, err, sizeof(err)), 0);
	check_content("two");
	/* Who has the old one open keeps the old one. */
	char text[8] = "";
	assert_int_equal(fread(text, 1, 3, old), 3);
	assert_string_equal(text, "one");
	fclose(old);
	check_alone(1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
}

static void devices_are_written_not_replaced(void **state)
{
	struct stat st;
	(void)state;

	assert_int_equal(report_file_check("/dev/null", err, sizeof(err)), 0);
	assert_int_equal(report_file_write("/dev/null", "x", 1, err, sizeof(err)), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(report_file_write("/dev/full", "x", 1, err, sizeof(err)), -ENOSPC);
}

static void errors_name_the_file(void **state)
{
	(void)state;
	assert_int_equal(report_file_check("/nonexistent/r.json", err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "/nonexistent/r.json: cannot write the report"));
	assert_int_equal(report_file_write("/nonexistent/r.json", "x", 1, err, sizeof(err)), -ENOENT);
	assert_int_equal(report_file_check(dir, err, sizeof(err)), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaces_a_report_whole),
		cmocka_unit_test(devices_are_written_not_replaced),
		cmocka_unit_test(errors_name_the_file),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
