/* The configuration file: every error names file, line and key. */
#include "commands/config.h"

#include <errno.h>

#include "commands/unit.h"
#include "scan/scan.h"

static char err[512];

/* Settings from a text; the caller frees with settings_done. */
static int load(struct settings *s, const char *text)
{
	char *argv[] = {"run", NULL};
	char why[64];

	assert_int_equal(settings_load(s, run_flags, 1, argv, why, sizeof(why)), 1);
	err[0] = 0;
	return config_parse("c.yaml", text, strlen(text), s, err, sizeof(err));
}

static void reads_every_kind_of_key(void **state)
{
	struct settings s;
	(void)state;

	assert_int_equal(load(&s, "service: shop\nexport: [otlp, 'jsonl:/tmp/x']\nrings: 9\nquiet: yes\nring-size: 8192\n"), 0);
	assert_string_equal(s.service, "shop");
	assert_int_equal(s.exports.n, 2);
	assert_string_equal(s.exports.items[1], "jsonl:/tmp/x");
	assert_int_equal(s.rings, 9);
	assert_int_equal(s.ring_size, 8192);
	assert_true(s.quiet);
	settings_done(&s);
	assert_int_equal(load(&s, "export: otlp\n"), 0);
	assert_int_equal(s.exports.n, 1);
	settings_done(&s);
	assert_int_equal(load(&s, "# nothing\n"), 0);
	settings_done(&s);
}

static void sets_options_of_detectors(void **state)
{
	struct settings s;
	char text[256];
	(void)state;

	for (int d = 0; detector_table[d]; d++) {
		const struct option *o = detector_table[d]->options;
		for (int i = 0; o && o[i].name; i++) {
			snprintf(text, sizeof(text), "detectors:\n  %s:\n    enabled: false\n    %s: %.17g\n",
				 detector_table[d]->name, o[i].name, o[i].max);
			assert_int_equal(load(&s, text), 0);
			assert_true(s.detectors[d].values[i] == o[i].max);
			assert_false(settings_detector_enabled(&s, detector_table[d]));
			assert_true(settings_detector_options(&s, detector_table[d])[i] == o[i].max);
			settings_done(&s);
			snprintf(text, sizeof(text), "detectors:\n  %s:\n    %s: 1e300\n", detector_table[d]->name, o[i].name);
			assert_int_equal(load(&s, text), -EINVAL);
			assert_non_null(strstr(err, "c.yaml:3: detectors."));
			settings_done(&s);
		}
	}
}

static void errors_name_file_line_and_key(void **state)
{
	static const struct {
		const char *text, *err;
	} cases[] = {
		{"service: a\ncolour: red\n",
		 "c.yaml:2: colour: unknown key; keys are the long flags of `gapscope run`, 'detectors' and 'scan'"},
		{"config: other\n",
		 "c.yaml:1: config: unknown key; keys are the long flags of `gapscope run`, 'detectors' and 'scan'"},
		{"\nrings: many\n", "c.yaml:2: rings: 'many' is no number from 1 to 65536"},
		{"quiet: maybe\n", "c.yaml:1: quiet: 'maybe' is neither true nor false"},
		{"service: [a]\n", "c.yaml:1: service: must be a single value"},
		{"service: a\nservice: b\n", "c.yaml:2: service: stands there twice"},
		{"detectors: on\n", "c.yaml:1: detectors: must be keys with values, as in `key: value`"},
		{"detectors:\n  retri: {}\n",
		 "c.yaml:2: detectors.retri: unknown detector; `gapscope list detectors` shows those that exist"},
		{"detectors:\n  retry:\n    nope: 1\n",
		 "c.yaml:3: detectors.retry.nope: unknown option; `gapscope list detectors` shows those that exist"},
		{"detectors:\n  retry:\n    enabled: 7\n", "c.yaml:3: detectors.retry.enabled: '7' is neither true nor false"},
		{"- a\n", "c.yaml:1: must be keys with values, as in `key: value`"},
		{"[a]: b\n", "c.yaml:1: a key must be a single word"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings s;
		assert_int_equal(load(&s, cases[i].text), -EINVAL);
		assert_string_equal(err, cases[i].err);
		settings_done(&s);
	}
}

static void refuses_what_is_no_yaml(void **state)
{
	struct settings s;
	(void)state;

	assert_int_equal(load(&s, "service: a\n  rings: [\n"), -EINVAL);
	assert_memory_equal(err, "c.yaml:2: not valid YAML: ", 26);
	settings_done(&s);
	assert_int_equal(load(&s, "service: \"a\\0b\"\n"), -EINVAL);
	settings_done(&s);
}

static void survives_every_cut(void **state)
{
	static const char text[] = "service: shop\nexport: [otlp, a]\ndetectors:\n  retry: {enabled: false}\nrings: 9\n";
	(void)state;

	for (size_t len = 0; len < sizeof(text); len++) {
		struct settings s;
		char cut[sizeof(text)];
		snprintf(cut, sizeof(cut), "%.*s", (int)len, text);
		int e = load(&s, cut);
		assert_true(e == 0 || (e == -EINVAL && strncmp(err, "c.yaml:", 7) == 0));
		settings_done(&s);
	}
}

static void files_that_cannot_be_read(void **state)
{
	struct settings s = {0};
	(void)state;

	assert_int_equal(config_load("/nonexistent/c.yaml", &s, err, sizeof(err)), -ENOENT);
	assert_string_equal(err, "/nonexistent/c.yaml: cannot read it: No such file or directory");
	assert_int_equal(config_load("/tmp", &s, err, sizeof(err)), -EIO);
	assert_int_equal(config_load("/dev/zero", &s, err, sizeof(err)), -EFBIG);
}

static void rules_of_the_scanner(void **state)
{
	static const uint8_t text[] = "mail a.b@acme.io and x@gmail.com";
	struct settings s;
	(void)state;

	assert_int_equal(load(&s, "scan:\n  allow: ['*@acme.io']\n  off: [JWT]\n  own: [acme_tok_]\n"), 0);
	settings_done(&s);
	struct scanner *scanner = scanner_new(NULL);
	assert_int_equal(scan_text(scanner, text, sizeof(text) - 1, NULL, NULL), 1);
	scanner_free(scanner);
	scan_rules_clear();
	assert_int_equal(load(&s, "scan: {off: [NO_SUCH]}\n"), -EINVAL);
	assert_non_null(strstr(err, "'NO_SUCH' is no such entity"));
	settings_done(&s);
	assert_int_equal(load(&s, "scan: {allow: ['*']}\n"), -EINVAL);
	settings_done(&s);
	assert_int_equal(load(&s, "scan: {more: [x]}\n"), -EINVAL);
	assert_non_null(strstr(err, "c.yaml:1: scan.more: unknown key"));
	settings_done(&s);
	assert_int_equal(load(&s, "scan: {off: JWT}\n"), -EINVAL);
	settings_done(&s);
	scan_rules_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_of_the_scanner),      cmocka_unit_test(reads_every_kind_of_key),
		cmocka_unit_test(sets_options_of_detectors), cmocka_unit_test(errors_name_file_line_and_key),
		cmocka_unit_test(refuses_what_is_no_yaml),   cmocka_unit_test(survives_every_cut),
		cmocka_unit_test(files_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
