/* Keys and values of YAML: each pair is told with its path, and an error names file, line and key. */
#include "config/yaml_map.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

static char err[512], seen[512];

static int on_inner(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	const char *text = yaml_text(value);

	if (!text)
		return yaml_fail(r, value, path, "must be a single value");
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s=%s(%zu,%s) ", path, text, index, word);
	return 0;
}

static int on_outer(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	(void)word;
	if (value->type == YAML_MAPPING_NODE)
		return yaml_each_pair(r, value, index + 1, path, on_inner);
	return on_inner(r, index, path, path, value);
}

static int parse(const char *text)
{
	err[0] = seen[0] = 0;
	return yaml_parse("f.yaml", text, strlen(text), on_outer, NULL, err, sizeof(err));
}

static void tells_pairs(void **state)
{
	(void)state;
	assert_int_equal(parse("a: 1\nb:\n  c: two\n"), 0);
	assert_string_equal(seen, "a=1(0,a) b.c=two(1,c) ");
	assert_int_equal(parse(""), 0);
}

static void names_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *message;
	} wrong[] = {
		{"a: 1\na: 2\n", "f.yaml:2: a: stands there twice"},
		{"b:\n  c: [1]\n", "f.yaml:2: b.c: must be a single value"},
		{"- a\n", "f.yaml:1: must be keys with values, as in `key: value`"},
		{"b:\n  [x]: 1\n", "f.yaml:2: b: a key must be a single word"},
		{"a: \"x\\0y\"\n", "f.yaml:1: a: must be a single value"},
		{"\"a\\nb\": [1]\n", "f.yaml:1: a b: must be a single value"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(parse(wrong[i].text), -EINVAL);
		assert_string_equal(err, wrong[i].message);
	}
	assert_int_equal(parse("a: [1\nb"), -EINVAL);
	assert_non_null(strstr(err, "not valid YAML"));
}

static void tells_what_cannot_be_read(void **state)
{
	(void)state;
	assert_int_equal(yaml_load("/nonexistent/f.yaml", on_outer, NULL, err, sizeof(err)), -ENOENT);
	assert_string_equal(err, "/nonexistent/f.yaml: cannot read it: No such file or directory");
	assert_int_equal(yaml_load("/", on_outer, NULL, err, sizeof(err)), -EIO);
	assert_int_equal(yaml_load("/dev/zero", on_outer, NULL, err, sizeof(err)), -EFBIG);
}

TEST_MAIN(cmocka_unit_test(tells_pairs), cmocka_unit_test(names_what_is_wrong), cmocka_unit_test(tells_what_cannot_be_read))
