/* unwatched.c: programs that never spoke are told once, those that did are not. */
#include "ingest/unwatched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define SECOND 1000000000ULL

static void feed(struct unwatched *u, uint16_t id, uint32_t pid, int64_t ret, uint64_t at, const char *path)
{
	const struct event e = {.id = id,
				.pid = pid,
				.ret = ret,
				.t0 = at,
				.t1 = at,
				.data = (const uint8_t *)path,
				.data_len = path ? (uint32_t)strlen(path) : 0};

	unwatched_event(u, &e);
}

static void silent_programs_are_told(void **state)
{
	struct unwatched *u = calloc(1, sizeof(*u));
	char text[512];
	uint32_t pid = 0;

	(void)state;
	feed(u, WIRE_EXEC, 7, 0, SECOND, "/bin/static");
	feed(u, WIRE_SPAWN, 8, 9, SECOND, "/bin/spawned");
	assert_false(unwatched_next(u, 2 * SECOND, false, &pid, text, sizeof(text)));
	assert_int_equal(unwatched_silent(u, 2 * SECOND - 1, SECOND), 0);
	assert_int_equal(unwatched_silent(u, 2 * SECOND, SECOND), 7);
	assert_int_equal(unwatched_silent(u, 2 * SECOND, SECOND), 9);
	assert_int_equal(unwatched_silent(u, 2 * SECOND, SECOND), 0);
	assert_true(unwatched_next(u, 3 * SECOND, false, &pid, text, sizeof(text)));
	assert_int_equal(pid, 7);
	assert_ptr_equal(strstr(text, "/bin/static ran unwatched"), text);
	assert_true(unwatched_next(u, 3 * SECOND, false, &pid, text, sizeof(text)));
	assert_int_equal(pid, 9);
	assert_false(unwatched_next(u, 3 * SECOND, true, &pid, text, sizeof(text)));
	feed(u, WIRE_EXEC, 10, 0, 4 * SECOND, "/bin/static");
	assert_false(unwatched_next(u, 9 * SECOND, false, &pid, text, sizeof(text)));
	feed(u, WIRE_EXEC, 11, 0, 9 * SECOND, "/bin/other");
	assert_true(unwatched_next(u, 9 * SECOND, true, &pid, text, sizeof(text)));
	assert_int_equal(pid, 11);
	free(u);
}

static void programs_that_speak_are_not(void **state)
{
	struct unwatched *u = calloc(1, sizeof(*u));
	char text[512];
	uint32_t pid = 0;

	(void)state;
	feed(u, WIRE_EXEC, 7, 0, SECOND, "/bin/sh");
	feed(u, WIRE_PROCESS_START, 7, 0, SECOND, "/bin/dash");
	feed(u, WIRE_EXEC, 8, 0, SECOND, "/no/such/file");
	feed(u, WIRE_EXEC, 8, -1, SECOND, "/no/such/file");
	feed(u, WIRE_SPAWN, 8, -1, SECOND, "/no/such/file");
	assert_false(unwatched_next(u, 100 * SECOND, true, &pid, text, sizeof(text)));
	free(u);
}

static void limits_hold(void **state)
{
	struct unwatched *u = calloc(1, sizeof(*u));
	char path[2 * UNWATCHED_PATH];
	char text[512];
	uint32_t pid = 0;
	unsigned int told = 0;

	(void)state;
	for (uint32_t i = 1; i <= UNWATCHED_PENDING + 50; i++) {
		snprintf(path, sizeof(path), "/bin/%0*u", (int)UNWATCHED_PATH - 20, i);
		feed(u, WIRE_EXEC, i, 0, SECOND, path);
	}
	while (unwatched_next(u, 9 * SECOND, false, &pid, text, sizeof(text)))
		told++;
	assert_int_equal(told, UNWATCHED_TOLD);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	feed(u, WIRE_EXEC, 5, 0, SECOND, path);
	feed(u, WIRE_EXEC, 6, 0, SECOND, NULL);
	assert_false(unwatched_next(u, 9 * SECOND, true, &pid, text, sizeof(text)));
	free(u);
}

TEST_MAIN(cmocka_unit_test(silent_programs_are_told), cmocka_unit_test(programs_that_speak_are_not), cmocka_unit_test(limits_hold))
