/* symtab.c: the same answers as elfutils' own search, for every function of this program and of the C library, at its start, inside and behind. */
#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h> /* no sanitizer has its own of that */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingest/symtab.h"

/* A label without a size lies inside of a function, one behind its end, and a small function within a larger one. */
__asm__(".text\n.globl outer_fn\n.type outer_fn, @function\nouter_fn:\n nop\n nop\ninner_label:\n nop\n nop\n"
	".type inner_fn, @function\ninner_fn:\n nop\n nop\n.size inner_fn, 2\n nop\n nop\n.size outer_fn, 8\nlate_label:\n nop\n "
	"nop\n");
extern const char outer_fn[], __executable_start[];

static const Dwfl_Callbacks callbacks = {
	.find_debuginfo = dwfl_build_id_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

struct file {
	Dwfl *dwfl;
	Dwfl_Module *module;
	struct symtab *table;
};

static struct file file_open(const char *path)
{
	struct file f = {.dwfl = dwfl_begin(&callbacks)};

	assert_non_null(f.dwfl);
	dwfl_report_begin(f.dwfl);
	f.module = dwfl_report_elf(f.dwfl, path, path, -1, 0, true);
	assert_non_null(f.module);
	assert_int_equal(dwfl_report_end(f.dwfl, NULL, NULL), 0);
	f.table = symtab_make(f.module);
	assert_non_null(f.table);
	return f;
}

static void file_close(struct file *f)
{
	symtab_free(f->table);
	dwfl_end(f->dwfl);
}

static void at(const struct file *f, uint64_t vaddr, const char *name, uint64_t offset)
{
	uint64_t entry = 0;
	const char *const got = symtab_find(f->table, vaddr, &entry);

	assert_non_null(got);
	assert_string_equal(got, name);
	assert_int_equal(vaddr - entry, offset);
}

static void innermost_is_found(void **state)
{
	struct file f = file_open("/proc/self/exe");
	const uint64_t outer = (uint64_t)(outer_fn - __executable_start);
	uint64_t entry;

	(void)state;
	at(&f, outer, "outer_fn", 0);
	at(&f, outer + 2, "outer_fn", 2); /* not the label: what has a size knows better */
	at(&f, outer + 5, "inner_fn", 1);
	at(&f, outer + 7, "outer_fn", 7);
	at(&f, outer + 9, "late_label", 1);
	assert_null(symtab_find(f.table, 0, &entry));
	assert_null(symtab_find(f.table, 1ULL << 40, &entry)); /* though "_end" lies below */
	assert_null(symtab_find(NULL, outer, &entry));
	file_close(&f);
}

static void same_as_elfutils(void **state)
{
	Dl_info libc;

	(void)state;
	assert_int_not_equal(dladdr((const void *)(uintptr_t)gnu_get_libc_version, &libc), 0);
	struct file f = file_open(libc.dli_fname);
	const int n = dwfl_module_getsymtab(f.module);
	size_t asked = 0;

	assert_true(symtab_count(f.table) > 1000);
	for (int i = 0; i < n; i += 7) {
		GElf_Sym sym, other;
		GElf_Addr start;
		GElf_Off offset;
		const char *const name = dwfl_module_getsym_info(f.module, i, &sym, &start, NULL, NULL, NULL);

		if (name == NULL || GELF_ST_TYPE(sym.st_info) != STT_FUNC || sym.st_shndx == SHN_UNDEF || sym.st_size == 0)
			continue;
		for (uint64_t in = 0; in < sym.st_size; in += sym.st_size / 2 + 1) {
			uint64_t entry = 0;
			const char *const got = symtab_find(f.table, start + in, &entry);
			const char *const theirs = dwfl_module_addrinfo(f.module, start + in, &offset, &other, NULL, NULL, NULL);

			assert_non_null(got);
			assert_non_null(theirs);
			assert_int_equal(start + in - entry, offset); /* names may differ: one function has several */
			asked++;
		}
	}
	print_message("  %zu symbols, %zu addresses\n", symtab_count(f.table), asked);
	assert_true(asked > 300);
	file_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(innermost_is_found),
		cmocka_unit_test(same_as_elfutils),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
