/* Settings: flags win over the file, the file over the defaults. */
#include "commands/settings.h"

#include <errno.h>
#include <unistd.h>

#include "commands/unit.h"

static char err[512];
static char path[] = "/tmp/gapscope-settings.XXXXXX";

static int write_config(void **state)
{
	static const char text[] = "service: of-file\nexport: [otlp]\nrings: 5\n";
	int fd = mkstemp(path);
	(void)state;

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	return close(fd);
}

static int remove_config(void **state)
{
	(void)state;
	return unlink(path);
}

static void defaults_come_from_the_tables(void **state)
{
	struct settings s;
	(void)state;

	assert_int_equal(settings_load(&s, run_flags, 1, WORDS("run"), err, sizeof(err)), 1);
	for (int d = 0; detector_table[d]; d++) {
		assert_int_equal(settings_detector_index(detector_table[d]->name), d);
		assert_true(settings_detector_enabled(&s, detector_table[d]));
		const struct option *o = detector_table[d]->options;
		for (int i = 0; o && o[i].name; i++)
			assert_true(settings_detector_options(&s, detector_table[d])[i] == o[i].value);
	}
	assert_int_equal(settings_detector_index("nothing"), -1);
}

static void tables_fit_the_settings(void **state)
{
	size_t detectors = 0;
	(void)state;

	for (; detector_table[detectors]; detectors++) {
		size_t options = 0;
		const struct option *o = detector_table[detectors]->options;
		while (o && o[options].name)
			options++;
		assert_true(options <= SETTINGS_OPTIONS_MAX);
	}
	assert_true(detectors <= SETTINGS_DETECTORS_MAX);
}

static void flags_win_over_the_file(void **state)
{
	struct settings s;
	(void)state;

	int i = settings_load(&s, run_flags, 8, WORDS("run", "--service", "of-flag", "--config", path, "--export", "jsonl", "prog"),
			      err, sizeof(err));
	assert_int_equal(i, 7);
	assert_string_equal(s.service, "of-flag");
	assert_int_equal(s.rings, 5);
	assert_int_equal(s.exports.n, 1);
	assert_string_equal(s.exports.items[0], "jsonl");
	settings_done(&s);

	assert_int_equal(settings_load(&s, run_flags, 3, WORDS("run", "--config", path), err, sizeof(err)), 3);
	assert_string_equal(s.service, "of-file");
	assert_string_equal(s.exports.items[0], "otlp");
	settings_done(&s);
}

static void errors_of_both_come_through(void **state)
{
	struct settings s;
	(void)state;

	assert_int_equal(settings_load(&s, run_flags, 3, WORDS("run", "--config", "/nonexistent"), err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "/nonexistent"));
	assert_int_equal(settings_load(&s, run_flags, 2, WORDS("run", "--nope"), err, sizeof(err)), -EINVAL);
	assert_int_equal(settings_load(&s, replay_flags, 3, WORDS("replay", "--record", "x"), err, sizeof(err)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_come_from_the_tables),
		cmocka_unit_test(tables_fit_the_settings),
		cmocka_unit_test(flags_win_over_the_file),
		cmocka_unit_test(errors_of_both_come_through),
	};

	return cmocka_run_group_tests(tests, write_config, remove_config);
}
