/*
 * An ELF object: as it lies in another process's memory (its libc, where functions are to be found), or as a file (the shim and its
 * note). Read as a whole into our own memory and parsed there, every offset checked: the other process may hold anything.
 */
#ifndef GAPSCOPE_ATTACH_ELF_H
#define GAPSCOPE_ATTACH_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ELF_IMAGE_MAX (64U << 20)
#define ELF_BUILD_ID_MAX 64U

struct elf_image {
	uint64_t base; /* where it lies in the process; 0 for a file */
	uint8_t *bytes;
	size_t size; /* from base to the end of its last segment */
};

/* What lies at `base` in the process that `mem` (/proc/PID/mem) is of. Holes read as zeros. 0 or -errno. */
int elf_read_memory(int mem, uint64_t base, struct elf_image *ret);
/* A file, laid out as the loader would. */
int elf_read_file(const char *path, struct elf_image *ret);
void elf_done(struct elf_image *e);

/* Address (in the process) of a function in its dynamic symbol table, 0 if there is none. */
uint64_t elf_function(const struct elf_image *e, const char *name);
/* First place of a byte sequence in its executable segments, at or behind `from` (an address; 0: anywhere); 0 if there is none. */
uint64_t elf_find_code(const struct elf_image *e, uint64_t from, const uint8_t *code, size_t len);
/* Contents of a note, NULL if it has none such; *ret_at is their address. */
const uint8_t *elf_note(const struct elf_image *e, const char *name, uint32_t type, size_t *ret_len, uint64_t *ret_at);
/* Bytes of the image at an address, NULL if they do not lie in it. */
const uint8_t *elf_at(const struct elf_image *e, uint64_t address, size_t len);

#endif
