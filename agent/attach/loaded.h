/*
 * What a process has loaded, for one that cannot say so itself: as the MODULE events that the shim would send. Reads /proc and program files;
 * nothing in the process is touched. Any thread.
 */
#ifndef GAPSCOPE_ATTACH_LOADED_H
#define GAPSCOPE_ATTACH_LOADED_H

#include <sys/types.h>

#include "wire/record.h"

typedef void (*loaded_fn)(void *ctx, const struct wire_record *module, const uint8_t *data);

/* A record MODULE for each program file that has code in the process (times are left 0). How many, or -errno. */
int loaded_tell(pid_t pid, loaded_fn fn, void *ctx);
/* The same for one program just started, whose lowest code lies at `code`: for processes that are gone before one can look. 0 or -errno. */
int loaded_program(const char *path, uint64_t code, loaded_fn fn, void *ctx);

/* Where in a program file the byte is that lies at a virtual address of it. 0 or -errno. */
int loaded_offset(const char *path, uint64_t vaddr, uint64_t *ret);

#endif
