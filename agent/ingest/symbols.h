/*
 * Names of code: function (C++'s and Rust's as their sources have them), source file and line of an address in a program file, by elfutils; of Go programs by their own table. Knows separate debug files under
 * /usr/lib/debug by build id, and the small symbol table of stripped Fedora-style binaries. Never asks the network.
 *
 * Owner: modules.c, one per image; ingest's thread only.
 */
#ifndef GAPSCOPE_INGEST_SYMBOLS_H
#define GAPSCOPE_INGEST_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYMBOL_TEXT 256U

struct symbol {
	char function[SYMBOL_TEXT]; /* "" if unknown */
	char file[SYMBOL_TEXT];     /* "" if unknown */
	uint32_t line;
	uint64_t entry; /* where the function begins, by the same addresses; 0 if unknown */
	bool runtime;   /* the language's own library, in the program itself (Go, Rust, C++'s templates) */
};

struct symbols;

/* Symbols of the file open at `fd` (which stays the caller's). NULL if elfutils cannot read it. */
struct symbols *symbols_open(int fd, const char *path);
void symbols_free(struct symbols *s);
/* What lies at virtual address `vaddr` of the file. Fields that are not known are empty. Without `lines` only the function is looked up,
 * which needs no debug information: reading that of a C library takes tens of milliseconds. */
void symbols_find(struct symbols *s, uint64_t vaddr, bool lines, struct symbol *ret);
/* Does the code have frame pointers throughout? Go's does. */
bool symbols_have_frames(const struct symbols *s);
/* A function's name without what only the compiler or the linker added (".constprop.0", "@@GLIBC_2.2.5"), in place. */
void symbol_strip(char *name);

#endif
