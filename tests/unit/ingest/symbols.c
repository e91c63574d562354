/* symbols.c: a function of this program is named, with its line; what is not known stays empty. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingest/symbols.h"

extern const char __executable_start[];

__attribute__((noinline)) static int known_function(int x)
{
	__asm__ volatile("" ::: "memory");
	return x;
}

static void own_function_is_named(void **state)
{
	const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	const uint64_t vaddr = (uint64_t)((const char *)(uintptr_t)known_function - __executable_start);
	struct symbols *s = symbols_open(fd, "self");
	struct symbol got;

	(void)state;
	assert_non_null(s);
	assert_int_equal(known_function(3), 3);
	symbols_find(s, vaddr, false, &got);
	assert_string_equal(got.function, "known_function");
	assert_string_equal(got.file, "");
	/* Asked before without the line: that answer is not the one to this. */
	symbols_find(s, vaddr, true, &got);
	assert_string_equal(got.function, "known_function");
	assert_non_null(strstr(got.file, "symbols.c"));
	assert_true(got.line > 0);
	symbols_find(s, 1ULL << 40, true, &got);
	assert_string_equal(got.function, "");
	assert_int_equal(got.line, 0);
	symbols_free(s);
	/* The descriptor stays ours. */
	assert_int_equal(close(fd), 0);
}

static void other_files_have_none(void **state)
{
	const int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_null(symbols_open(fd, "/etc/passwd"));
	assert_null(symbols_open(-1, "none"));
	symbols_free(NULL);
	close(fd);
}

static void what_compilers_add_is_cut(void **state)
{
	static const char *const cases[][2] = {
		{"main", "main"},
		{"charge.constprop.0", "charge"},
		{"charge.isra.0.cold", "charge"},
		{"memcpy@@GLIBC_2.14", "memcpy"},
		{"main.main", "main.main"},
		{".cold", ".cold"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[64];

		strncpy(name, cases[i][0], sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		symbol_strip(name);
		assert_string_equal(name, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_function_is_named),
		cmocka_unit_test(other_files_have_none),
		cmocka_unit_test(what_compilers_add_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
