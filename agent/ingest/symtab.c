/* Symbols by address: see symtab.h. */
#include "ingest/symtab.h"

#include <stdbool.h>
#include <stdlib.h>

#include "core/limits.h"

#define BACK_MAX 64U /* symbols that begin inside of a larger one, which is then not found */
#define RANK_SHIFT 30U
#define INDEX_MASK ((1U << RANK_SHIFT) - 1)

struct entry {
	uint64_t start;
	uint32_t size;  /* of a label: up to where its section ends */
	uint32_t order; /* rank << RANK_SHIFT | number in the file: of several at one address the lowest is kept */
};

struct symtab {
	Dwfl_Module *module;
	size_t n;
	struct entry entry[];
};

enum rank { RANK_GLOBAL, RANK_WEAK, RANK_LOCAL, RANK_LABEL };

static enum rank rank_of(const GElf_Sym *sym)
{
	if (sym->st_size == 0)
		return RANK_LABEL;
	switch (GELF_ST_BIND(sym->st_info)) {
	case STB_LOCAL:
		return RANK_LOCAL;
	case STB_WEAK:
		return RANK_WEAK;
	default:
		return RANK_GLOBAL;
	}
}

/* "$x" and the like tell ARM's code from data. */
static bool is_place(const GElf_Sym *sym, const char *name)
{
	const unsigned int type = GELF_ST_TYPE(sym->st_info);

	return name != NULL && name[0] != '\0' && name[0] != '$' && sym->st_shndx != SHN_UNDEF && sym->st_shndx != SHN_ABS &&
	       type != STT_SECTION && type != STT_FILE && type != STT_TLS && type != STT_OBJECT && type != STT_COMMON;
}

static bool is_label(const struct entry *e)
{
	return e->order >> RANK_SHIFT == RANK_LABEL;
}

/* How much code is there from a label on? */
static uint64_t left_of_section(Elf *elf, GElf_Word section, uint64_t at)
{
	GElf_Shdr header;
	Elf_Scn *const scn = elf_getscn(elf, section);

	if (scn == NULL || gelf_getshdr(scn, &header) == NULL || (header.sh_flags & SHF_EXECINSTR) == 0 ||
	    at - header.sh_addr >= header.sh_size)
		return 0;
	return header.sh_size - (at - header.sh_addr);
}

static int by_address(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

struct symtab *symtab_make(Dwfl_Module *module)
{
	const int all = dwfl_module_getsymtab(module);
	const uint32_t count = all < 0 ? 0 : (uint32_t)all < LIMIT_SYMBOLS ? (uint32_t)all : LIMIT_SYMBOLS;
	struct symtab *t = count > 0 ? malloc(sizeof(*t) + count * sizeof(t->entry[0])) : NULL;
	size_t kept = 0;

	if (t == NULL)
		return NULL;
	t->module = module;
	t->n = 0;
	for (uint32_t i = 0; i < count; i++) {
		GElf_Sym sym;
		GElf_Addr at = 0;
		GElf_Word section = 0;
		Dwarf_Addr bias = 0;
		Elf *elf = NULL;
		const char *name = dwfl_module_getsym_info(module, (int)i, &sym, &at, &section, &elf, &bias);

		if (!is_place(&sym, name))
			continue;
		const uint64_t size = sym.st_size != 0 ? sym.st_size : left_of_section(elf, section, at - bias);
		if (size == 0)
			continue;
		t->entry[t->n++] = (struct entry){
			.start = at,
			.size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX,
			.order = (uint32_t)rank_of(&sym) << RANK_SHIFT | i,
		};
	}
	qsort(t->entry, t->n, sizeof(t->entry[0]), by_address);
	for (size_t i = 0; i < t->n; i++) {
		if (kept == 0 || t->entry[kept - 1].start != t->entry[i].start)
			t->entry[kept++] = t->entry[i];
	}
	t->n = kept;
	if (kept == 0) {
		symtab_free(t);
		return NULL;
	}
	struct symtab *fits = realloc(t, sizeof(*t) + kept * sizeof(t->entry[0]));
	return fits != NULL ? fits : t;
}

void symtab_free(struct symtab *t)
{
	free(t);
}

size_t symtab_count(const struct symtab *t)
{
	return t != NULL ? t->n : 0;
}

/* How many begin at or below the address. */
static size_t begun(const struct symtab *t, uint64_t vaddr)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (t->entry[middle].start <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *symtab_find(const struct symtab *t, uint64_t vaddr, uint64_t *ret_entry)
{
	const struct entry *found = NULL;
	uint64_t ended = 0; /* where the last that lies in front of the address ends */
	GElf_Sym sym;

	if (t == NULL)
		return NULL;
	size_t i = begun(t, vaddr);
	for (size_t back = 0; i-- > 0 && back < BACK_MAX; back++) {
		const struct entry *e = &t->entry[i];

		const bool holds = vaddr - e->start < e->size;

		if (is_label(e)) {
			if (found == NULL && holds && e->start >= ended)
				found = e;
		} else if (holds) {
			found = e;
			break;
		} else if (e->start + e->size > ended) {
			ended = e->start + e->size;
		}
	}
	if (found == NULL)
		return NULL;
	*ret_entry = found->start;
	GElf_Addr at;
	return dwfl_module_getsym_info(t->module, (int)(found->order & INDEX_MASK), &sym, &at, NULL, NULL, NULL);
}
