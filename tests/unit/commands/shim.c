/* The shim's place, and the environment that brings it in without replacing anything. */
#include "commands/shim.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/unit.h"

static const char *get(char **env, const char *name)
{
	const char *found = NULL;

	for (; *env; env++) {
		if (strncmp(*env, name, strlen(name)) == 0 && (*env)[strlen(name)] == '=') {
			assert_null(found);
			found = *env + strlen(name) + 1;
		}
	}
	return found;
}

static void check_env(const char *preload, const char *wanted)
{
	char old[PATH_MAX];
	char *env[] = {"A=1", "GAPSCOPE_SESSION=/proc/1/fd/1", old, "B=LD_PRELOAD=x", NULL};

	snprintf(old, sizeof(old), preload ? "LD_PRELOAD=%s" : "C=%s", preload ? preload : "");
	char **joined = shim_env(env, "/l/g.so", "/proc/7/fd/8");
	assert_non_null(joined);
	assert_string_equal(get(joined, "LD_PRELOAD"), wanted);
	assert_string_equal(get(joined, "GAPSCOPE_SESSION"), "/proc/7/fd/8");
	assert_string_equal(get(joined, "A"), "1");
	assert_string_equal(get(joined, "B"), "LD_PRELOAD=x");
	shim_env_free(joined);
}

static void joins_what_is_preloaded(void **state)
{
	(void)state;
	check_env(NULL, "/l/g.so");
	check_env("", "/l/g.so");
	check_env("/x.so", "/x.so:/l/g.so");
	check_env("/x.so /y.so", "/x.so /y.so:/l/g.so");
	check_env("/l/g.so", "/l/g.so");
	check_env("/x.so:/l/g.so", "/x.so:/l/g.so");
	check_env("/l/g.so.1", "/l/g.so.1:/l/g.so");
}

static void frees_nothing(void **state)
{
	(void)state;
	shim_env_free(NULL);
}

static void takes_the_named_one(void **state)
{
	char dir[] = "/tmp/gapscope-shim.XXXXXX", path[PATH_MAX], found[PATH_MAX], err[512];
	(void)state;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/mine.so", dir);
	setenv(SHIM_ENV, path, 1);
	assert_int_equal(shim_find(found, sizeof(found), err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, SHIM_ENV));
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(shim_find(found, sizeof(found), err, sizeof(err)), 0);
	assert_string_equal(found, path);
	unlink(path);

	/* LD_PRELOAD has no way to say this path. */
	snprintf(path, sizeof(path), "%s/my shim.so", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	setenv(SHIM_ENV, path, 1);
	assert_int_equal(shim_find(found, sizeof(found), err, sizeof(err)), -EINVAL);
	unlink(path);
	rmdir(dir);
	unsetenv(SHIM_ENV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_what_is_preloaded),
		cmocka_unit_test(frees_nothing),
		cmocka_unit_test(takes_the_named_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
