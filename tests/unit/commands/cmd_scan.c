/*
 * `gapscope scan`: positions by line and byte, exit statuses, and input that is larger than its window.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "commands/command.h"
#include "scan/scan.h"

static int memory(const char *text, size_t len)
{
	int fd = memfd_create("scan", 0);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Run over the text as a file; what it prints goes to `out`. */
static int scan(const char *text, size_t len, bool json, char *out, size_t size)
{
	int in = memory(text, len), target = memory("", 0), saved = dup(STDOUT_FILENO);
	char path[64], name[] = "scan", flag[] = "--json";
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", in);
	char *argv[] = {name, json ? flag : path, json ? path : NULL, NULL};
	assert_int_equal(fflush(stdout), 0);
	assert_int_equal(dup2(target, STDOUT_FILENO), STDOUT_FILENO);
	int status = cmd_scan(json ? 3 : 2, argv);
	assert_int_equal(fflush(stdout), 0);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	ssize_t n = pread(target, out, size - 1, 0);
	assert_true(n >= 0);
	out[n] = 0;
	(void)close(in);
	(void)close(target);
	(void)close(saved);
	return status;
}

static void positions(void **state)
{
	(void)state;
	char out[4096];
	static const char text[] = "first\nuser=bob@acme.io\n\n\xc3\xa9 card=4111 1111 1111 1111";
	assert_int_equal(scan(text, sizeof(text) - 1, true, out, sizeof(out)), 1);
	assert_string_equal(out,
			    "{\"line\":2,\"start\":5,\"end\":16,\"entity\":\"EMAIL\",\"rule\":\"data.log.email\"}\n"
			    "{\"line\":4,\"start\":8,\"end\":27,\"entity\":\"CREDIT_CARD\",\"rule\":\"data.log.credit_card\"}\n");
	assert_int_equal(scan(text, sizeof(text) - 1, false, out, sizeof(out)), 1);
	assert_non_null(strstr(out, "4:9: card number: 4111 11"));
	assert_null(strstr(out, "bob"));
	assert_null(strstr(out, "1111 1111"));
}

static void statuses(void **state)
{
	(void)state;
	char out[256];
	assert_int_equal(scan("nothing here\n", 13, true, out, sizeof(out)), 0);
	assert_string_equal(out, "");
	assert_int_equal(scan("", 0, true, out, sizeof(out)), 0);
	char name[] = "scan", missing[] = "/nonexistent/file", directory[] = "/";
	char *no_file[] = {name, NULL}, *no_such[] = {name, missing, NULL}, *not_a_file[] = {name, directory, NULL};
	assert_int_equal(cmd_scan(1, no_file), 2);
	assert_int_equal(cmd_scan(2, no_such), 2);
	assert_int_equal(cmd_scan(2, not_a_file), 2);
}

/* Lines and offsets go on over windows, with line feeds and without: each planted address is told once, where it is. */
static void windows(void **state)
{
	(void)state;
	enum { SIZE = 5 << 20, STEP = 65521 };
	static const char planted[] = " a@b.io ";
	char *text = malloc(SIZE), *out = malloc(1 << 16);
	assert_true(text != NULL && out != NULL);
	for (int lines = 0; lines < 2; lines++) {
		memset(text, '.', SIZE);
		for (size_t i = 0; lines && i < SIZE; i += 1000)
			text[i] = '\n';
		size_t n = 0, at = 0;
		for (size_t i = 500; i + 10 < SIZE; i += STEP, n++)
			memcpy(text + i / 1000 * 1000 + 500, planted, sizeof(planted) - 1);
		assert_int_equal(scan(text, SIZE, true, out, 1 << 16), 1);
		char *line = out;
		for (size_t i = 500; i + 10 < SIZE; i += STEP, at++) {
			char want[128];
			size_t place = i / 1000 * 1000 + 501;
			unsigned long long number = lines ? place / 1000 + 2 : 1, start = lines ? place % 1000 - 1 : place;
			(void)snprintf(want, sizeof(want), "{\"line\":%llu,\"start\":%llu,\"end\":%llu,", number, start, start + 6);
			if (strncmp(line, want, strlen(want)) != 0)
				fail_msg("not %s but %.60s", want, line);
			line = strchr(line, '\n') + 1;
		}
		assert_int_equal(at, n);
		assert_int_equal(*line, 0);
	}
	free(text);
	free(out);
}

static void rules_of_a_file(void **state)
{
	(void)state;
	static const char rules[] = "scan:\n  off: [EMAIL]\n  own: [acme_tok_]\n";
	static const char text[] = "user=bob@acme.io card=4111 1111 1111 1111 acme_tok_0123456789\n";
	int config = memory(rules, sizeof(rules) - 1), wrong = memory("scan: {off: [NOBODY]}\n", 22);
	int in = memory(text, sizeof(text) - 1);
	char name[] = "scan", flag[] = "--config", good[64], bad[64], path[64], out[256];
	(void)snprintf(good, sizeof(good), "/proc/self/fd/%d", config);
	(void)snprintf(bad, sizeof(bad), "/proc/self/fd/%d", wrong);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", in);
	char *no_such[] = {name, flag, bad, path, NULL}, *with[] = {name, flag, good, path, NULL};
	assert_int_equal(cmd_scan(4, no_such), 2);
	assert_int_equal(cmd_scan(4, with), 1);
	/* the rules hold for the whole process */
	assert_int_equal(scan("user=bob@acme.io\n", 17, true, out, sizeof(out)), 0);
	assert_int_equal(scan("t acme_tok_0123456789\n", 22, true, out, sizeof(out)), 1);
	assert_non_null(strstr(out, "CUSTOM_SECRET"));
	scan_rules_clear();
	assert_int_equal(scan("user=bob@acme.io\n", 17, true, out, sizeof(out)), 1);
	(void)close(config);
	(void)close(wrong);
	(void)close(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(positions),
		cmocka_unit_test(statuses),
		cmocka_unit_test(windows),
		cmocka_unit_test(rules_of_a_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
