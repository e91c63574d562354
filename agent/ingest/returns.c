/* See returns.h. The processor is x86-64: of another one, no return is known. */
#include "ingest/returns.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CODE_MAX 16384U
#define RET 0xc3
#define XOR 0x31
#define REGISTERS 0xc0 /* and above: both operands of it are registers */
#define REX 0x40
#define REX_MASK 0xf0
#define STACK_POINTER 7   /* DWARF's number */
#define RETURN_ADDRESS 8U /* the caller's frame begins so far above it where only the return address is left */

struct returns {
	int fd;
	Elf *elf;
	Dwarf_CFI *frames;
	uint8_t code[CODE_MAX]; /* of the last function */
};

int returns_open(const char *path, struct returns **ret)
{
	struct returns *r = calloc(1, sizeof(*r));
	GElf_Ehdr head;
	int e = -ENOMEM;

	if (r == NULL)
		return e;
	elf_version(EV_CURRENT);
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	e = -errno;
	if (r->fd < 0)
		goto fail;
	e = -ENOEXEC;
	r->elf = elf_begin(r->fd, ELF_C_READ, NULL);
	if (r->elf == NULL || gelf_getehdr(r->elf, &head) == NULL || head.e_machine != EM_X86_64)
		goto fail;
	r->frames = dwarf_getcfi_elf(r->elf);
	*ret = r;
	return 0;
fail:
	returns_close(r);
	return e;
}

void returns_close(struct returns *r)
{
	if (r == NULL)
		return;
	if (r->frames != NULL)
		dwarf_cfi_end(r->frames);
	elf_end(r->elf);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

static bool in_table(Elf *elf, Elf_Scn *section, const char *name, struct returns_function *ret)
{
	GElf_Shdr head;
	GElf_Sym sym;
	Elf_Data *data;

	if (gelf_getshdr(section, &head) == NULL || (head.sh_type != SHT_DYNSYM && head.sh_type != SHT_SYMTAB) ||
	    head.sh_entsize == 0)
		return false;
	data = elf_getdata(section, NULL);
	for (int i = 0; data != NULL && gelf_getsym(data, i, &sym) != NULL; i++) {
		const char *own;

		if (GELF_ST_TYPE(sym.st_info) != STT_FUNC || sym.st_shndx == SHN_UNDEF || sym.st_size == 0)
			continue;
		own = elf_strptr(elf, head.sh_link, sym.st_name);
		if (own == NULL || strcmp(own, name) != 0)
			continue;
		*ret = (struct returns_function){.entry = sym.st_value, .size = sym.st_size};
		return true;
	}
	return false;
}

int returns_find(const struct returns *r, const char *name, struct returns_function *ret)
{
	for (Elf_Scn *section = NULL; (section = elf_nextscn(r->elf, section)) != NULL;)
		if (in_table(r->elf, section, name, ret))
			return 0;
	return -ENOENT;
}

/* Read, not mapped: where a probe stands already, the kernel would put its trap into our mapping, too. */
const uint8_t *returns_code(struct returns *r, const struct returns_function *f)
{
	GElf_Phdr p;
	size_t n;

	if (f->size > CODE_MAX || elf_getphdrnum(r->elf, &n) != 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (gelf_getphdr(r->elf, (int)i, &p) == NULL || p.p_type != PT_LOAD || (p.p_flags & PF_X) == 0 ||
		    f->entry < p.p_vaddr || f->entry - p.p_vaddr >= p.p_filesz || f->size > p.p_filesz - (f->entry - p.p_vaddr))
			continue;
		return pread(r->fd, r->code, f->size, (off_t)(p.p_offset + (f->entry - p.p_vaddr))) == (ssize_t)f->size ? r->code
															: NULL;
	}
	return NULL;
}

/* Is nothing but the return address left on the stack? The row's end into *ret_end. */
static int frameless(const struct returns *r, uint64_t at, uint64_t *ret_end, bool *ret_is)
{
	Dwarf_Frame *frame;
	Dwarf_Addr start, end;
	Dwarf_Op *ops;
	size_t n;
	bool signal;
	int e = -ENOTSUP;

	if (r->frames == NULL || dwarf_cfi_addrframe(r->frames, at, &frame) != 0)
		return e;
	if (dwarf_frame_info(frame, &start, &end, &signal) >= 0 && dwarf_frame_cfa(frame, &ops, &n) == 0 && n == 1 && end > at) {
		*ret_end = end;
		*ret_is = ops[0].atom == DW_OP_bregx && ops[0].number == STACK_POINTER && ops[0].number2 == RETURN_ADDRESS;
		e = 0;
	}
	free(frame);
	return e;
}

/* Hardened code clears registers in front of a return: xor %reg,%reg, as many as there are. Where the return is; `len` if there is none. */
static size_t behind_clearing(const uint8_t *code, size_t len)
{
	size_t at = 0;

	for (;;) {
		const size_t prefix = at < len && (code[at] & REX_MASK) == REX ? 1 : 0;
		const uint8_t operands = at + prefix + 1 < len ? code[at + prefix + 1] : 0;

		if (operands == 0 || code[at + prefix] != XOR || operands < REGISTERS || (operands & 7) != (operands >> 3 & 7))
			break;
		at += prefix + 2;
	}
	return at < len && code[at] == RET ? at : len;
}

/*
 * A row without a frame begins where the function does, and at each return. In the first one, which may be longer, no byte may look like a return;
 * any other one must come to it at once, or else the function is left in another way (a jump), and not all of its ends would be seen.
 */
int returns_of(struct returns *r, const char *name, struct returns_function *ret)
{
	struct returns_function f;
	int e = returns_find(r, name, &f);
	const uint8_t *code = e == 0 ? returns_code(r, &f) : NULL;
	uint64_t end = 0;
	bool bare = false;

	if (e < 0)
		return e;
	if (code == NULL)
		return -ENOTSUP;
	for (uint64_t at = f.entry; at < f.entry + f.size; at = end) {
		if (frameless(r, at, &end, &bare) < 0)
			return -ENOTSUP;
		if (!bare)
			continue;
		if (at == f.entry) {
			if (end >= f.entry + f.size || memchr(code, RET, end - at) != NULL)
				return -ENOTSUP;
		} else {
			const size_t len = (end < f.entry + f.size ? end : f.entry + f.size) - at;
			const size_t in = behind_clearing(code + (at - f.entry), len);

			if (in == len || f.n == RETURNS_OF_ONE)
				return -ENOTSUP;
			f.at[f.n++] = at + in;
		}
	}
	if (f.n == 0)
		return -ENOTSUP;
	*ret = f;
	return 0;
}
