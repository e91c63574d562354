/*
 * Module kinds by base name, from modules.def. Pure data; any thread.
 */
#include "core/module_kind.h"

#include <stddef.h>
#include <string.h>

#include "core/stacks.h"

static const struct {
	const char *prefix;
	enum module_kind kind;
} module_kinds[] = {
#define RUNTIME(prefix, kind) {prefix, MODULE_##kind},
#include "core/modules.def"
#undef RUNTIME
};

enum module_kind module_kind(const char *module)
{
	size_t i;

	if (!module || strcmp(module, "?") == 0)
		return MODULE_LIBC;
	for (i = 0; i < sizeof(module_kinds) / sizeof(module_kinds[0]); i++) {
		if (strncmp(module, module_kinds[i].prefix, strlen(module_kinds[i].prefix)) == 0)
			return module_kinds[i].kind;
	}
	return MODULE_APPLICATION;
}

bool module_is_runtime(const char *module)
{
	return module_kind(module) != MODULE_APPLICATION;
}

const char *module_generates(const char *module)
{
	static const struct {
		const char *name, *code;
	} runtimes[] = {
		{"libjvm.so", "[Java]"},    {"libcoreclr.so", "[.NET]"}, {"node", "[JavaScript]"},
		{"nodejs", "[JavaScript]"}, {"libnode", "[JavaScript]"}, {"libluajit", "[Lua]"},
	};

	for (size_t i = 0; module && i < sizeof(runtimes) / sizeof(runtimes[0]); i++) {
		const size_t n = strlen(runtimes[i].name);

		/* A version may follow, and no more of the name. */
		if (strncmp(module, runtimes[i].name, n) == 0 && (module[n] == '\0' || module[n] == '.' || module[n] == '-'))
			return runtimes[i].code;
	}
	return NULL;
}
