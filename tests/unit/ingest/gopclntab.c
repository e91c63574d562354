/* gopclntab.c: a small table made by hand in Go's layout; every cut and every changed byte of it is survived. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/gopclntab.h"
#include "test.h"

#define TEXT 0x401000U

static uint8_t table[512];
static size_t used;

static size_t put(const void *bytes, size_t n)
{
	const size_t at = used;

	assert_true(used + n <= sizeof(table));
	memcpy(table + used, bytes, n);
	used += n;
	return at;
}

static void put_word(size_t at, uint64_t value)
{
	memcpy(table + at, &value, sizeof(value));
}

static size_t put_func(uint32_t entry, uint32_t name, uint32_t pcsp, uint32_t pcfile, uint32_t pcln)
{
	const uint32_t f[10] = {entry, name, 0, 0, pcsp, pcfile, pcln, 0, 0, 0};

	return put(f, sizeof(f));
}

/* Two functions, each of 32 bytes: main.pay at TEXT in pay.go, with code of lib.go inlined from byte 16 to 24; log.Print behind it. */
static void make_table(uint32_t magic, uint64_t text)
{
	static const char names[] = "main.pay\0log.Print";
	static const char files[] = "/src/pay.go\0/go/lib.go";
	static const uint32_t units[] = {0, 12};
	/* steps: change of the value (zigzag), change of the pc */
	static const uint8_t steps[] = {0,
					/* 1: file 0 for 16, file 1 for 8, file 0 for 8 */ 2,
					16,
					2,
					8,
					1,
					8,
					0,
					/* 8: line 41 for 8, 42 for 8, 7 for 8, 43 for 8 */ 84,
					8,
					2,
					8,
					69,
					8,
					72,
					8,
					0,
					/* 17: file 1 for 32 */ 4,
					32,
					0,
					/* 20: line 9 for 32 */ 20,
					32,
					0,
					/* 23: no frame for 4, 16 bytes for 10, none for 1, 16 for 12, none for 5 */ 2,
					4,
					32,
					10,
					31,
					1,
					32,
					12,
					31,
					5,
					0};
	const uint8_t head[8] = {0, 0, 0, 0, 0, 0, 1, 8};
	const uint8_t none[64] = {0};
	uint32_t functab[5] = {0, 0, 32, 0, 64};
	size_t at;

	memset(table, 0, sizeof(table));
	used = 0;
	put(head, sizeof(head));
	memcpy(table, &magic, sizeof(magic));
	put(none, sizeof(none));
	put_word(8, 2);
	put_word(16, 2);
	put_word(24, text);
	put_word(32, put(names, sizeof(names)));
	put_word(40, put(units, sizeof(units)));
	put_word(48, put(files, sizeof(files)));
	put_word(56, put(steps, sizeof(steps)));
	at = put(functab, sizeof(functab));
	put_word(64, at);
	functab[1] = (uint32_t)(put_func(0, 0, 23, 1, 8) - at);
	functab[3] = (uint32_t)(put_func(32, 9, 0, 17, 20) - at);
	memcpy(table + at, functab, sizeof(functab));
}

static void names_and_lines(void **state)
{
	struct gopclntab_place p;
	struct gopclntab *t;

	(void)state;
	make_table(0xfffffff1U, TEXT);
	assert_int_equal(gopclntab_read(table, used, 0, &t), 0);
	assert_true(gopclntab_find(t, TEXT + 9, &p));
	assert_string_equal(p.function, "main.pay");
	assert_string_equal(p.file, "/src/pay.go");
	assert_int_equal(p.line, 42);
	assert_int_equal(p.entry, TEXT);
	/* Inlined code is the function's own line before it. */
	assert_true(gopclntab_find(t, TEXT + 17, &p));
	assert_string_equal(p.file, "/src/pay.go");
	assert_int_equal(p.line, 42);
	assert_true(gopclntab_find(t, TEXT + 25, &p));
	assert_int_equal(p.line, 43);
	assert_true(gopclntab_find(t, TEXT + 63, &p));
	assert_string_equal(p.function, "log.Print");
	assert_string_equal(p.file, "/go/lib.go");
	assert_int_equal(p.line, 9);
	assert_false(gopclntab_find(t, TEXT + 64, &p));
	assert_false(gopclntab_find(t, TEXT - 1, &p));
	assert_int_equal(gopclntab_entry(t, "log.Print"), TEXT + 32);
	assert_int_equal(gopclntab_entry(t, "log.Fatal"), 0);
	gopclntab_free(t);
	/* An older version; and a table that leaves it to others where the code is. */
	make_table(0xfffffff0U, 0);
	assert_int_equal(gopclntab_read(table, used, TEXT, &t), 0);
	assert_int_equal(gopclntab_entry(t, "main.pay"), TEXT);
	gopclntab_free(t);
}

static void where_a_function_returns(void **state)
{
	uint64_t at[2] = {0};
	struct gopclntab *t;

	(void)state;
	make_table(0xfffffff1U, TEXT);
	assert_int_equal(gopclntab_read(table, used, 0, &t), 0);
	assert_int_equal(gopclntab_frameless(t, TEXT, at, 2), 2);
	assert_int_equal(at[0], TEXT + 14);
	assert_int_equal(at[1], TEXT + 27);
	at[1] = 0;
	assert_int_equal(gopclntab_frameless(t, TEXT, at, 1), 2); /* more than there was room for */
	assert_int_equal(at[1], 0);
	assert_int_equal(gopclntab_frameless(t, TEXT + 4, at, 2), 0);  /* no function begins there */
	assert_int_equal(gopclntab_frameless(t, TEXT + 32, at, 2), 0); /* it has no table of frames */
	gopclntab_free(t);
}

static void what_is_broken_is_survived(void **state)
{
	struct gopclntab_place p;
	struct gopclntab *t = NULL;
	uint64_t at[2];

	(void)state;
	make_table(0xfffffff1U, TEXT);
	for (size_t len = 0; len < used; len++) {
		uint8_t *cut = malloc(len > 0 ? len : 1); /* so that a sanitizer sees a read behind it */

		assert_non_null(cut);
		memcpy(cut, table, len);
		if (gopclntab_read(cut, len, 0, &t) == 0) {
			(void)gopclntab_find(t, TEXT + 17, &p);
			(void)gopclntab_entry(t, "none");
			(void)gopclntab_frameless(t, TEXT, at, 2);
			gopclntab_free(t);
		}
		free(cut);
	}
	for (size_t i = 0; i < used; i++) {
		table[i] ^= 0xff;
		if (gopclntab_read(table, used, 0, &t) == 0) {
			(void)gopclntab_find(t, TEXT + 17, &p);
			(void)gopclntab_find(t, TEXT + 40, &p);
			(void)gopclntab_entry(t, "none");
			(void)gopclntab_frameless(t, TEXT, at, 2);
			gopclntab_free(t);
		}
		table[i] ^= 0xff;
	}
}

static void other_files_have_none(void **state)
{
	struct gopclntab *t = NULL;
	const int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(gopclntab_open(own, &t), -ENOENT);
	assert_int_equal(gopclntab_open(-1, &t), -ENOENT);
	assert_null(t);
	gopclntab_free(NULL);
	close(own);
}

static void own_packages_are_the_runtime(void **state)
{
	(void)state;
	assert_true(gopclntab_is_runtime("net/http.(*Client).Do"));
	assert_true(gopclntab_is_runtime("runtime.main"));
	assert_true(gopclntab_is_runtime("fmt.Println"));
	assert_false(gopclntab_is_runtime("main.main"));
	assert_false(gopclntab_is_runtime("github.com/lib/pq.(*conn).query"));
	assert_false(gopclntab_is_runtime("network.Dial"));
}

TEST_MAIN(cmocka_unit_test(names_and_lines), cmocka_unit_test(where_a_function_returns),
	  cmocka_unit_test(what_is_broken_is_survived), cmocka_unit_test(other_files_have_none),
	  cmocka_unit_test(own_packages_are_the_runtime))
