/*
 * Hooks of functions that are not libc's (PATCH in hooks.def): reached by GOT slots that are pointed to them, never by their name.
 *
 * patch.c finds the functions and writes `patch_real`; got.c writes the slots; hooks_tls.c has the hooks.
 */
#ifndef GAPSCOPE_PRELOAD_PATCH_H
#define GAPSCOPE_PRELOAD_PATCH_H

#include "preload/call.h"

enum patch_id {
#define HOOK(name, family)
#define ALIAS(alias, name, family)
#define PATCH(name, family) PATCH_##name,
#include "preload/hooks.def"
#undef HOOK
#undef ALIAS
	PATCH_COUNT
};

/* A slot leads to such a hook only once its function is known. */
#define PATCHED(name) ((__typeof__(&hook_##name))patch_real[PATCH_##name])
#define PATCH_FN(type, name, ...) \
	__attribute__((visibility("hidden"))) type hook_##name(__VA_ARGS__) __asm__("patch_" #name); \
	type hook_##name(__VA_ARGS__)

#pragma GCC visibility push(hidden)
extern void *patch_real[PATCH_COUNT];
/* Look for the libraries among what is loaded now: is one of them there? Takes the loader's locks: never inside dl_iterate_phdr. */
bool patch_find(void);
/* May a slot that was not bound yet be taken to mean patch_real[i]? Not where two libraries could be meant. */
bool patch_is_certain(enum patch_id i);
/* hooks_tls.c: a library was found. `library` is for dlsym, during the call. */
void patch_found(void *library);
#pragma GCC visibility pop

#endif
