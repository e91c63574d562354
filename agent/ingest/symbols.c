/* Names of code: see symbols.h. */
#include "ingest/symbols.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct symbols {
	Dwfl *dwfl;
	Dwfl_Module *module;
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

void symbols_free(struct symbols *s)
{
	if (s == NULL)
		return;
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

void symbols_find(struct symbols *s, uint64_t vaddr, struct symbol *ret)
{
	GElf_Off offset;
	GElf_Sym sym;
	Dwfl_Line *line;
	const char *name, *file;
	int number = 0;

	memset(ret, 0, sizeof(*ret));
	name = dwfl_module_addrinfo(s->module, vaddr, &offset, &sym, NULL, NULL, NULL);
	if (name != NULL) {
		snprintf(ret->function, sizeof(ret->function), "%s", name);
		symbol_strip(ret->function);
	}
	line = dwfl_module_getsrc(s->module, vaddr);
	file = line != NULL ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;
	if (file != NULL && number > 0) {
		snprintf(ret->file, sizeof(ret->file), "%s", file);
		ret->line = (uint32_t)number;
	}
}
