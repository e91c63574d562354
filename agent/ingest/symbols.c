/* Names of code: see symbols.h. */
#include "ingest/symbols.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "ingest/demangle.h"
#include "ingest/gopclntab.h"
#include "ingest/symtab.h"

#define MANGLED_MAX 4096U /* of templates */
#define UNITS_MAX 20000U  /* compilation units searched for a line, at most */
#define KNOWN_MAX 16384U  /* answers kept a file: lines are dear */

struct known_symbol {
	uint64_t vaddr;
	bool lines;
	struct symbol *symbol;
	UT_hash_handle hh;
};

struct symbols {
	Dwfl *dwfl;
	Dwfl_Module *module;
	struct known_symbol *known; /* by vaddr */
	struct gopclntab *go;       /* NULL: not a Go program */
	struct symtab *table;       /* made when first asked for */
	bool tried;
};

/* Only what lies under the debug path by build id: the standard look-up may ask a server. */
static const Dwfl_Callbacks callbacks = {
	.find_debuginfo = dwfl_build_id_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

struct symbols *symbols_open(int fd, const char *path)
{
	struct symbols *s = calloc(1, sizeof(*s));
	int own = -1;

	if (s == NULL)
		return NULL;
	s->dwfl = dwfl_begin(&callbacks);
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (s->dwfl == NULL || own < 0)
		goto fail;
	(void)gopclntab_open(fd, &s->go);
	dwfl_report_begin(s->dwfl);
	/* At base 0 with its own addresses, so that module addresses are the file's. On success the descriptor is elfutils'. */
	s->module = dwfl_report_elf(s->dwfl, path, path, own, 0, true);
	if (s->module == NULL)
		goto fail;
	own = -1;
	if (dwfl_report_end(s->dwfl, NULL, NULL) != 0)
		goto fail;
	return s;
fail:
	if (own >= 0)
		close(own);
	symbols_free(s);
	return NULL;
}

static void forget(struct symbols *s)
{
	struct known_symbol *k, *next;

	HASH_ITER (hh, s->known, k, next) {
		HASH_DEL(s->known, k);
		free(k->symbol);
		free(k);
	}
}

void symbols_free(struct symbols *s)
{
	if (s == NULL)
		return;
	forget(s);
	gopclntab_free(s->go);
	symtab_free(s->table);
	if (s->dwfl != NULL)
		dwfl_end(s->dwfl);
	free(s);
}

void symbol_strip(char *name)
{
	static const char *const added[] = {".constprop.", ".isra.", ".part.", ".cold", ".lto_priv.", ".localalias", "@"};

	for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++) {
		char *at = strstr(name, added[i]);

		if (at != NULL && at != name)
			*at = '\0';
	}
}

/* The source line by the unit that holds the address: not all compilers write the index that elfutils searches by itself. */
static void look_up_line(struct symbols *s, uint64_t vaddr, struct symbol *ret)
{
	Dwfl_Line *indexed = dwfl_module_getsrc(s->module, vaddr);
	const char *file = NULL;
	int number = 0;

	if (indexed != NULL)
		file = dwfl_lineinfo(indexed, NULL, &number, NULL, NULL, NULL);

	Dwarf_Die *unit = NULL;
	Dwarf_Addr bias = 0;

	for (unsigned int i = 0; file == NULL && i < UNITS_MAX; i++) {
		Dwarf_Line *line;

		unit = dwfl_module_nextcu(s->module, unit, &bias);
		if (unit == NULL)
			break;
		if (dwarf_haspc(unit, vaddr - bias) <= 0)
			continue;
		line = dwarf_getsrc_die(unit, vaddr - bias);
		file = line != NULL && dwarf_lineno(line, &number) == 0 ? dwarf_linesrc(line, NULL, NULL) : NULL;
		break;
	}
	if (file != NULL && number > 0) {
		snprintf(ret->file, sizeof(ret->file), "%s", file);
		ret->line = (uint32_t)number;
	}
}

static bool look_up_go(const struct symbols *s, uint64_t vaddr, struct symbol *ret)
{
	struct gopclntab_place place;

	if (s->go == NULL || !gopclntab_find(s->go, vaddr, &place))
		return false;
	snprintf(ret->function, sizeof(ret->function), "%s", place.function);
	snprintf(ret->file, sizeof(ret->file), "%s", place.file);
	ret->line = place.line;
	ret->entry = place.entry;
	ret->runtime = gopclntab_is_runtime(place.function);
	return true;
}

bool symbols_have_frames(const struct symbols *s)
{
	return s->go != NULL;
}

static void name_function(const char *name, struct symbol *ret)
{
	char whole[MANGLED_MAX];

	snprintf(whole, sizeof(whole), "%s", name); /* a name that is cut cannot be demangled */
	symbol_strip(whole);
	demangle(whole, sizeof(whole));
	snprintf(ret->function, sizeof(ret->function), "%.*s", (int)sizeof(ret->function) - 1, whole);
	ret->runtime = demangled_is_library(ret->function);
}

static void look_up(struct symbols *s, uint64_t vaddr, bool lines, struct symbol *ret)
{
	const char *name;

	memset(ret, 0, sizeof(*ret));
	if (look_up_go(s, vaddr, ret))
		return;
	if (!s->tried)
		s->table = symtab_make(s->module);
	s->tried = true;
	name = symtab_find(s->table, vaddr, &ret->entry);
	if (name != NULL)
		name_function(name, ret);
	if (lines)
		look_up_line(s, vaddr, ret);
}

static void remember(struct symbols *s, uint64_t vaddr, bool lines, const struct symbol *symbol)
{
	struct known_symbol *k;

	if (HASH_COUNT(s->known) >= KNOWN_MAX)
		forget(s);
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return;
	k->symbol = malloc(sizeof(*k->symbol));
	if (k->symbol == NULL) {
		free(k);
		return;
	}
	k->vaddr = vaddr;
	k->lines = lines;
	*k->symbol = *symbol;
	HASH_ADD(hh, s->known, vaddr, sizeof(k->vaddr), k);
}

void symbols_find(struct symbols *s, uint64_t vaddr, bool lines, struct symbol *ret)
{
	struct known_symbol *k;

	HASH_FIND(hh, s->known, &vaddr, sizeof(vaddr), k);
	if (k != NULL && k->lines == lines) {
		*ret = *k->symbol;
		return;
	}
	look_up(s, vaddr, lines, ret);
	if (k == NULL)
		remember(s, vaddr, lines, ret);
}
