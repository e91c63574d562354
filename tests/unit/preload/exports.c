/*
 * The library as an object: what it exports, what it needs, and that it loads however it is asked to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAMES_MAX 1024

struct names {
	char name[NAMES_MAX][256];
	size_t count;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void add(struct names *n, const char *name)
{
	assert_true(n->count < NAMES_MAX);
	snprintf(n->name[n->count++], sizeof(n->name[0]), "%s", name);
}

static bool has(const struct names *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++) {
		if (strcmp(n->name[i], name) == 0)
			return true;
	}
	return false;
}

/* The first word of each line that a command prints. */
static void read_names(struct names *n, const char *command)
{
	FILE *f = popen(command, "r");
	char line[256];

	n->count = 0;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "@ \n")] = '\0';
		if (line[0])
			add(n, line);
	}
	assert_int_equal(pclose(f), 0);
	qsort(n->name, n->count, sizeof(n->name[0]), by_name);
}

static void read_table(struct names *n)
{
	FILE *f = fopen(GS_HOOKS, "r");
	char line[256];
	char name[64];

	n->count = 0;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "HOOK(%63[^,]", name) == 1 || sscanf(line, "ALIAS(%63[^,]", name) == 1 ||
		    sscanf(line, "ANSWER(%63[^)]", name) == 1)
			add(n, name);
	}
	fclose(f);
	qsort(n->name, n->count, sizeof(n->name[0]), by_name);
}

static struct names table, exported, undefined;

static void test_exports_are_the_table(void **state)
{
	(void)state;
	read_table(&table);
	read_names(&exported, "nm -D --defined-only " GS_SHIM " | awk '{print $3}'");
	assert_true(table.count > 100);
	for (size_t i = 0; i < exported.count; i++) {
		if (!has(&table, exported.name[i]))
			fail_msg("exported, not in hooks.def: %s", exported.name[i]);
	}
	for (size_t i = 0; i < table.count; i++) {
		if (!has(&exported, table.name[i]))
			fail_msg("in hooks.def, not exported: %s", table.name[i]);
		if (i && strcmp(table.name[i], table.name[i - 1]) == 0)
			fail_msg("twice in hooks.def: %s", table.name[i]);
	}
}

/* Otherwise our own code would run into our own hooks. */
static void test_calls_no_hooked_function(void **state)
{
	(void)state;
	read_table(&table);
	read_names(&undefined, "nm -D --undefined-only " GS_SHIM " | awk '{print $2}'");
	assert_true(undefined.count > 5);
	for (size_t i = 0; i < undefined.count; i++) {
		if (has(&table, undefined.name[i]))
			fail_msg("calls what it hooks: %s", undefined.name[i]);
		if (strstr(undefined.name[i], "malloc") || strstr(undefined.name[i], "calloc"))
			fail_msg("allocates: %s", undefined.name[i]);
	}
}

static void test_never_vfork(void **state)
{
	(void)state;
	read_table(&table);
	assert_false(has(&table, "vfork"));
	assert_false(has(&table, "__vfork"));
}

static void test_needs_only_libc(void **state)
{
	static struct names needed;

	(void)state;
	read_names(&needed, "objdump -p " GS_SHIM " | awk '$1==\"NEEDED\"{print $2}'");
	assert_true(needed.count >= 1);
	for (size_t i = 0; i < needed.count; i++) {
		if (strncmp(needed.name[i], "libc.so", 7) != 0 && strncmp(needed.name[i], "ld-linux", 8) != 0)
			fail_msg("needs %s", needed.name[i]);
	}
}

static void test_loads(void **state)
{
	(void)state;
	assert_int_equal(system("LD_PRELOAD=" GS_SHIM " LD_BIND_NOW=1 /bin/true"), 0);
	assert_int_equal(system("LD_PRELOAD=" GS_SHIM " /bin/true"), 0);
	assert_int_equal(system("GAPSCOPE_SESSION=/nonexistent LD_PRELOAD=" GS_SHIM " /bin/true"), 0);
	assert_int_equal(system("GAPSCOPE_SESSION=/dev/null LD_PRELOAD=" GS_SHIM " /bin/true"), 0);
	assert_int_equal(system("GAPSCOPE_SESSION=/etc/passwd LD_PRELOAD=" GS_SHIM " /bin/true"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exports_are_the_table),
		cmocka_unit_test(test_calls_no_hooked_function),
		cmocka_unit_test(test_never_vfork),
		cmocka_unit_test(test_needs_only_libc),
		cmocka_unit_test(test_loads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
