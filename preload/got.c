/*
 * Loaded objects, their slots, and the list of slots that lead to hooks. See got.h.
 *
 * `patching` guards the list and the table of names (hooked.h).
 */
#include "preload/got.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>

#include "preload/alloc.h"
#include "preload/hooked.h"
#include "preload/patch.h"

#pragma weak gnu_get_libc_version /* musl has none, and is never attached to (session.c) */
extern const char *gnu_get_libc_version(void);

#define SLOTS_MAX 65536U
#define PAGE_BYTES 4096UL
#define LOCK_YIELDS 100000U

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

static struct slot *slots; /* SLOTS_MAX of them, mapped at the first attach; pages are used as slots are */
static uint32_t slots_count;
static _Atomic bool patching;
static unsigned long long unloads; /* objects unloaded so far: slots of such are forgotten */

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
static bool is_kept(const struct object *o, const struct hooked *n)
{
	if (n->alloc < 0)
		return o->libc;
	return (o->allocator && !o->libc) || (hooked_is_mapping(n) && (o->allocator || o->libc));
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
static bool leads_to(const struct object *o, const struct hooked *n, uint32_t type, uintptr_t value, const ElfW(Sym) * symbol)
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

static bool note_slot(const struct object *o, uintptr_t *at, uintptr_t before, const struct hooked *n)
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
	return hooked_maybe_real(value) || (type == CPU_RELOC_JUMP_SLOT && value >= o->start && value < o->end &&
					    (symbol->st_shndx == SHN_UNDEF || alloc_wanted()));
}

static uint32_t patch_table(struct object *o, const ElfW(Rela) * table, size_t first, size_t count)
{
	uint32_t patched = 0;

	for (size_t i = first; table && i < count; i++) {
		const uint32_t type = (uint32_t)ELF64_R_TYPE(table[i].r_info);
		const ElfW(Sym) *const symbol = &o->symbols[ELF64_R_SYM(table[i].r_info)];
		uintptr_t *const at = (uintptr_t *)(o->base + table[i].r_offset);
		const struct hooked *n;
		uintptr_t value;

		if ((type != CPU_RELOC_JUMP_SLOT && type != CPU_RELOC_GLOB_DAT && type != CPU_RELOC_ADDRESS) ||
		    ELF64_R_SYM(table[i].r_info) == 0 || (type == CPU_RELOC_ADDRESS && table[i].r_addend != 0) ||
		    (uintptr_t)at % sizeof(*at))
			continue;
		value = __atomic_load_n(at, __ATOMIC_RELAXED);
		if (!may_lead(o, type, value, symbol))
			continue;
		n = hooked_find(o->strings + symbol->st_name);
		if (!n || is_kept(o, n))
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

uint32_t got_patch(void)
{
	uint32_t patched = 0;

	/* Before our lock: these look-ups take the loader's, which a thread may hold that waits for ours. */
	const bool libc = hooked_begin(), libraries = patch_find(), allocations = alloc_find();

	if ((!libc && !libraries && !allocations) || !lock())
		return 0;
	hooked_refresh();
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

uint32_t got_restore(void)
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
