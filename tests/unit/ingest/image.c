/* image.c: a file's bytes by virtual address, its table, and files that are none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingest/image.h"

extern const char __executable_start[]; /* the linker's: where virtual address 0 of this program is */

static const char marker[] = "a text that only this program holds";

static void bytes_are_those_in_memory(void **state)
{
	struct image *img = NULL;
	char got[sizeof(marker)];

	(void)state;
	assert_int_equal(image_open("/proc/self/exe", NULL, 0, &img), 0);
	assert_true(image_read(img, (uint64_t)(marker - __executable_start), got, sizeof(got)));
	assert_string_equal(got, marker);
	assert_false(image_read(img, UINT64_MAX - 4, got, 8));
	assert_false(image_read(img, 1ULL << 40, got, 8));
	assert_false(image_read(img, 0, got, SIZE_MAX));
	image_free(img);
	image_free(NULL);
}

static void the_table_is_found(void **state)
{
	struct image *img = NULL;
	const struct image_table *t;
	int32_t first[2], second[2];

	(void)state;
	assert_int_equal(image_open("/proc/self/exe", NULL, 0, &img), 0);
	t = image_table(img);
	assert_non_null(t);
	assert_true(t->entries_n > 2);
	assert_true(image_read(img, t->entries, first, sizeof(first)));
	assert_true(image_read(img, t->entries + 8, second, sizeof(second)));
	assert_true(first[0] < second[0]);
	image_free(img);
}

static void the_build_id_decides(void **state)
{
	static const uint8_t wrong[20] = {1, 2, 3};
	struct image *img = NULL;

	(void)state;
	assert_int_equal(image_open("/proc/self/exe", wrong, sizeof(wrong), &img), -ESTALE);
	assert_null(img);
}

static void what_is_no_program_is_refused(void **state)
{
	struct image *img = NULL;

	(void)state;
	assert_int_equal(image_open("/nonexistent", NULL, 0, &img), -ENOENT);
	assert_int_equal(image_open("/etc/passwd", NULL, 0, &img), -ENOEXEC);
	assert_int_equal(image_open("/tmp", NULL, 0, &img), -ENOEXEC);
	assert_int_equal(image_open("/dev/zero", NULL, 0, &img), -ENOEXEC);
	assert_null(img);
}

/* The file's first bytes with one changed at a time: refused or read, never a fault. */
static void damaged_headers_do_no_harm(void **state)
{
	char path[] = "/tmp/gapscope-image-XXXXXX";
	const int fd = mkstemp(path);
	FILE *self = fopen("/proc/self/exe", "rb");
	uint8_t head[4096];

	(void)state;
	assert_true(fd >= 0);
	assert_non_null(self);
	assert_int_equal(fread(head, 1, sizeof(head), self), sizeof(head));
	fclose(self);
	for (size_t i = 0; i < 1024; i++) {
		struct image *img = NULL;
		uint64_t word;

		head[i] ^= 0xff;
		assert_int_equal(pwrite(fd, head, sizeof(head), 0), sizeof(head));
		head[i] ^= 0xff;
		if (image_open(path, NULL, 0, &img) == 0)
			for (uint64_t at = 0; at < 8192; at += 512)
				image_read(img, at, &word, sizeof(word));
		image_free(img);
	}
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_those_in_memory),  cmocka_unit_test(the_table_is_found),
		cmocka_unit_test(the_build_id_decides),       cmocka_unit_test(what_is_no_program_is_refused),
		cmocka_unit_test(damaged_headers_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
