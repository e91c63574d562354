/*
 * The symbols of one program file in order of their addresses, since elfutils searches them from end to end: a large program has a hundred
 * thousand. Owner: symbols.c; ingest's thread only.
 */
#ifndef GAPSCOPE_INGEST_SYMTAB_H
#define GAPSCOPE_INGEST_SYMTAB_H

#include <elfutils/libdwfl.h>
#include <stddef.h>
#include <stdint.h>

struct symtab;

/* Of a module that outlives it. NULL: no memory, or nothing is named there. */
struct symtab *symtab_make(Dwfl_Module *module);
void symtab_free(struct symtab *t);
/* The symbol that holds `vaddr`: the innermost that has a size, else the nearest label below. Its name lives as long as the module; NULL: none. */
const char *symtab_find(const struct symtab *t, uint64_t vaddr, uint64_t *ret_entry);
size_t symtab_count(const struct symtab *t);

#endif
