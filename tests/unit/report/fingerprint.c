/* Fingerprints: what changes them and what must not. */
#include "sample.h"

static char *print_of(struct stacks *s, const struct finding *f, char *buf)
{
	finding_fingerprint(s, f, buf);
	return buf;
}

static void stays(void **state)
{
	(void)state;
	char before[17], after[17];
	struct stacks *s = stacks_new();
	struct finding f = sample_finding(sample_stack(s, "charge", "libpay.so.1.2", 0x1234, 88));
	f.sink = "/var/log/app-1.log";
	print_of(s, &f, before);
	/* another build, port, library version, log file and operation */
	f.stack = sample_stack(s, "charge", "libpay.so.1.3", 0x9999, 120);
	f.peer = "payments:8443";
	f.sink = "/var/log/app-2.log";
	f.operation = "GET /charge/2";
	f.key = "other";
	f.count = 99;
	assert_string_equal(print_of(s, &f, after), before);
	/* addresses differ between deployments */
	f.peer = "10.0.0.1:80";
	print_of(s, &f, before);
	f.peer = "10.0.0.2:81";
	assert_string_equal(print_of(s, &f, after), before);
	f.peer = "[2001:db8::1]:80";
	assert_string_equal(print_of(s, &f, after), before);
	f.peer = "";
	assert_string_equal(print_of(s, &f, after), before);
	stacks_free(s);
}

static void changes(void **state)
{
	(void)state;
	char before[17], after[17];
	static const struct rule other = {.id = "deadline.connect.missing", .title = "", .remedy = ""};
	struct stacks *s = stacks_new();
	const struct finding base = sample_finding(sample_stack(s, "charge", "app", 0x1234, 88));
	print_of(s, &base, before);
	struct finding f = base;
	f.rule = &other;
	assert_string_not_equal(print_of(s, &f, after), before);
	f = base;
	f.stack = sample_stack(s, "refund", "app", 0x1234, 88);
	assert_string_not_equal(print_of(s, &f, after), before);
	f = base;
	f.stack = sample_stack(s, "charge", "libother.so", 0x1234, 88);
	assert_string_not_equal(print_of(s, &f, after), before);
	f = base;
	f.peer = "ledger:443";
	assert_string_not_equal(print_of(s, &f, after), before);
	f = base;
	f.peer = "unix:/run/x.sock";
	assert_string_not_equal(print_of(s, &f, after), before);
	f = base;
	f.sink = "stderr";
	assert_string_not_equal(print_of(s, &f, after), before);
	stacks_free(s);
}

/* Baselines written by an earlier version must still match. */
static void is_what_it_was(void **state)
{
	(void)state;
	char buf[17];
	struct stacks *s = stacks_new();
	const struct finding f = sample_finding(sample_stack(s, "charge", "app", 0x1234, 88));
	assert_string_equal(print_of(s, &f, buf), "9569c92a16225d59");
	stacks_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(stays), cmocka_unit_test(changes), cmocka_unit_test(is_what_it_was)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
