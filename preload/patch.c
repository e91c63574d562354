/*
 * Finds the functions of patch.h in the libraries that are loaded. Runs in the constructor, after a dlopen, and at an attach; never in
 * another hook: the loader's locks are taken. Two threads that come from a dlopen at once find the same.
 */
#include <dlfcn.h>
#include <link.h>

#include "preload/patch.h"

enum family { FAMILY_OPENSSL, FAMILY_GNUTLS, FAMILIES };

/* By what follows its name a library is told from its companions: libssl.so.3 and libssl-1a2b.so.3, but not libgnutls-dane.so.0. */
static const struct {
	const char *file, *first_function;
	bool renamed; /* a copy with a suffix of its own counts: packagers vendor it so */
} families[FAMILIES] = {
	[FAMILY_OPENSSL] = {"libssl", "SSL_", true},
	[FAMILY_GNUTLS] = {"libgnutls", "gnutls_", false},
};

static const char *const names[PATCH_COUNT] = {
#define HOOK(name, family)
#define ALIAS(alias, name, family)
#define PATCH(name, family) [PATCH_##name] = #name,
#include "preload/hooks.def"
#undef HOOK
#undef ALIAS
};

void *patch_real[PATCH_COUNT];
static bool certain[PATCH_COUNT];

struct search {
	char path[FAMILIES][512];
	unsigned int copies[FAMILIES];
};

static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *const s = arg;
	const char *slash = info->dlpi_name ? strrchr(info->dlpi_name, '/') : NULL;
	const char *name = slash ? slash + 1 : info->dlpi_name;

	(void)size;
	for (unsigned int f = 0; name && f < FAMILIES; f++) {
		const size_t len = strlen(families[f].file);

		if (strncmp(name, families[f].file, len) != 0 ||
		    (strncmp(name + len, ".so", 3) != 0 && !(families[f].renamed && name[len] == '-')))
			continue;
		if (strnlen(info->dlpi_name, sizeof(s->path[f])) < sizeof(s->path[f]) && s->copies[f]++ == 0)
			memcpy(s->path[f], info->dlpi_name, strlen(info->dlpi_name) + 1);
	}
	return 0;
}

static void take(unsigned int family, void *library, unsigned int copies)
{
	for (unsigned int i = 0; i < PATCH_COUNT; i++) {
		void *known;

		if (strncmp(names[i], families[family].first_function, strlen(families[family].first_function)) != 0)
			continue;
		patch_real[i] = dlsym(library, names[i]);
		known = patch_real[i] ? dlsym(RTLD_DEFAULT, names[i]) : NULL;
		certain[i] = patch_real[i] && copies == 1 && (!known || known == patch_real[i]);
	}
	patch_found(library);
}

bool patch_find(void)
{
	struct search s;
	void *(*const open)(const char *, int) = (void *(*)(const char *, int))hook_real(HOOK_dlopen);
	bool found = false;

	memset(s.copies, 0, sizeof(s.copies));
	(void)dl_iterate_phdr(look, &s);
	for (unsigned int f = 0; f < FAMILIES; f++) {
		void *library = s.copies[f] ? open(s.path[f], RTLD_LAZY | RTLD_NOLOAD) : NULL;

		if (!library)
			continue;
		take(f, library, s.copies[f]);
		found = true;
		(void)dlclose(library);
	}
	/* A name that is not there has left a message, which the program is not to find. */
	if (found)
		(void)dlerror();
	return found;
}

bool patch_is_certain(enum patch_id i)
{
	return certain[i];
}
