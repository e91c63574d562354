/*
 * Which objects are loaded where: one MODULE record each, so that the agent can unwind and name the stacks it gets.
 *
 * Runs in the constructor and after a dlopen, never in another hook: dl_iterate_phdr takes the loader's lock.
 */
#include <link.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "preload/call.h"

#define BUILD_ID_MAX 64U
#define NOTE_ALIGN 4U

struct known {
	uintptr_t base;
	const char *name;
};

static struct known known[SHIM_MODULES]; /* guarded by the loader's lock, which dl_iterate_phdr holds */
static unsigned int known_count;

static bool is_new(const struct dl_phdr_info *info)
{
	for (unsigned int i = 0; i < known_count; i++) {
		if (known[i].base == info->dlpi_addr && known[i].name == info->dlpi_name)
			return false;
	}
	if (known_count == SHIM_MODULES)
		return false;
	known[known_count++] = (struct known){.base = info->dlpi_addr, .name = info->dlpi_name};
	return true;
}

static uint32_t read_build_id(const struct dl_phdr_info *info, const ElfW(Phdr) * p, uint8_t *to)
{
	const uint8_t *at = (const uint8_t *)(info->dlpi_addr + p->p_vaddr);
	const uint8_t *const end = at + p->p_memsz;

	while ((size_t)(end - at) > sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)(const void *)at;
		const uint64_t name_len = (note->n_namesz + NOTE_ALIGN - 1) & ~(uint64_t)(NOTE_ALIGN - 1);
		const uint64_t desc_len = (note->n_descsz + NOTE_ALIGN - 1) & ~(uint64_t)(NOTE_ALIGN - 1);
		const uint8_t *const name = at + sizeof(*note);

		if (name_len + desc_len > (uint64_t)(end - name))
			return 0;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(name, "GNU", 4) == 0 &&
		    note->n_descsz <= BUILD_ID_MAX) {
			memcpy(to, name + name_len, note->n_descsz);
			return note->n_descsz;
		}
		at = name + name_len + desc_len;
	}
	return 0;
}

static bool is_own(const struct dl_phdr_info *info)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uintptr_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && session_is_own(start, start + p->p_memsz))
			return true;
	}
	return false;
}

static uint32_t absolute_path(const struct dl_phdr_info *info, char *to, uint32_t size)
{
	char full[SHIM_PATH_BYTES];
	long n;

	/* Put in by way of a descriptor, this library has a name that means nothing to the agent. */
	if (shim.injected && session_library()[0] && is_own(info)) {
		n = (long)strnlen(session_library(), size);
		memcpy(to, session_library(), (size_t)n);
		return (uint32_t)n;
	}
	if (info->dlpi_name && info->dlpi_name[0]) {
		const char *name = info->dlpi_name;

		if (name[0] != '/' && strchr(name, '/') && realpath(name, full))
			name = full;
		n = (long)strnlen(name, size);
		memcpy(to, name, (size_t)n);
		return (uint32_t)n;
	}
	/* Only the program itself has no name. */
	n = cpu_syscall(SYS_readlinkat, -100 /* AT_FDCWD */, (long)"/proc/self/exe", (long)to, size, 0, 0);
	return n > 0 ? (uint32_t)n : 0;
}

static int announce_one(struct dl_phdr_info *info, size_t size, void *arg)
{
	uint8_t data[1 + BUILD_ID_MAX + 1024];
	struct call c = {.event = WIRE_MODULE, .fd = -1};
	uintptr_t end = 0;
	uint32_t id_len = 0;
	uint32_t len;

	(void)size;
	(void)arg;
	if (!is_new(info))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && info->dlpi_addr + p->p_vaddr + p->p_memsz > end)
			end = info->dlpi_addr + p->p_vaddr + p->p_memsz;
		if (p->p_type == PT_NOTE && !id_len)
			id_len = read_build_id(info, p, data + 1);
	}
	data[0] = (uint8_t)id_len;
	len = 1 + id_len;
	len += absolute_path(info, (char *)data + len, 1024);
	c.t0 = c.t1 = shim_ticks();
	c.a0 = info->dlpi_addr;
	c.a1 = end;
	emit(&c, data, len, len);
	return 0;
}

void modules_forget(void)
{
	known_count = 0;
}

void modules_announce(void)
{
	(void)dl_iterate_phdr(announce_one, NULL);
}
