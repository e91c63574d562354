/*
 * The next definition of each hooked function: found with dlsym(RTLD_NEXT), all at once when the library starts, one by one for
 * hooks that another library's constructor calls before. Written before use by any thread; two threads that race store the same.
 */
#include <dlfcn.h>

#include "preload/call.h"

static const char *const names[HOOK_COUNT] = {
#define HOOK(name, family) [HOOK_##name] = #name,
#define ALIAS(alias, name, family)
#include "preload/hooks.def"
#undef HOOK
#undef ALIAS
};

void *shim_real[HOOK_COUNT];

/* A library that was loaded with RTLD_LOCAL is not behind RTLD_NEXT: ask it by name. */
static void *from_systemd(const char *name)
{
	void *const lib = dlopen("libsystemd.so.0", RTLD_LAZY | RTLD_NOLOAD);
	void *p;

	if (!lib)
		return NULL;
	p = dlsym(lib, name);
	dlclose(lib);
	return p;
}

void *resolve_one(unsigned int hook)
{
	const int saved = errno;
	void *p = dlsym(RTLD_NEXT, names[hook]);

	if (!p && strncmp(names[hook], "sd_", 3) == 0)
		p = from_systemd(names[hook]);
	__atomic_store_n(&shim_real[hook], p, __ATOMIC_RELEASE);
	errno = saved;
	return p;
}

void resolve_all(void)
{
	for (unsigned int i = 0; i < HOOK_COUNT; i++) {
		/* What no loaded library has is looked for when it is called: dlsym of a missing name allocates. */
		if (strncmp(names[i], "sd_", 3) != 0)
			(void)resolve_one(i);
	}
}
