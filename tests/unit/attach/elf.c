/* The shim as a file, our own libc in memory, and images that are broken. */
#include "attach/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"
#include "wire/attach.h"

static void test_file(void **state)
{
	struct elf_image e;
	uint64_t at = 0;
	size_t len = 0;

	(void)state;
	assert_int_equal(elf_read_file(GS_SHIM, &e), 0);
	assert_non_null(elf_note(&e, WIRE_ATTACH_NOTE_NAME, WIRE_ATTACH_NOTE_TYPE, &len, &at));
	assert_int_equal(len, sizeof(struct wire_attach_note));
	assert_non_null(elf_note(&e, "GNU", NT_GNU_BUILD_ID, &len, &at));
	assert_null(elf_note(&e, "GNU", 4711, &len, &at));
	assert_true(elf_function(&e, "read") != 0);
	assert_int_equal(elf_function(&e, "attach_entry"), 0);
	elf_done(&e);
	assert_int_equal(elf_read_file("/nonexistent", &e), -ENOENT);
	assert_int_equal(elf_read_file("/etc/passwd", &e), -ENOEXEC);
}

static int libc_base(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	if (!strstr(info->dlpi_name, "libc.so.6"))
		return 0;
	*(uint64_t *)arg = info->dlpi_addr;
	return 1;
}

static void test_memory(void **state)
{
	const uint8_t call[] = {0x0f, 0x05}, never[] = {0x0f, 0x05, 0x0f, 0x05, 0x0f, 0x05, 0x0f, 0x05};
	struct elf_image e;
	uint64_t base = 0;
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(dl_iterate_phdr(libc_base, &base), 1);
	assert_int_equal(elf_read_memory(mem, base, &e), 0);
	assert_true(elf_function(&e, "getppid") == (uint64_t)(uintptr_t)&getppid);
	assert_true(elf_find_code(&e, 0, call, sizeof(call)) > base);
	assert_int_equal(elf_find_code(&e, 0, never, sizeof(never)), 0);
	assert_null(elf_at(&e, base - 1, 1));
	assert_null(elf_at(&e, base + e.size - 1, 2));
	assert_non_null(elf_at(&e, base + e.size - 1, 1));
	elf_done(&e);
	assert_true(elf_read_memory(mem, 0x1000, &e) < 0);
	close(mem);
}

/* Every byte of the head changed: no crash, whatever comes of it. */
static void test_broken(void **state)
{
	char name[] = "/tmp/gapscope-elf-XXXXXX";
	int fd = mkstemp(name), from = open(GS_SHIM, O_RDONLY | O_CLOEXEC);
	uint8_t head[1024];
	uint64_t at;
	size_t len, read_images = 0;

	(void)state;
	assert_int_equal(read(from, head, sizeof(head)), sizeof(head));
	for (size_t i = 0; i < sizeof(head); i++) {
		struct elf_image e;

		head[i] ^= 0xff;
		assert_int_equal(pwrite(fd, head, sizeof(head), 0), sizeof(head));
		if (elf_read_file(name, &e) == 0) {
			(void)elf_function(&e, "read");
			(void)elf_note(&e, "GNU", NT_GNU_BUILD_ID, &len, &at);
			(void)elf_find_code(&e, 0, head, 4);
			elf_done(&e);
			read_images++;
		}
		head[i] ^= 0xff;
	}
	assert_true(read_images > 0 && read_images < sizeof(head));
	close(from);
	close(fd);
	unlink(name);
}

TEST_MAIN(cmocka_unit_test(test_file), cmocka_unit_test(test_memory), cmocka_unit_test(test_broken))
