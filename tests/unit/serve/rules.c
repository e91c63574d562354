/* The daemon's configuration. */
#include "serve/rules.h"

#include <errno.h>
#include <unistd.h>

#include "sample.h"

static char err[512];

static int parse(struct serve_rules *r, const char *text)
{
	return rules_parse("s.yaml", text, strlen(text), r, err, sizeof(err));
}

static void reads(void **state)
{
	static struct serve_rules r;
	(void)state;

	assert_int_equal(
		parse(&r, "watch:\n- {service: a, name: x, tier: critical}\n- {service: b, port: 80, stable: a}\npolicy: p.yaml\n"),
		0);
	assert_string_equal(r.listen, "127.0.0.1:9465");
	assert_string_equal(r.policy, "p.yaml");
	assert_int_equal(r.watch_n, 2);
	assert_string_equal(r.watch[0].tier, "critical");
	assert_string_equal(r.watch[1].tier, ""); /* the policy's */
	assert_string_equal(r.watch[1].kind, "port");
	assert_string_equal(r.watch[1].value, "80");
	assert_string_equal(r.watch[1].stable, "a");
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *message;
	} wrong[] = {
		{"port: 1\n", "s.yaml:1: port: unknown key"},
		{"listen: [1]\n", "s.yaml:1: listen: must be a single value"},
		{"watch: 1\n", "s.yaml:1: watch: must be a list"},
		{"watch:\n- {service: a}\n", "s.yaml:2: watch: each needs 'service'"},
		{"watch:\n- {name: a}\n", "each needs 'service'"},
		{"watch:\n- {service: a, name: x, port: 1}\n", "a second way to find"},
		{"watch:\n- {service: a, pid: 1}\n", "watch.pid: unknown key"},
		{"watch:\n- {service: a, name: x, tier: gold}\n", "watch.tier: must be standard"},
		{"watch:\n- {service: a, name: x}\n- {service: a, name: y}\n", "'a' stands there twice"},
		{"watch:\n- {service: a, name: x, stable: b}\n", "s.yaml: watch.stable: 'b' is no other service of the list"},
		{"watch:\n- {service: a, name: x, stable: a}\n", "'a' is no other service of the list"},
	};
	static struct serve_rules r;
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(parse(&r, wrong[i].text), -EINVAL);
		if (!strstr(err, wrong[i].message))
			fail_msg("'%s' is not in '%s'", wrong[i].message, err);
	}
}

static void tokens(void **state)
{
	char path[] = "/tmp/gapscope-token-XXXXXX", token[64];
	const int fd = mkstemp(path);
	(void)state;

	assert_true(fd >= 0);
	assert_int_equal(rules_token(path, token, sizeof(token), err, sizeof(err)), -EINVAL);
	assert_int_equal(write(fd, "short\n", 6), 6);
	assert_int_equal(rules_token(path, token, sizeof(token), err, sizeof(err)), -EINVAL);
	assert_int_equal(pwrite(fd, "0123456789abcdef\r\nx", 19, 0), 19);
	assert_int_equal(rules_token(path, token, sizeof(token), err, sizeof(err)), 0);
	assert_string_equal(token, "0123456789abcdef");
	close(fd);
	unlink(path);
	assert_int_equal(rules_token(path, token, sizeof(token), err, sizeof(err)), -ENOENT);
}

TEST_MAIN(cmocka_unit_test(reads), cmocka_unit_test(refuses), cmocka_unit_test(tokens))
