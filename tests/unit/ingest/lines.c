/*
 * lines.c and what it does with the scanner: a value is found once, however the writes split it; a line's number, level and call site are
 * those of the value; keys over several lines are found; nothing of the text stays behind.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "ingest/lines.h"

/* A number that every payment processor documents for tests is left out by the scanner: this one only passes the checks. */
static const char card[] = "4539578763621486";

struct found {
	size_t n, slots;
	uint32_t values, passed; /* of the latest slot */
	struct event e;
	struct event_match m;
};

static void find(void *ctx, const struct event *e)
{
	struct found *f = ctx;

	f->slots += e->id == WIRE_SLOT;
	if (e->id == WIRE_SLOT) {
		f->values = (uint32_t)(e->a1 >> 32);
		f->passed = (uint32_t)e->a1;
		return;
	}
	assert_int_equal(e->id, WIRE_MATCH);
	assert_int_equal(e->data_len, sizeof(f->m));
	f->n++;
	f->e = *e;
	memcpy(&f->m, e->data, sizeof(f->m));
}

struct fixture {
	struct scanner *scanner;
	struct counters counters;
	struct lines *lines;
	struct found found;
};

static int open_lines(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->scanner = scanner_new((const uint8_t *)"0123456789abcdef");
	f->lines = lines_new(f->scanner, &f->counters);
	*state = f;
	return f->lines != NULL ? 0 : -1;
}

static int close_lines(void **state)
{
	struct fixture *f = *state;

	lines_free(f->lines);
	scanner_free(f->scanner);
	free(f);
	return 0;
}

static void put_by(struct fixture *f, uint32_t pid, uint32_t stack, int sink, const char *text, size_t len)
{
	const struct event e = {.pid = pid, .tid = pid + stack, .stack = stack, .t0 = 1, .t1 = 2};

	lines_add(f->lines, &e, sink, (const uint8_t *)text, len, false, false, "", find, &f->found);
}

static void put(struct fixture *f, const char *text)
{
	put_by(f, 1, 1, 1, text, strlen(text));
}

static void end(struct fixture *f, uint32_t pid)
{
	const struct event e = {.pid = pid, .t0 = 8, .t1 = 9};

	lines_end(f->lines, &e, INT_MIN, INT_MAX, find, &f->found);
}

static void a_whole_line_is_scanned(void **state)
{
	struct fixture *f = *state;

	put(f, "INFO started\nWARN paid with card 4539578763621486 today\nbye\n");
	assert_int_equal(f->found.n, 1);
	assert_string_equal(f->found.m.entity, "CREDIT_CARD");
	assert_string_equal(f->found.m.sink, "stdout");
	assert_string_equal(f->found.m.level, "WARN");
	assert_int_equal(f->found.m.line, 2);
	assert_null(strstr(f->found.m.sample, card));
	assert_int_equal(f->found.e.fd, 1);
	assert_int_equal(f->found.e.pid, 1);
	assert_int_equal(f->found.e.t1, 2);
}

static void lines_like_clean_ones_are_scanned(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		put(f, "INFO paid with card 4539578763621485 today\n"); /* its check digit is wrong */
	assert_int_equal(f->found.n, 0);
	for (size_t i = 1; i <= 3; i++) {
		put(f, "INFO paid with card 4539578763621486 today\n");
		assert_int_equal(f->found.n, i);
	}
	put(f, "INFO paid with card 4539578763621485 today\n");
	assert_int_equal(f->found.n, 3);
	put(f, "INFO paid with card 4539578763621486 today\n");
	assert_int_equal(f->found.m.line, 8);
}

static void a_key_behind_a_line_that_ended_before_is_found(void **state)
{
	static const char begin[] = "-----BEGIN PRIVATE KEY-----\n";
	struct fixture *f = *state;
	char body[65];

	memset(body, 'A', sizeof(body) - 1);
	for (size_t i = 0; i < sizeof(body) - 1; i++)
		body[i] = (char)('A' + i * 7 % 26);
	body[sizeof(body) - 1] = '\0';
	/* Alone it is scanned when its sink ends, and nothing is in it. */
	put(f, begin);
	end(f, 1);
	const size_t before = f->found.n;
	put(f, begin);
	for (int i = 0; i < 4; i++) {
		put(f, body);
		put(f, "\n");
	}
	put(f, "-----END PRIVATE KEY-----\n");
	end(f, 1);
	assert_int_equal(f->found.n, before + 1);
}

static void a_value_split_anywhere_is_found_once(void **state)
{
	static const char line[] = "card=4539578763621486 ok\n";
	struct fixture *f = *state;

	for (size_t cut = 0; cut <= sizeof(line) - 1; cut++) {
		f->found.n = 0;
		put_by(f, 1, 1, 1, line, cut);
		put_by(f, 1, 1, 1, line + cut, sizeof(line) - 1 - cut);
		assert_int_equal(f->found.n, 1);
		assert_int_equal(f->found.m.line, cut + 1);
	}
	f->found.n = 0;
	for (size_t i = 0; i < sizeof(line) - 1; i++)
		put_by(f, 1, 1, 1, line + i, 1);
	assert_int_equal(f->found.n, 1);
}

static void the_call_site_is_that_of_the_value(void **state)
{
	struct fixture *f = *state;

	put_by(f, 1, 11, 2, "paid with ", 10);
	put_by(f, 1, 12, 2, "card ", 5);
	put_by(f, 1, 13, 2, card, 16);
	put_by(f, 1, 14, 2, "\nnext ", 6);
	assert_int_equal(f->found.n, 1);
	assert_int_equal(f->found.e.stack, 13);
	assert_int_equal(f->found.e.tid, 14);
	assert_string_equal(f->found.m.sink, "stderr");
	/* The rest of the last write begins the next line. */
	put_by(f, 1, 15, 2, "card 4539578763621486\n", 22);
	assert_int_equal(f->found.n, 2);
	assert_int_equal(f->found.e.stack, 15);
	assert_int_equal(f->found.m.line, 2);
}

static void sinks_do_not_mix(void **state)
{
	struct fixture *f = *state;

	put_by(f, 1, 1, 1, "card 45395787", 13);
	put_by(f, 2, 1, 1, "other\n", 6);
	put_by(f, 1, 1, 2, "other\n", 6);
	put_by(f, 1, 1, 1, "63621486\n", 9);
	assert_int_equal(f->found.n, 1);
	assert_int_equal(f->found.m.line, 1);
}

static void an_unfinished_line_is_scanned_at_the_end(void **state)
{
	struct fixture *f = *state;

	put(f, "card 4539578763621486");
	assert_int_equal(f->found.n, 0);
	end(f, 2);
	assert_int_equal(f->found.n, 0);
	end(f, 1);
	assert_int_equal(f->found.n, 1);
	assert_int_equal(f->found.e.t1, 9);
	assert_int_equal(f->found.e.stack, 1);
	end(f, 1);
	assert_int_equal(f->found.n, 1);
}

static void what_was_not_captured_ends_the_line(void **state)
{
	struct fixture *f = *state;
	const struct event e = {.pid = 1};

	lines_add(f->lines, &e, 1, (const uint8_t *)"card 4539578763621486 and", 25, true, false, "", find, &f->found);
	assert_int_equal(f->found.n, 1);
}

static void a_message_is_whole(void **state)
{
	struct fixture *f = *state;
	const struct event e = {.pid = 1};

	for (int i = 0; i < 2; i++)
		lines_add(f->lines, &e, LINES_SYSLOG, (const uint8_t *)"card 4539578763621486", 21, false, true, "ERROR", find,
			  &f->found);
	assert_int_equal(f->found.n, 2);
	assert_string_equal(f->found.m.sink, "syslog");
	assert_string_equal(f->found.m.level, "ERROR");
	assert_int_equal(f->found.m.line, 2);
	assert_int_equal(f->found.e.fd, -1);
}

static void a_key_over_several_lines_is_found_once(void **state)
{
	struct fixture *f = *state;

	put(f, "loading\n-----BEGIN PRIVATE KEY-----\n");
	for (int i = 0; i < 12; i++)
		put(f, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n");
	assert_int_equal(f->found.n, 0);
	put(f, "-----END PRIVATE KEY-----\nloaded\n");
	assert_int_equal(f->found.n, 1);
	assert_string_equal(f->found.m.entity, "PRIVATE_KEY");
	assert_int_equal(f->found.m.line, 2);
}

/* The last of several beginnings counts, and letters of it here and there are none. */
static void a_key_behind_other_beginnings_is_found_once(void **state)
{
	struct fixture *f = *state;

	put(f, "B\nBEGIN BOB -BEGIN ----BEGIN B-----BEGI\n-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n");
	put(f, "-----BEGIN PRIVATE KEY-----\n");
	for (int i = 0; i < 12; i++)
		put(f, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n");
	assert_int_equal(f->found.n, 0);
	put(f, "-----END PRIVATE KEY-----\nB");
	assert_int_equal(f->found.n, 1);
	assert_string_equal(f->found.m.entity, "PRIVATE_KEY");
	assert_int_equal(f->found.m.line, 6);
}

static void a_key_that_never_ends_holds_nothing_up(void **state)
{
	struct fixture *f = *state;

	put(f, "-----BEGIN PRIVATE KEY-----\n");
	for (int i = 0; i < 400; i++)
		put(f, "this is a log line of sixty-four bytes, or nearly so, it seems.\n");
	put(f, "card 4539578763621486\n");
	end(f, 1);
	assert_true(f->found.n >= 1);
	assert_string_equal(f->found.m.entity, "CREDIT_CARD");
	assert_int_equal(f->found.m.line, 402);
}

/* A line of spaces with one card at `at`, far longer than is kept together. */
static void long_line(struct fixture *f, size_t at)
{
	const size_t len = 3U * LIMIT_LINE_BYTES;
	char *text = malloc(len);

	assert_non_null(text);
	memset(text, ' ', len);
	memcpy(text + at, "card ", 5);
	memcpy(text + at + 5, card, 16);
	text[len - 1] = '\n';
	for (size_t i = 0; i < len; i += 1000)
		put_by(f, 1, 1, 1, text + i, len - i < 1000 ? len - i : 1000);
	free(text);
}

static void a_value_across_the_cut_of_a_long_line_is_found_once(void **state)
{
	struct fixture *f = *state;
	uint64_t line = 0;

	for (size_t at = LIMIT_LINE_BYTES - 600; at <= LIMIT_LINE_BYTES + 40; at += 16) {
		f->found.n = 0;
		long_line(f, at);
		assert_int_equal(f->found.n, 1);
		assert_int_equal(f->found.m.line, ++line);
	}
	assert_true(f->counters.limit[LIMIT_REACHED_LINE] > 0);
}

static void too_many_sinks_are_scanned_write_by_write(void **state)
{
	struct fixture *f = *state;

	for (uint32_t pid = 1; pid <= LIMIT_SINKS; pid++)
		put_by(f, pid, 1, 1, "x", 1);
	put_by(f, LIMIT_SINKS + 1, 1, 1, "card 4539578763621486", 21);
	assert_int_equal(f->counters.limit[LIMIT_REACHED_SINKS], 1);
	assert_int_equal(f->found.n, 1);
}

/* Many lines in one write, and one by one: the numbers at a place are counted alike, those without a match too. */
static void what_a_place_holds_is_counted(void **state)
{
	struct fixture *f = *state;
	char text[4096], one[64];
	size_t len = 0;

	for (unsigned int i = 0; i < 40; i++) {
		snprintf(one, sizeof(one), "INFO paid 45395787636214%02u ok\n", i + 50);
		if (i < 20)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", one);
		else
			put(f, one);
		if (i == 19)
			put(f, text);
	}
	const size_t n = f->found.n;

	assert_true(n >= 3 && n <= 5); /* of forty that follow each other, one in ten has the check digit */
	end(f, 1);
	lines_end_all(f->lines, &f->found.e, find, &f->found);
	assert_int_equal(f->found.passed, n);
	assert_in_range(f->found.values, 30, 40);
	assert_int_not_equal(f->found.e.a1, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_lines, close_lines)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_whole_line_is_scanned),
		T(lines_like_clean_ones_are_scanned),
		T(a_key_behind_a_line_that_ended_before_is_found),
		T(a_value_split_anywhere_is_found_once),
		T(the_call_site_is_that_of_the_value),
		T(sinks_do_not_mix),
		T(an_unfinished_line_is_scanned_at_the_end),
		T(what_was_not_captured_ends_the_line),
		T(a_message_is_whole),
		T(a_key_over_several_lines_is_found_once),
		T(a_key_behind_other_beginnings_is_found_once),
		T(a_key_that_never_ends_holds_nothing_up),
		T(a_value_across_the_cut_of_a_long_line_is_found_once),
		T(too_many_sinks_are_scanned_write_by_write),
		T(what_a_place_holds_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
