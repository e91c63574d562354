/*
 * Names of a script's places: the function, file and line that a code object of a running CPython stands for, from what the shim told of them, or
 * else from the process's memory.
 *
 * What the process says is not trusted: sizes are bounded, and what is no code object has no name. Of a process that is
 * gone only what was told has one.
 * Owner: modules.c, one per process; ingest's thread only.
 */
#ifndef GAPSCOPE_INGEST_SCRIPT_H
#define GAPSCOPE_INGEST_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "ingest/symbols.h"
#include "wire/record.h"

struct script;

/* NULL when memory is out. */
struct script *script_new(uint32_t pid);
void script_free(struct script *s);
/* Learns the functions that these pieces (struct wire_piece, each with its bytes) are copies of. */
void script_learn(struct script *s, uint32_t version, const uint8_t *pieces, size_t len);
/* What frame `f` of an interpreter of this version is in. False if that is no function: unknown versions, the interpreter's own frames.
 * `runtime` says that it is of an installed package or of Python's own library; ret_module (SYMBOL_TEXT) gets the file's name, or the package's. */
bool script_find(struct script *s, uint32_t version, const struct wire_script_frame *f, struct symbol *ret, char *ret_module);

#endif
