/* Mappings and program headers together say where a file lies. See loaded.h. */
#include "attach/loaded.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/maps.h"

#define SEGMENTS_MAX 64U
#define PAGE_MASK 4095ULL

struct segments {
	Elf64_Phdr all[SEGMENTS_MAX];
	size_t n;
};

struct telling {
	pid_t pid;
	loaded_fn fn;
	void *ctx;
	char last[PATH_MAX]; /* told already: the mappings of a file follow each other */
	int told;
};

static int read_segments(const char *path, struct segments *s)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	Elf64_Ehdr e;
	int r = -ENOEXEC;

	if (fd < 0)
		return -errno;
	if (pread(fd, &e, sizeof(e), 0) == (ssize_t)sizeof(e) && memcmp(e.e_ident, ELFMAG, SELFMAG) == 0 &&
	    e.e_ident[EI_CLASS] == ELFCLASS64 && e.e_phentsize == sizeof(Elf64_Phdr) && e.e_phnum <= SEGMENTS_MAX &&
	    e.e_phoff <= INT64_MAX) {
		const size_t bytes = e.e_phnum * sizeof(Elf64_Phdr);

		s->n = e.e_phnum;
		r = pread(fd, s->all, bytes, (off_t)e.e_phoff) == (ssize_t)bytes ? 0 : -ENOEXEC;
	}
	close(fd);
	return r;
}

static uint64_t end_of(const struct segments *s)
{
	uint64_t end = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->all[i].p_type == PT_LOAD && s->all[i].p_vaddr + s->all[i].p_memsz > end)
			end = s->all[i].p_vaddr + s->all[i].p_memsz;
	return end;
}

static void tell(loaded_fn fn, void *ctx, const char *path, uint64_t bias, const struct segments *s)
{
	uint8_t data[1 + PATH_MAX] = {0}; /* no build id: the file is as the process has it */
	const size_t n = strnlen(path, PATH_MAX - 1);
	const struct wire_record r = {
		.event = WIRE_MODULE, .units = 1, .fd = -1, .a0 = bias, .a1 = bias + end_of(s), .data_len = (uint32_t)(1 + n)};

	memcpy(data + 1, path, n);
	fn(ctx, &r, data);
}

static bool on_mapping(void *ctx, const struct mapping *m)
{
	struct telling *t = ctx;
	char path[PATH_MAX + 32];
	struct segments s = {.n = 0};

	if (!m->execute || m->path[0] != '/' || strcmp(m->path, t->last) == 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)t->pid, m->path);
	if (read_segments(path, &s) < 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		const Elf64_Phdr *p = &s.all[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || (p->p_offset & ~PAGE_MASK) != m->offset)
			continue;
		memcpy(t->last, m->path, sizeof(t->last));
		t->told++;
		tell(t->fn, t->ctx, m->path, m->start - (p->p_vaddr & ~PAGE_MASK), &s);
		break;
	}
	return false;
}

int loaded_tell(pid_t pid, loaded_fn fn, void *ctx)
{
	struct telling t = {.pid = pid, .fn = fn, .ctx = ctx};
	const int r = maps_walk(pid, on_mapping, &t);

	return r < 0 ? r : t.told;
}

int loaded_program(const char *path, uint64_t code, loaded_fn fn, void *ctx)
{
	uint64_t lowest = UINT64_MAX;
	struct segments s = {.n = 0};
	const int r = read_segments(path, &s);

	if (r < 0)
		return r;
	for (size_t i = 0; i < s.n; i++)
		if (s.all[i].p_type == PT_LOAD && (s.all[i].p_flags & PF_X) && s.all[i].p_vaddr < lowest)
			lowest = s.all[i].p_vaddr;
	if (lowest == UINT64_MAX || code < lowest)
		return -ENOEXEC;
	tell(fn, ctx, path, code - lowest, &s);
	return 0;
}

int loaded_offset(const char *path, uint64_t vaddr, uint64_t *ret)
{
	struct segments s = {.n = 0};
	const int e = read_segments(path, &s);

	if (e < 0)
		return e;
	for (size_t i = 0; i < s.n; i++) {
		const Elf64_Phdr *p = &s.all[i];

		if (p->p_type != PT_LOAD || vaddr < p->p_vaddr || vaddr - p->p_vaddr >= p->p_filesz)
			continue;
		*ret = vaddr - p->p_vaddr + p->p_offset;
		return 0;
	}
	return -ENOENT;
}
