/*
 * Put into a running process: the two entries that the agent calls in a thread that it holds (wire/attach.h), and the GOT slots of all
 * loaded objects, which lead to the hooks while a session lasts. Where the library was preloaded, the slots of functions that are not
 * libc's (patch.h) are pointed to theirs the same way.
 *
 * The entries run on a thread of the process with a stack of the agent's and all signals blocked; attach_patch also runs after a
 * dlopen, on the thread that called it. `patching` guards the list of slots. Slots are changed by one atomic store each, so that any
 * other thread calls either the real function or the hook.
 */
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>

#include "preload/alloc.h"
#include "preload/patch.h"
#include "wire/attach.h"

#pragma weak dladdr1 /* musl has neither, and is never attached to (session.c) */
#pragma weak gnu_get_libc_version
extern const char *gnu_get_libc_version(void);

#define NAMES_MAX 512U /* room of the hash table; the hooks fill less than half */
#define REALS_BITS 4096U
#define SLOTS_MAX 65536U
#define PAGE_BYTES 4096UL
#define LOCK_YIELDS 100000U

/* A hooked name. */
struct name {
	const char *name;
	void *hook;
	void *real; /* what a slot leads to before; NULL: not in this libc */
	int patch;  /* enum patch_id, or -1: a function of libc */
	int alloc;  /* enum alloc_id, or -1 */
};

/* A slot that leads to a hook now. */
struct slot {
	uintptr_t *at;
	uintptr_t before, hook;
	uintptr_t base;     /* of the object that it is in */
	const char *object; /* and its name's address: another object at the same place has another one */
	bool loaded;
};

/* A loaded object, as far as slots go. */
struct object {
	uintptr_t base, start, end; /* start and end of what is mapped */
	uintptr_t relro, relro_bytes;
	const char *name;
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Rela) * tables[2]; /* DT_RELA, DT_JMPREL */
	size_t counts[2];
	size_t relative; /* so many entries at the start of DT_RELA name no symbol */
	bool lock;       /* the RELRO part is to be protected again */
	bool allocator;  /* it has malloc */
	bool libc;
};

#define HOOK(name, family) extern char attach_at_##name[] __asm__(#name);
#define ALIAS(alias, name, family) extern char attach_at_##alias[] __asm__(#alias);
#define PATCH(name, family) extern char attach_at_##name[] __asm__("patch_" #name);
#define ALLOC(name, family) extern char attach_at_##name[] __asm__("alloc_" #name);
#include "preload/hooks.def"
#undef HOOK
#undef ALIAS

static const struct {
	const char *name;
	char *hook;
	int real; /* where shim.real has it, or -1 */
	int patch, alloc;
} hooks[] = {
#define HOOK(name, family) {#name, attach_at_##name, HOOK_##name, -1, -1},
#define ALIAS(alias, name, family) {#alias, attach_at_##alias, -1, -1, -1},
#define PATCH(name, family) {#name, attach_at_##name, -1, PATCH_##name, -1},
#define ALLOC(name, family) {#name, attach_at_##name, -1, -1, ALLOC_##name},
#include "preload/hooks.def"
#undef HOOK
#undef ALIAS
};

static struct name names[NAMES_MAX];
static uint64_t reals[REALS_BITS / 64]; /* a bit for each address that a name's `real` may be */
static bool names_made;
static bool deep;          /* objects were loaded that look into their own libraries first (RTLD_DEEPBIND) */
static struct slot *slots; /* SLOTS_MAX of them, mapped at the first attach; pages are used as slots are */
static uint32_t slots_count;
static _Atomic bool patching;
static unsigned long long unloads; /* objects unloaded so far: slots of such are forgotten */

void attach_entry(struct wire_attach *a);
void detach_entry(struct wire_attach *a);

/* The note that leads the agent to the entries. The numbers are the lengths of the name (with its NUL) and of the contents, and WIRE_ATTACH_NOTE_TYPE. */
__asm__(".pushsection .note.gapscope, \"a\", %note\n"
	".balign 4\n"
	".long 9, 8, 2\n"
	".asciz \"" WIRE_ATTACH_NOTE_NAME "\"\n"
	".balign 4\n"
	".long attach_entry - .\n"
	".long detach_entry - .\n"
	".popsection\n");

static uint32_t hash(const char *name)
{
	uint32_t h = 5381;

	for (; *name; name++)
		h = h * 33 + (uint8_t)*name;
	return h;
}

static struct name *find_name(const char *name)
{
	for (uint32_t i = hash(name) % NAMES_MAX;; i = (i + 1) % NAMES_MAX) {
		if (!names[i].name || strcmp(names[i].name, name) == 0)
			return &names[i];
	}
}

static void make_names(void)
{
	static_assert(sizeof(hooks) / sizeof(hooks[0]) < NAMES_MAX / 2 * 2 - 1, "the table needs free places");

	if (names_made)
		return;
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		struct name *const n = find_name(hooks[i].name);

		*n = (struct name){.name = hooks[i].name, .hook = hooks[i].hook, .patch = hooks[i].patch, .alloc = hooks[i].alloc};
		/* Started with the library, a program has its hooks of libc from the loader. */
		if (n->patch >= 0 || n->alloc >= 0 || (!shim.injected && !deep))
			continue;
		n->real = hooks[i].real >= 0 ? shim.real[hooks[i].real] : dlsym(RTLD_NEXT, n->name);

		/* Somebody else stands between the program and libc (a sanitizer, another preload): hands off. */
		const void *const theirs = n->real ? dlsym(RTLD_DEFAULT, n->name) : NULL;

		if (theirs != n->real && theirs != n->hook)
			n->real = NULL;
	}
	names_made = true;
}

static uint32_t real_bit(uintptr_t at)
{
	return (uint32_t)(at / 16 % REALS_BITS);
}

static bool is_maybe_real(uintptr_t at)
{
	return reals[real_bit(at) / 64] >> (real_bit(at) % 64) & 1;
}

/* Functions of other libraries come and go with them. */
static void refresh_names(void)
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

/* An address in a dynamic section: libc has made it absolute, the vDSO's is not. */
static uintptr_t absolute(const struct dl_phdr_info *info, ElfW(Addr) value)
{
	return value < info->dlpi_addr ? value + info->dlpi_addr : value;
}

static void read_dynamic(struct object *o, const struct dl_phdr_info *info, const ElfW(Dyn) * d)
{
	for (; d->d_tag != DT_NULL; d++) {
		switch (d->d_tag) {
		case DT_SYMTAB:
			o->symbols = (const ElfW(Sym) *)absolute(info, d->d_un.d_ptr);
			break;
		case DT_STRTAB:
			o->strings = (const char *)absolute(info, d->d_un.d_ptr);
			break;
		case DT_RELA:
			o->tables[0] = (const ElfW(Rela) *)absolute(info, d->d_un.d_ptr);
			break;
		case DT_RELASZ:
			o->counts[0] = d->d_un.d_val / sizeof(ElfW(Rela));
			break;
		case DT_RELACOUNT:
			o->relative = d->d_un.d_val;
			break;
		case DT_JMPREL:
			o->tables[1] = (const ElfW(Rela) *)absolute(info, d->d_un.d_ptr);
			break;
		case DT_PLTRELSZ:
			o->counts[1] = d->d_un.d_val / sizeof(ElfW(Rela));
			break;
		default:
			break;
		}
	}
}

static void read_object(struct object *o, const struct dl_phdr_info *info)
{
	const ElfW(Dyn) *dynamic = NULL;

	*o = (struct object){.base = info->dlpi_addr, .start = UINTPTR_MAX, .name = info->dlpi_name};
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uintptr_t at = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD) {
			o->start = at < o->start ? at : o->start;
			o->end = at + p->p_memsz > o->end ? at + p->p_memsz : o->end;
		} else if (p->p_type == PT_DYNAMIC) {
			dynamic = (const ElfW(Dyn) *)at;
		} else if (p->p_type == PT_GNU_RELRO) {
			/* As the loader has it: whole pages inside. */
			o->relro = at & ~(PAGE_BYTES - 1);
			o->relro_bytes = ((at + p->p_memsz) & ~(PAGE_BYTES - 1)) - o->relro;
		}
	}
	o->allocator = alloc_is_allocator(o->start, o->end);
	o->libc = (uintptr_t)gnu_get_libc_version >= o->start && (uintptr_t)gnu_get_libc_version < o->end;
	if (dynamic)
		read_dynamic(o, info, dynamic);
}

/* The loader and this library keep their slots: there, nothing of the program's own is called. */
static bool is_left_alone(const struct object *o)
{
	const char *const slash = o->name ? strrchr(o->name, '/') : NULL;

	return !o->symbols || !o->strings || session_is_own(o->start, o->end) || (slash && strncmp(slash, "/ld-linux", 9) == 0);
}

/* libc keeps its slots too, but those of malloc and its kin: what strdup gives, the program frees, and getline goes on with a buffer of the
 * program's. What an allocator calls on its own behalf is no allocation of the program. */
static bool is_kept(const struct object *o, const struct name *n)
{
	const bool mapping = n->hook == attach_at_mmap || n->hook == attach_at_mmap64 || n->hook == attach_at_munmap ||
			     n->hook == attach_at_mremap;

	if (n->alloc < 0)
		return o->libc;
	return (o->allocator && !o->libc) || (mapping && (o->allocator || o->libc));
}

static bool in_relro(const struct object *o, const void *at)
{
	return (uintptr_t)at - o->relro < o->relro_bytes;
}

static bool writable(struct object *o, const void *at)
{
	if (!in_relro(o, at) || o->lock)
		return true;
	o->lock = cpu_syscall(SYS_mprotect, (long)o->relro, (long)o->relro_bytes, PROT_READ | PROT_WRITE, 0, 0, 0) == 0;
	return o->lock;
}

static void protect(struct object *o)
{
	if (o->lock)
		(void)cpu_syscall(SYS_mprotect, (long)o->relro, (long)o->relro_bytes, PROT_READ, 0, 0, 0);
	o->lock = false;
}

/* Does the slot lead to the real function, or not yet anywhere (into its own PLT, whose first call looks the symbol up)? */
static bool leads_to(const struct object *o, const struct name *n, uint32_t type, uintptr_t value, const ElfW(Sym) * symbol)
{
	/* A library's own calls of itself are no calls of the program. */
	if (n->patch >= 0 && (uintptr_t)n->real >= o->start && (uintptr_t)n->real < o->end)
		return false;
	if (value == (uintptr_t)n->real)
		return true;
	if (n->patch >= 0 && !patch_is_certain((enum patch_id)n->patch))
		return false;
	/* C++'s library has operators of its own, and calls those of the allocator. */
	const bool others = symbol->st_shndx == SHN_UNDEF || (n->alloc >= 0 && alloc_is_certain((enum alloc_id)n->alloc));

	return type == CPU_RELOC_JUMP_SLOT && others && value >= o->start && value < o->end;
}

static bool note_slot(const struct object *o, uintptr_t *at, uintptr_t before, const struct name *n)
{
	if (slots_count == SLOTS_MAX)
		return false;
	slots[slots_count++] = (struct slot){at, before, (uintptr_t)n->hook, o->base, o->name, true};
	return true;
}

/* leads_to, as far as it can be told without the name: a thread of the program waits while its objects are gone through, and most slots
 * belong to names that concern nobody here. */
static bool may_lead(const struct object *o, uint32_t type, uintptr_t value, const ElfW(Sym) * symbol)
{
	return is_maybe_real(value) || (type == CPU_RELOC_JUMP_SLOT && value >= o->start && value < o->end &&
					(symbol->st_shndx == SHN_UNDEF || alloc_wanted()));
}

static uint32_t patch_table(struct object *o, const ElfW(Rela) * table, size_t first, size_t count)
{
	uint32_t patched = 0;

	for (size_t i = first; table && i < count; i++) {
		const uint32_t type = (uint32_t)ELF64_R_TYPE(table[i].r_info);
		const ElfW(Sym) *const symbol = &o->symbols[ELF64_R_SYM(table[i].r_info)];
		uintptr_t *const at = (uintptr_t *)(o->base + table[i].r_offset);
		const struct name *n;
		uintptr_t value;

		if ((type != CPU_RELOC_JUMP_SLOT && type != CPU_RELOC_GLOB_DAT && type != CPU_RELOC_ADDRESS) ||
		    ELF64_R_SYM(table[i].r_info) == 0 || (type == CPU_RELOC_ADDRESS && table[i].r_addend != 0) ||
		    (uintptr_t)at % sizeof(*at))
			continue;
		value = __atomic_load_n(at, __ATOMIC_RELAXED);
		if (!may_lead(o, type, value, symbol))
			continue;
		n = find_name(o->strings + symbol->st_name);
		if (!n->name || !n->real || is_kept(o, n))
			continue;
		if (leads_to(o, n, type, value, symbol) && writable(o, at) && note_slot(o, at, value, n)) {
			__atomic_store_n(at, (uintptr_t)n->hook, __ATOMIC_RELEASE);
			patched++;
		}
	}
	return patched;
}

static int patch_one(struct dl_phdr_info *info, size_t size, void *arg)
{
	uint32_t *const patched = arg;
	struct object o;

	(void)size;
	read_object(&o, info);
	if (is_left_alone(&o))
		return 0;
	*patched += patch_table(&o, o.tables[0], o.relative, o.counts[0]);
	*patched += patch_table(&o, o.tables[1], 0, o.counts[1]);
	protect(&o);
	return 0;
}

/* Marks the slots of an object that is loaded. Nothing in here may take another of the loader's locks (dladdr does). */
static int mark_loaded(struct dl_phdr_info *info, size_t size, void *arg)
{
	bool *const changed = arg;

	(void)size;
	if (info->dlpi_subs == unloads && !*changed)
		return 1;
	unloads = info->dlpi_subs;
	*changed = true;
	for (uint32_t i = 0; i < slots_count; i++) {
		if (slots[i].base == info->dlpi_addr && slots[i].object == info->dlpi_name)
			slots[i].loaded = true;
	}
	return 0;
}

/* Slots of an object that is gone: their memory may be anybody's now. */
static void forget_unloaded(void)
{
	bool changed = false;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < slots_count; i++)
		slots[i].loaded = false;
	(void)dl_iterate_phdr(mark_loaded, &changed);
	for (uint32_t i = 0; changed && i < slots_count; i++) {
		if (slots[i].loaded)
			slots[kept++] = slots[i];
	}
	if (changed)
		slots_count = kept;
}

/* Two threads may come from a dlopen at once. Bounded: in a forked child the other one does not exist. */
static bool lock(void)
{
	for (unsigned int i = 0; i < LOCK_YIELDS; i++) {
		if (!atomic_exchange_explicit(&patching, true, memory_order_acquire))
			return true;
		(void)cpu_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	}
	return false;
}

static void unlock(void)
{
	atomic_store_explicit(&patching, false, memory_order_release);
}

void attach_deepbind(void)
{
	if (deep || shim.injected)
		return;
	deep = true;
	names_made = false;
}

uint32_t attach_patch(void)
{
	uint32_t patched = 0;

	make_names();
	/* Before our lock: these look-ups take the loader's, which a thread may hold that waits for ours. */
	const bool libraries = patch_find(), allocations = alloc_find();

	if ((!libraries && !allocations && !shim.injected && !deep) || !lock())
		return 0;
	refresh_names();
	if (!slots) {
		const long p = cpu_syscall(SYS_mmap, 0, (long)(SLOTS_MAX * sizeof(*slots)), PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		slots = p < 0 && p > -4096 ? NULL : (struct slot *)p;
	}
	if (slots) {
		forget_unloaded();
		(void)dl_iterate_phdr(patch_one, &patched);
	}
	unlock();
	return patched;
}

static int restore_one(struct dl_phdr_info *info, size_t size, void *arg)
{
	uint32_t *const restored = arg;
	struct object o;

	(void)size;
	read_object(&o, info);
	for (uint32_t i = 0; i < slots_count; i++) {
		struct slot *const s = &slots[i];
		uintptr_t expected = s->hook;

		if (s->base != o.base || s->object != o.name || (uintptr_t)s->at < o.start || (uintptr_t)s->at >= o.end ||
		    !writable(&o, s->at))
			continue;
		*restored += __atomic_compare_exchange_n(s->at, &expected, s->before, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	}
	protect(&o);
	return 0;
}

static uint32_t restore(void)
{
	uint32_t restored = 0;

	(void)lock(); /* if it cannot be had, its owner is no more */
	if (slots) {
		forget_unloaded();
		(void)dl_iterate_phdr(restore_one, &restored);
		slots_count = 0;
		(void)cpu_syscall(SYS_munmap, (long)slots, (long)(SLOTS_MAX * sizeof(*slots)), 0, 0, 0, 0);
		slots = NULL;
	}
	unlock();
	return restored;
}

/* Put in by way of a descriptor, the library has a name in the loader's list that debuggers would open in themselves: a pipe of their own,
 * where they wait for ever. It gets the name of its file. */
static void take_name(const char *library)
{
	static char name[sizeof(((struct wire_attach *)0)->library)] = "libgapscope.so";
	struct link_map *self = NULL;
	Dl_info info;

	if (library[0])
		memcpy(name, library, strnlen(library, sizeof(name) - 1) + 1);
	if (dladdr1 && dladdr1((void *)attach_entry, &info, (void **)&self, RTLD_DL_LINKMAP) && self)
		self->l_name = name;
}

__attribute__((visibility("hidden"), used)) void attach_entry(struct wire_attach *a)
{
	a->result = session_attach(a);
	if (a->result != 0)
		return;
	take_name(a->library);
	session_announce();
	if (alloc_wanted())
		alloc_table_clear();
	/* Slots change one after the other while other threads run: what the first ones lead to must not speak while the last ones do not, or a
	 * socket would be seen to be made, and not what was set of it. What is open when all speak, the agent looks up. */
	session_off();
	a->slots = attach_patch();
	session_on();
	timers_announce();
	alloc_announce();
}

__attribute__((visibility("hidden"), used)) void detach_entry(struct wire_attach *a)
{
	session_off(); /* all at once, too */
	a->slots = restore();
	session_detach();
	a->result = 0;
}
