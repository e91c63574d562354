/*
 * The table that every Go program carries of its own functions (.gopclntab, since Go 1.18): names, where they begin, and the source line of
 * each instruction. It survives strip, because the program needs it itself. Bytes of the file are never trusted.
 *
 * Keeps a copy of the table: the file may change or go. Any thread, one at a time.
 */
#ifndef GAPSCOPE_INGEST_GOPCLNTAB_H
#define GAPSCOPE_INGEST_GOPCLNTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gopclntab;

/* The table of the ELF file open at `fd` (which stays the caller's). 0, or -ENOENT if it is not Go's, or another -errno. */
int gopclntab_open(int fd, struct gopclntab **ret);
/* The same from a section's bytes, which are copied; `text` is where .text begins, for files whose table does not say. */
int gopclntab_read(const uint8_t *bytes, size_t len, uint64_t text, struct gopclntab **ret);
void gopclntab_free(struct gopclntab *t);

struct gopclntab_place {
	const char *function; /* "main.(*server).checkout"; inlined ones count to their caller */
	const char *file;     /* "" if unknown */
	uint32_t line;        /* 0 if unknown */
	uint64_t entry;       /* virtual address where the function begins */
};

/* What is at virtual address `vaddr`; false if no function is. The texts live as long as the table. */
bool gopclntab_find(const struct gopclntab *t, uint64_t vaddr, struct gopclntab_place *ret);
/* Where the function called exactly `name` begins, as a virtual address of the file; 0 if there is none. */
uint64_t gopclntab_entry(const struct gopclntab *t, const char *name);
/* Where the function that begins at `entry` has given back its frame, and is about to return or to jump away: addresses by the program's own
 * table of frames, `max` at most. How many there are. */
size_t gopclntab_frameless(const struct gopclntab *t, uint64_t entry, uint64_t *ret, size_t max);
/* Is this a function of Go's own library or runtime, by its package's name? */
bool gopclntab_is_runtime(const char *function);

#endif
