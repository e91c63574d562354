/* See alloc_sites.h. */
#include "commands/alloc_sites.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/loaded.h"

#define OPERATOR_BYTES 64U /* of the beginning of an operator: in there it goes on to malloc */
#define CALL 0xe8
#define JUMP 0xe9
#define FAR_BYTES 5U /* of either, with its distance */

static const struct {
	const char *name;
	enum probe_alloc_what what; /* 0: an operator of C++, which must lead to malloc */
} wanted[] = {
	{.name = "malloc", .what = ALLOC_MALLOC},
	{.name = "calloc", .what = ALLOC_CALLOC},
	{.name = "realloc", .what = ALLOC_REALLOC},
	{.name = "aligned_alloc", .what = ALLOC_ALIGNED},
	{.name = "memalign", .what = ALLOC_ALIGNED},
	{.name = "posix_memalign", .what = ALLOC_POSIX},
	{.name = "valloc", .what = ALLOC_MALLOC},
	{.name = "pvalloc", .what = ALLOC_MALLOC},
	{.name = "free", .what = ALLOC_FREE},
	{.name = "cfree", .what = ALLOC_FREE},
	{.name = "_Znwm"},
};
#define WANTED (sizeof(wanted) / sizeof(wanted[0]))
#define MALLOC_AT 0U

/* Addresses of the wanted functions. Of a position-independent static program some are local names. */
struct found {
	uint64_t global[WANTED], local[WANTED];
};

/* Those that this table of symbols defines. */
static void read_table(Elf *elf, Elf_Scn *section, struct found *f)
{
	GElf_Shdr header;
	Elf_Data *const data = elf_getdata(section, NULL);

	if (data == NULL || gelf_getshdr(section, &header) == NULL || header.sh_entsize == 0)
		return;
	for (int i = 0; i < (int)(header.sh_size / header.sh_entsize); i++) {
		GElf_Sym sym;
		const char *name;

		if (gelf_getsym(data, i, &sym) == NULL || sym.st_shndx == SHN_UNDEF || sym.st_value == 0 ||
		    GELF_ST_TYPE(sym.st_info) != STT_FUNC || (name = elf_strptr(elf, header.sh_link, sym.st_name)) == NULL)
			continue;
		for (size_t k = 0; k < WANTED; k++)
			if (strcmp(name, wanted[k].name) == 0)
				(GELF_ST_BIND(sym.st_info) == STB_LOCAL ? f->local : f->global)[k] = sym.st_value;
	}
}

static void read_symbols(int fd, struct found *f)
{
	Elf *elf;

	(void)elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	for (Elf_Scn *s = elf_nextscn(elf, NULL); s != NULL; s = elf_nextscn(elf, s)) {
		GElf_Shdr header;

		if (gelf_getshdr(s, &header) != NULL && (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM))
			read_table(elf, s, f);
	}
	(void)elf_end(elf);
}

/* Does the code at `from` call `to`, or jump there? */
static bool leads_to(const char *path, int fd, uint64_t from, uint64_t to)
{
	uint8_t code[OPERATOR_BYTES];
	uint64_t offset;
	ssize_t n;

	if (loaded_offset(path, from, &offset) < 0 || offset > INT64_MAX || (n = pread(fd, code, sizeof(code), (off_t)offset)) < 0)
		return false;
	for (size_t i = 0; i + FAR_BYTES <= (size_t)n; i++) {
		int32_t distance;

		memcpy(&distance, code + i + 1, sizeof(distance));
		if ((code[i] == CALL || code[i] == JUMP) && from + i + FAR_BYTES + (uint64_t)(int64_t)distance == to)
			return true;
	}
	return false;
}

/* Two names of one function are one place. */
static bool is_there(const struct alloc_site *sites, int n, uint64_t offset)
{
	for (int i = 0; i < n; i++)
		if (sites[i].offset == offset)
			return true;
	return false;
}

int alloc_sites_find(const char *path, struct alloc_site ret[ALLOC_SITES_MAX], bool *ret_operators, char *why, size_t size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct found found = {0};
	uint64_t at[WANTED], offset;
	int n = 0;

	*ret_operators = false;
	_Static_assert(WANTED <= ALLOC_SITES_MAX, "all of them have a place");
	if (fd < 0) {
		n = -errno;
		snprintf(why, size, "its file cannot be read: %s", strerror(-n));
		return n;
	}
	read_symbols(fd, &found);
	for (size_t i = 0; i < WANTED; i++)
		at[i] = found.global[i] != 0 ? found.global[i] : found.local[i];
	if (at[MALLOC_AT] == 0) {
		snprintf(why, size, "its file names no malloc of its own (stripped, or another allocator)");
		n = -ENOENT;
	}
	for (size_t i = 0; n >= 0 && i < WANTED; i++) {
		if (at[i] == 0)
			continue;
		if (wanted[i].what == 0)
			*ret_operators = !leads_to(path, fd, at[i], at[MALLOC_AT]);
		else if (loaded_offset(path, at[i], &offset) == 0 && !is_there(ret, n, offset))
			ret[n++] = (struct alloc_site){.what = wanted[i].what, .offset = offset};
	}
	close(fd);
	return n;
}
