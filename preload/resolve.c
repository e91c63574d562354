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

void *resolve_one(unsigned int hook)
{
	const int saved = errno;
	void *const p = dlsym(RTLD_NEXT, names[hook]);

	__atomic_store_n(&shim.real[hook], p, __ATOMIC_RELEASE);
	errno = saved;
	return p;
}

void resolve_all(void)
{
	for (unsigned int i = 0; i < HOOK_COUNT; i++)
		(void)resolve_one(i);
}
