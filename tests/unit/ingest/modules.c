/* modules.c: which module holds an address, through loading, replacing, forking and exec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/modules.h"

static void load(struct modules *m, uint32_t pid, uint64_t from, uint64_t to, const char *path)
{
	uint8_t data[200] = {2, 0xab, 0xcd};
	const struct event e = {
		.id = WIRE_MODULE, .pid = pid, .a0 = from, .a1 = to, .data = data, .data_len = 3 + (uint32_t)strlen(path)};

	memcpy(data + 3, path, strlen(path));
	assert_false(modules_event(m, &e));
}

static const char *name_at(struct modules *m, uint32_t pid, uint64_t address)
{
	const struct space *s = modules_space(m, pid);
	const struct module *found = s != NULL ? space_find(s, address) : NULL;

	return found != NULL ? object_name(found->object) : "-";
}

static void addresses_find_their_module(void **state)
{
	struct modules *m = modules_new();

	(void)state;
	assert_null(modules_space(m, 1));
	load(m, 1, 0x7000, 0x8000, "/lib/libc.so.6");
	load(m, 1, 0, 0x500, "/bin/fixed");
	load(m, 1, 0x3000, 0x4000, "/lib/libpq.so.5");
	assert_string_equal(name_at(m, 1, 0x400), "fixed");
	assert_string_equal(name_at(m, 1, 0x500), "-");
	assert_string_equal(name_at(m, 1, 0x3000), "libpq.so.5");
	assert_string_equal(name_at(m, 1, 0x3fff), "libpq.so.5");
	assert_string_equal(name_at(m, 1, 0x7fff), "libc.so.6");
	assert_string_equal(name_at(m, 1, 0x8000), "-");
	/* Unloaded, and another one in its place. */
	load(m, 1, 0x3000, 0x3800, "/lib/other.so");
	assert_string_equal(name_at(m, 1, 0x3000), "other.so");
	assert_string_equal(name_at(m, 1, 0x3800), "-");
	modules_free(m);
}

static void forks_share_and_exec_forgets(void **state)
{
	const struct event fork = {.id = WIRE_FORK_CHILD, .pid = 2, .a0 = 1};
	const struct event start = {.id = WIRE_PROCESS_START, .pid = 2};
	const struct event gone = {.id = WIRE_PROCESS_GONE, .pid = 1};
	struct modules *m = modules_new();

	(void)state;
	load(m, 1, 0x1000, 0x2000, "/bin/app");
	assert_false(modules_event(m, &fork));
	assert_string_equal(name_at(m, 2, 0x1000), "app");
	assert_int_equal(modules_space(m, 2)->parent, 1);
	assert_true(modules_event(m, &gone));
	assert_string_equal(name_at(m, 1, 0x1000), "-");
	assert_string_equal(name_at(m, 2, 0x1000), "app");
	assert_true(modules_event(m, &start));
	assert_string_equal(name_at(m, 2, 0x1000), "-");
	modules_free(m);
}

static void malformed_events_are_left_out(void **state)
{
	static const uint8_t too_long[] = {200, 1, 2};
	const struct event bad[] = {
		{.id = WIRE_MODULE, .pid = 1, .a0 = 1, .a1 = 2},
		{.id = WIRE_MODULE, .pid = 1, .a0 = 1, .a1 = 2, .data = too_long, .data_len = 3},
		{.id = WIRE_MODULE, .pid = 1, .a0 = 2, .a1 = 2, .data = (const uint8_t *)"", .data_len = 1},
	};
	struct modules *m = modules_new();

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		modules_event(m, &bad[i]);
		assert_string_equal(name_at(m, 1, 1), "-");
	}
	modules_free(m);
}

static void another_build_is_not_read(void **state)
{
	struct modules *m = modules_new();

	(void)state;
	load(m, 1, 0x1000, 0x2000, "/proc/self/exe");
	/* Its build id is not ab cd. */
	assert_null(object_image(space_find(modules_space(m, 1), 0x1000)->object));
	assert_null(object_symbols(space_find(modules_space(m, 1), 0x1000)->object));
	modules_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_find_their_module),
		cmocka_unit_test(forks_share_and_exec_forgets),
		cmocka_unit_test(malformed_events_are_left_out),
		cmocka_unit_test(another_build_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
