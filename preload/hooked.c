/* The table of hooked names. See hooked.h. */
#include "preload/hooked.h"

#include <dlfcn.h>

#include "preload/alloc.h"
#include "preload/patch.h"

#define NAMES_MAX 512U /* room of the hash table; the hooks fill less than half */
#define REALS_BITS 4096U

#define HOOK(name, family) extern char hook_at_##name[] __asm__(#name);
#define ALIAS(alias, name, family) extern char hook_at_##alias[] __asm__(#alias);
#define PATCH(name, family) extern char hook_at_##name[] __asm__("patch_" #name);
#define ALLOC(name, family) extern char hook_at_##name[] __asm__("alloc_" #name);
#include "preload/hooks.def"
#undef HOOK
#undef ALIAS

static const struct {
	const char *name;
	char *hook;
	int real; /* where shim.real has it, or -1 */
	int patch, alloc;
} hooks[] = {
#define HOOK(name, family) {#name, hook_at_##name, HOOK_##name, -1, -1},
#define ALIAS(alias, name, family) {#alias, hook_at_##alias, -1, -1, -1},
#define PATCH(name, family) {#name, hook_at_##name, -1, PATCH_##name, -1},
#define ALLOC(name, family) {#name, hook_at_##name, -1, -1, ALLOC_##name},
#include "preload/hooks.def"
#undef HOOK
#undef ALIAS
};

static struct hooked names[NAMES_MAX];
static uint64_t reals[REALS_BITS / 64]; /* a bit for each address that a name's `real` may be */
static bool made;
static bool deep;

static uint32_t hash(const char *name)
{
	uint32_t h = 5381;

	for (; *name; name++)
		h = h * 33 + (uint8_t)*name;
	return h;
}

static struct hooked *place_of(const char *name)
{
	for (uint32_t i = hash(name) % NAMES_MAX;; i = (i + 1) % NAMES_MAX) {
		if (!names[i].name || strcmp(names[i].name, name) == 0)
			return &names[i];
	}
}

bool hooked_begin(void)
{
	static_assert(sizeof(hooks) / sizeof(hooks[0]) < NAMES_MAX / 2 * 2 - 1, "the table needs free places");

	const bool libc = shim.injected || deep;

	if (made)
		return libc;
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		struct hooked *const n = place_of(hooks[i].name);

		*n = (struct hooked){
			.name = hooks[i].name, .hook = hooks[i].hook, .patch = hooks[i].patch, .alloc = hooks[i].alloc};
		/* Started with the library, a program has its hooks of libc from the loader. */
		if (n->patch >= 0 || n->alloc >= 0 || !libc)
			continue;
		n->real = hooks[i].real >= 0 ? shim.real[hooks[i].real] : dlsym(RTLD_NEXT, n->name);

		/* Somebody else stands between the program and libc (a sanitizer, another preload): hands off. */
		const void *const theirs = n->real ? dlsym(RTLD_DEFAULT, n->name) : NULL;

		if (theirs != n->real && theirs != n->hook)
			n->real = NULL;
	}
	made = true;
	return libc;
}

void hooked_deepbind(void)
{
	if (deep || shim.injected)
		return;
	deep = true;
	made = false;
}

static uint32_t real_bit(uintptr_t at)
{
	return (uint32_t)(at / 16 % REALS_BITS);
}

bool hooked_maybe_real(uintptr_t at)
{
	return reals[real_bit(at) / 64] >> (real_bit(at) % 64) & 1;
}

void hooked_refresh(void)
{
	memset(reals, 0, sizeof(reals));
	for (uint32_t i = 0; i < NAMES_MAX; i++) {
		if (names[i].name && names[i].patch >= 0)
			names[i].real = patch_real[names[i].patch];
		if (names[i].name && names[i].alloc >= 0)
			names[i].real = alloc_wanted() ? alloc_real[names[i].alloc] : NULL;
		reals[real_bit((uintptr_t)names[i].real) / 64] |= 1ULL << (real_bit((uintptr_t)names[i].real) % 64);
	}
}

const struct hooked *hooked_find(const char *name)
{
	const struct hooked *const h = place_of(name);

	return h->name && h->real ? h : NULL;
}

bool hooked_is_mapping(const struct hooked *h)
{
	return h->hook == hook_at_mmap || h->hook == hook_at_mmap64 || h->hook == hook_at_munmap || h->hook == hook_at_mremap;
}
