/*
 * Reading and searching an ELF image. See elf.h.
 */
#include "attach/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PHDRS_MAX 64U
#define NOTE_ALIGN 4U

struct header {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[PHDRS_MAX];
	unsigned int n;
};

static int read_header(int fd, uint64_t base, struct header *h)
{
	if (pread(fd, &h->ehdr, sizeof(h->ehdr), (off_t)base) != (ssize_t)sizeof(h->ehdr))
		return -EIO;
	if (memcmp(h->ehdr.e_ident, ELFMAG, SELFMAG) != 0 || h->ehdr.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->ehdr.e_phentsize != sizeof(Elf64_Phdr) || h->ehdr.e_phnum == 0 || h->ehdr.e_phnum > PHDRS_MAX)
		return -ENOEXEC;
	h->n = h->ehdr.e_phnum;

	const size_t bytes = h->n * sizeof(h->phdr[0]);

	return pread(fd, h->phdr, bytes, (off_t)(base + h->ehdr.e_phoff)) == (ssize_t)bytes ? 0 : -EIO;
}

/* Read each PT_LOAD segment to its place; from memory at base + vaddr, from a file at its offset. */
static int read_image(int fd, uint64_t base, bool memory, struct elf_image *ret)
{
	struct header h;
	uint64_t end = 0;
	int r = read_header(fd, base, &h);

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < h.n; i++) {
		if (h.phdr[i].p_type != PT_LOAD)
			continue;
		if (h.phdr[i].p_vaddr > ELF_IMAGE_MAX || h.phdr[i].p_memsz > ELF_IMAGE_MAX)
			return -EFBIG;
		if (h.phdr[i].p_vaddr + h.phdr[i].p_memsz > end)
			end = h.phdr[i].p_vaddr + h.phdr[i].p_memsz;
	}
	if (end < sizeof(Elf64_Ehdr) || end > ELF_IMAGE_MAX)
		return -EFBIG;

	uint8_t *bytes = calloc(1, end);

	if (!bytes)
		return -ENOMEM;
	for (unsigned int i = 0; i < h.n; i++) {
		const Elf64_Phdr *p = &h.phdr[i];

		if (p->p_type == PT_LOAD && p->p_filesz <= p->p_memsz &&
		    pread(fd, bytes + p->p_vaddr, p->p_filesz, (off_t)(memory ? base + p->p_vaddr : p->p_offset)) < 0) {
			r = -errno;
			free(bytes);
			return r;
		}
	}
	*ret = (struct elf_image){.base = base, .bytes = bytes, .size = end};
	return 0;
}

int elf_read_memory(int mem, uint64_t base, struct elf_image *ret)
{
	return read_image(mem, base, true, ret);
}

int elf_read_file(const char *path, struct elf_image *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;

	int r = read_image(fd, 0, false, ret);

	close(fd);
	return r;
}

void elf_done(struct elf_image *e)
{
	free(e->bytes);
	*e = (struct elf_image){0};
}

const uint8_t *elf_at(const struct elf_image *e, uint64_t address, size_t len)
{
	if (address < e->base || address - e->base > e->size || len > e->size - (address - e->base))
		return NULL;
	return e->bytes + (address - e->base);
}

/* Segment i; NULL behind the last. */
static const Elf64_Phdr *segment(const struct elf_image *e, unsigned int i)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)(const void *)e->bytes;

	if (!e->bytes || i >= h->e_phnum || h->e_phoff % sizeof(uint64_t))
		return NULL;
	return (const Elf64_Phdr *)(const void *)elf_at(e, e->base + h->e_phoff + i * sizeof(Elf64_Phdr), sizeof(Elf64_Phdr));
}

/* A value of the dynamic section; addresses are absolute in memory, where the loader has made them so. */
static uint64_t dynamic(const struct elf_image *e, int64_t tag)
{
	for (unsigned int i = 0; segment(e, i); i++) {
		const Elf64_Phdr *p = segment(e, i);

		if (p->p_type != PT_DYNAMIC)
			continue;
		for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= p->p_memsz; at += sizeof(Elf64_Dyn)) {
			const uint8_t *d = elf_at(e, e->base + p->p_vaddr + at, sizeof(Elf64_Dyn));
			Elf64_Dyn entry;

			if (!d)
				return 0;
			memcpy(&entry, d, sizeof(entry));
			if (entry.d_tag == tag)
				return entry.d_un.d_val < e->base ? entry.d_un.d_val + e->base : entry.d_un.d_val;
			if (entry.d_tag == DT_NULL)
				return 0;
		}
	}
	return 0;
}

uint64_t elf_function(const struct elf_image *e, const char *name)
{
	const uint64_t symbols = dynamic(e, DT_SYMTAB);
	const uint64_t strings = dynamic(e, DT_STRTAB);
	const size_t len = strlen(name) + 1;

	/* The string table lies behind the symbols, as every linker has it: that bounds them. */
	if (!symbols || strings <= symbols)
		return 0;
	for (uint64_t at = symbols; at + sizeof(Elf64_Sym) <= strings; at += sizeof(Elf64_Sym)) {
		const uint8_t *s = elf_at(e, at, sizeof(Elf64_Sym));
		const uint8_t *text;
		Elf64_Sym symbol;

		if (!s)
			return 0;
		memcpy(&symbol, s, sizeof(symbol));
		if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) != STT_FUNC)
			continue;
		text = elf_at(e, strings + symbol.st_name, len);
		if (text && memcmp(text, name, len) == 0)
			return e->base + symbol.st_value;
	}
	return 0;
}

uint64_t elf_find_code(const struct elf_image *e, uint64_t from, const uint8_t *code, size_t len)
{
	for (unsigned int i = 0; segment(e, i); i++) {
		const Elf64_Phdr *p = segment(e, i);
		const uint64_t start = e->base + p->p_vaddr > from ? e->base + p->p_vaddr : from;
		const uint64_t end = e->base + p->p_vaddr + p->p_filesz;
		const uint8_t *bytes =
			p->p_type == PT_LOAD && (p->p_flags & PF_X) && start < end ? elf_at(e, start, end - start) : NULL;
		const uint8_t *found = bytes ? memmem(bytes, end - start, code, len) : NULL;

		if (found)
			return start + (uint64_t)(found - bytes);
	}
	return 0;
}

static uint64_t up(uint64_t n)
{
	return (n + NOTE_ALIGN - 1) & ~(uint64_t)(NOTE_ALIGN - 1);
}

const uint8_t *elf_note(const struct elf_image *e, const char *name, uint32_t type, size_t *ret_len, uint64_t *ret_at)
{
	const size_t name_len = strlen(name) + 1;

	for (unsigned int i = 0; segment(e, i); i++) {
		const Elf64_Phdr *p = segment(e, i);
		uint64_t at = e->base + p->p_vaddr;
		const uint64_t end = at + p->p_memsz;

		if (p->p_type != PT_NOTE)
			continue;
		while (at + sizeof(Elf64_Nhdr) <= end) {
			const uint8_t *head = elf_at(e, at, sizeof(Elf64_Nhdr));
			Elf64_Nhdr note;

			if (!head)
				break;
			memcpy(&note, head, sizeof(note));

			const uint64_t text = at + sizeof(note);
			const uint64_t data = text + up(note.n_namesz);
			const uint8_t *contents = elf_at(e, data, note.n_descsz);
			const uint8_t *owner = elf_at(e, text, note.n_namesz);

			if (contents && owner && note.n_type == type && note.n_namesz == name_len &&
			    memcmp(owner, name, name_len) == 0) {
				*ret_len = note.n_descsz;
				*ret_at = data;
				return contents;
			}
			at = data + up(note.n_descsz);
		}
	}
	return NULL;
}
