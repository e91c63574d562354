/* loaded.c: this process's own modules, as the loader knows them; and a program by where its code lies. */
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "attach/loaded.h"
#include "test.h"

struct told {
	struct {
		uint64_t bias, end;
		char path[512];
	} all[64];
	size_t n;
};

static void note(void *ctx, const struct wire_record *r, const uint8_t *data)
{
	struct told *t = ctx;

	assert_int_equal(r->event, WIRE_MODULE);
	assert_int_equal(data[0], 0);
	assert_true(t->n < 64);
	t->all[t->n].bias = r->a0;
	t->all[t->n].end = r->a1;
	memcpy(t->all[t->n].path, data + 1, r->data_len - 1 < 511 ? r->data_len - 1 : 511);
	t->n++;
}

static int compare(struct dl_phdr_info *info, size_t size, void *arg)
{
	const struct told *t = arg;
	bool found = false;

	(void)size;
	if (info->dlpi_name[0] != '\0' && info->dlpi_name[0] != '/')
		return 0; /* the vDSO is no file */
	for (size_t i = 0; i < t->n; i++)
		found = found || t->all[i].bias == info->dlpi_addr;
	assert_true(found);
	return 0;
}

static void modules_are_where_the_loader_put_them(void **state)
{
	static struct told t;

	(void)state;
	assert_true(loaded_tell(getpid(), note, &t) >= 2);
	dl_iterate_phdr(compare, &t);
	for (size_t i = 0; i < t.n; i++)
		assert_true(t.all[i].end > t.all[i].bias);
	assert_true(loaded_tell(4194304, note, &t) < 0);
}

static void a_program_is_found_by_its_code(void **state)
{
	static struct told all, one;
	uint64_t code = UINT64_MAX;
	char exe[512] = "";

	(void)state;
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	assert_true(loaded_tell(getpid(), note, &all) >= 2);
	/* Where the lowest executable segment of this program lies. */
	for (int i = 0; i < 1; i++) {
		extern const char __executable_start[];
		const ElfW(Ehdr) *e = (const ElfW(Ehdr) *)(const void *)__executable_start;
		const ElfW(Phdr) *p = (const ElfW(Phdr) *)(const void *)(__executable_start + e->e_phoff);

		for (int k = 0; k < e->e_phnum; k++)
			if (p[k].p_type == PT_LOAD && (p[k].p_flags & PF_X) && (uintptr_t)__executable_start + p[k].p_vaddr < code)
				code = (uintptr_t)__executable_start + p[k].p_vaddr;
	}
	assert_int_equal(loaded_program(exe, code, note, &one), 0);
	assert_int_equal(one.n, 1);
	for (size_t i = 0; i < all.n; i++) {
		if (strcmp(all.all[i].path, exe) == 0)
			assert_int_equal(all.all[i].bias, one.all[0].bias);
	}
	assert_int_equal(loaded_program("/etc/passwd", code, note, &one), -ENOEXEC);
	assert_int_equal(loaded_program("/nowhere", code, note, &one), -ENOENT);
}

/* What lies at an address of this program is in the file at its offset. */
static void bytes_are_found_in_the_file(void **state)
{
	uint64_t bias, vaddr, offset;
	uint8_t in_file[16];
	FILE *f = fopen("/proc/self/exe", "re");

	(void)state;
	bias = (uint64_t)getauxval(AT_PHDR) - sizeof(ElfW(Ehdr)); /* where the file's first byte lies */
	vaddr = (uint64_t)(uintptr_t)note;
	if (vaddr >= bias && ((const ElfW(Ehdr) *)(uintptr_t)bias)->e_type == ET_DYN)
		vaddr -= bias;
	assert_int_equal(loaded_offset("/proc/self/exe", vaddr, &offset), 0);
	assert_non_null(f);
	assert_int_equal(fseek(f, (long)offset, SEEK_SET), 0);
	assert_int_equal(fread(in_file, 1, sizeof(in_file), f), sizeof(in_file));
	fclose(f);
	assert_memory_equal(in_file, (const void *)(uintptr_t)note, sizeof(in_file));
	assert_int_equal(loaded_offset("/proc/self/exe", 1ULL << 60, &offset), -ENOENT);
	assert_int_equal(loaded_offset("/proc/self/status", 0, &offset), -ENOEXEC);
	assert_int_equal(loaded_offset("/nowhere", 0, &offset), -ENOENT);
}

TEST_MAIN(cmocka_unit_test(bytes_are_found_in_the_file), cmocka_unit_test(modules_are_where_the_loader_put_them),
	  cmocka_unit_test(a_program_is_found_by_its_code))
