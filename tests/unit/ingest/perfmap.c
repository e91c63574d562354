/* perfmap.c: names of compiled code by address; the file is read when it is there, and again when it has grown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingest/perfmap.h"

static void addresses_find_their_name(void **state)
{
	char text[] = "1000 100 LazyCompile:*pay /app/pay.js:3\n"
		      "garbage\n"
		      "3000 0 empty\n"
		      "2000 10 second\n"
		      "ffffffffffffffff 10 wraps\n"
		      "2000 10 replaced second\n";
	struct perfmap *p = perfmap_new(0);

	(void)state;
	assert_int_equal(perfmap_parse(p, text), 0);
	assert_string_equal(perfmap_find(p, 0x1000), "LazyCompile:*pay /app/pay.js:3");
	assert_string_equal(perfmap_find(p, 0x10ff), "LazyCompile:*pay /app/pay.js:3");
	assert_null(perfmap_find(p, 0x1100));
	assert_null(perfmap_find(p, 0xfff));
	assert_null(perfmap_find(p, 0x3000));
	assert_string_equal(perfmap_find(p, 0x2000), "replaced second");
	perfmap_free(p);
	perfmap_free(NULL);
}

static void the_file_is_read_again_when_it_grows(void **state)
{
	struct perfmap *p = perfmap_new((uint32_t)getpid());
	char path[64];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	assert_null(perfmap_find(p, 0x1000));
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("1000 10 first\n", f);
	fflush(f);
	assert_string_equal(perfmap_find(p, 0x1000), "first");
	assert_null(perfmap_find(p, 0x2000));
	fputs("2000 10 second\n", f);
	fclose(f);
	assert_string_equal(perfmap_find(p, 0x2000), "second");
	assert_string_equal(perfmap_find(p, 0x1000), "first");
	unlink(path);
	perfmap_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_find_their_name),
		cmocka_unit_test(the_file_is_read_again_when_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
