/* halves.c: a value that two calls divide is in neither of what is recorded of them. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "ingest/halves.h"

struct fixture {
	struct counters counters;
	struct scanner *scanner;
	struct halves *halves;
};

static int open_halves(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->scanner = scanner_new(NULL);
	f->halves = halves_new(f->scanner, &f->counters);
	*state = f;
	return f->halves != NULL ? 0 : -1;
}

static int close_halves(void **state)
{
	struct fixture *f = *state;

	halves_free(f->halves);
	scanner_free(f->scanner);
	free(f);
	return 0;
}

static void pass(struct fixture *f, int fd, bool out, bool gap, const char *text, const char *want)
{
	char bytes[256];

	snprintf(bytes, sizeof(bytes), "%s", text);
	halves_redact(f->halves, 1, fd, out, (uint8_t *)bytes, strlen(text), gap, NULL, NULL);
	assert_string_equal(bytes, want);
}

/* Every place at which a text can be cut: no piece of the value of at least four characters is left. */
static void cut_anywhere(struct fixture *f, const char *text, const char *value)
{
	const size_t n = strlen(text), v = strlen(value), from = (size_t)(strstr(text, value) - text);

	for (size_t cut = 1; cut < n; cut++) {
		uint8_t both[256];
		size_t left = 0, most = 0;

		memcpy(both, text, n);
		halves_redact(f->halves, 1, 7, false, both, cut, false, NULL, NULL);
		halves_redact(f->halves, 1, 7, false, both + cut, n - cut, false, NULL, NULL);
		halves_end(f->halves, 1, 7, 7);
		for (size_t i = 0; i < v; i++) {
			left = both[from + i] == (uint8_t)value[i] ? left + 1 : 0;
			most = left > most ? left : most;
		}
		if (most > 7)
			fail_msg("\"%s\" cut at %zu leaves %zu characters: %.*s", text, cut, most, (int)n, (const char *)both);
	}
}

static void divided_values(void **state)
{
	struct fixture *f = *state;

	cut_anywhere(f, "GET /?password=Kx7veqWm2Lp9&x=1 HTTP/1.1\r\n", "Kx7veqWm2Lp9");
	cut_anywhere(f, "Authorization: Bearer q7Zk3LmP9xT2vB8nR4wY6 \r\n", "q7Zk3LmP9xT2vB8nR4wY6");
	cut_anywhere(f, "{\"pan\":\"4556737586899855\"}\r\n", "4556737586899855");
	cut_anywhere(f, "{\"token\":\"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3MzkifQ.dBjftJeZ4CVPmB92K27u\"}\r\n",
		     "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3MzkifQ.dBjftJeZ4CVPmB92K27u");
}

static void three_parts(void **state)
{
	struct fixture *f = *state;

	pass(f, 7, false, false, "x=1&password=Kx7", "x=1&password=***");
	pass(f, 7, false, false, "veqW", "****");
	pass(f, 7, false, false, "m2&y=2 ", "**&y=2 ");
	pass(f, 7, false, false, "veqW ", "veqW ");
}

/* What was clean alone is not clean as the rest of a value, however often it was seen, and is clean again alone. */
static void seen_before(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		pass(f, 7, false, false, "veqWm2Lp&y=2\n", "veqWm2Lp&y=2\n");
		pass(f, 8, false, false, "GET /a?b=c HTTP/1.1", "GET /a?b=c HTTP/1.1");
		pass(f, 8, false, false, "\r\nHost: a\r\n", "\r\nHost: a\r\n");
		pass(f, 8, false, false, "x=1&password=Kx7", "x=1&password=***");
		pass(f, 8, false, false, "veqWm2Lp&y=2\n", "********&y=2\n");
		pass(f, 8, false, false, "GET /?password=Kx7veqWm2Lp9&x=1\n", "GET /?password=************&x=1\n");
	}
}

static void only_where_it_belongs(void **state)
{
	struct fixture *f = *state;

	/* another direction, another descriptor, after an end: these are no second parts */
	pass(f, 7, false, false, "password=Kx7", "password=***");
	pass(f, 7, true, false, "veqWm2 ", "veqWm2 ");
	pass(f, 8, false, false, "veqWm2 ", "veqWm2 ");
	halves_end(f->halves, 1, INT_MIN, INT_MAX);
	pass(f, 7, false, false, "veqWm2 ", "veqWm2 ");
	pass(f, 7, false, false, "", "");
}

static void first_parts_that_were_not_seen(void **state)
{
	struct fixture *f = *state;

	/* bytes that were not captured */
	pass(f, 7, false, true, "password=Kx7", "password=***");
	pass(f, 7, false, false, "veqWm2 and more", "****** and more");
	pass(f, 7, false, false, "veqWm2 and more\n", "veqWm2 and more\n");
	pass(f, 7, false, true, "x", "x");
	pass(f, 7, false, false, "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n");
	/* what a protocol says there itself */
	static const char *const own[] = {"$12000\r\nx", "*300\r\n", "+QUEUED\r\n", "-ERR no\r\n"};
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		pass(f, 7, false, true, "x", "x");
		pass(f, 7, false, false, own[i], own[i]);
	}
	pass(f, 7, false, true, "x", "x");
	pass(f, 7, false, false, "$12a4\r\n", "*****\r\n");
	pass(f, 7, false, true, "x", "x");
	pass(f, 7, false, false, "$12345678901\r\n", "************\r\n");
	pass(f, 7, false, true, "x", "x");
	pass(f, 7, false, false, "-----BEGINS\r\n", "***********\r\n");
	/* records that were lost: once for each stream, all of a word that goes on */
	halves_lost(f->halves, 1);
	pass(f, 8, true, false, "veqWm2Lp", "********");
	pass(f, 8, true, false, "9xT2v, GET", "*****, GET");
	pass(f, 8, true, false, "veqWm2 now", "veqWm2 now");
	pass(f, 9, true, false, "GET /a HTTP/1.1\r\n", "GET /a HTTP/1.1\r\n");
	pass(f, 9, true, false, "veqWm2 now", "veqWm2 now");
	halves_lost(f->halves, 1);
	pass(f, 9, true, false, "veqWm2 now", "****** now");
	halves_lost(f->halves, 2);
	pass(f, 9, true, false, "veqWm2 now", "veqWm2 now");
	halves_end(f->halves, 1, INT_MIN, INT_MAX);
	pass(f, 9, true, false, "veqWm2 now", "veqWm2 now");
}

static void what_a_protocol_needs_stays(void **state)
{
	struct fixture *f = *state;

	pass(f, 7, false, false, "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Le");
	pass(f, 7, false, false, "ngth: 123", "ngth: 123");
	pass(f, 7, false, false, "45\r\n\r\nhello", "45\r\n\r\nhello");
}

/* The number of HTTP/2's stream stands in front of its text, and may look like the beginning of it. */
static void numbers_of_streams_stay(void **state)
{
	static const char *const numbers[] = {"\0\0\0\1", "\0\0\0001", "\0\0A1", "\0ab1"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint8_t frame[9 + 100] = {0, 0, 100, 0, 1}, before[9];

		memcpy(frame + 5, numbers[i], 4);
		memcpy(before, frame, sizeof(before));
		for (size_t n = 9; n < sizeof(frame); n++)
			frame[n] = n % 2 ? 'o' : 'k';
		halves_redact(f->halves, 1, (int)(100 + i), false, frame, sizeof(frame), false, NULL, NULL);
		assert_memory_equal(frame, before, sizeof(before));
		if (i > 0) /* a word with a digit that goes on behind the call may be a key */
			assert_int_equal(frame[9], '*');
	}
}

static void many_connections(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < LIMIT_TAILS + 3; i++)
		pass(f, (int)i, true, false, "password=Kx7", "password=***");
	assert_int_equal(f->counters.limit[LIMIT_REACHED_TAILS], 3);
	halves_end(f->halves, 1, 0, INT_MAX);
	pass(f, 1, true, false, "veqWm2 ", "veqWm2 ");
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_halves, close_halves)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(divided_values),
		T(three_parts),
		T(seen_before),
		T(only_where_it_belongs),
		T(first_parts_that_were_not_seen),
		T(what_a_protocol_needs_stays),
		T(numbers_of_streams_stay),
		T(many_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
