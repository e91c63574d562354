/*
 * What kind of program a file is: can the shim watch it? Looks at the file only, and runs nothing.
 */
#ifndef GAPSCOPE_COMMANDS_TARGET_H
#define GAPSCOPE_COMMANDS_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum target_kind {
	TARGET_WATCHABLE,
	TARGET_STATIC,    /* no dynamic loader, so no preload: static C, most of Go */
	TARGET_SETUID,    /* the loader ignores preloads */
	TARGET_FOREIGN,   /* another processor or word size than ours */
	TARGET_GO,        /* makes its own system calls, whichever libraries it has */
	TARGET_MUSL,      /* another C library than the shim was built for */
	TARGET_ALLOCATOR, /* dynamic, with an allocator of its own: where allocations are to be watched (alloc_watch_wants) */
	TARGET_OTHER,     /* neither ELF nor script: the kernel will say */
};

struct target {
	char path[PATH_MAX];   /* of the program, as execvp would find it */
	char binary[PATH_MAX]; /* what runs in the end: the interpreter of a script */
	enum target_kind kind;
};

/* Find a program as execvp does, and look at it. 0, or -errno with one line in err (missing, not executable). */
int target_find(const char *program, struct target *ret, char *err, size_t err_size);
/* Each program that is named in these arguments, as a whole or as a word of one (a shell's). */
void target_each(char *const *argv, void (*fn)(void *ctx, const struct target *t), void *ctx);
/* One sentence on why the shim cannot watch it; NULL for TARGET_WATCHABLE. */
const char *target_why(enum target_kind kind);
/* Does it do little but start another program: a shell, `env`, an init? What it starts may be of another kind. */
bool target_launches(const struct target *t);
/* Can probes in the kernel (eBPF) watch it, where the shim cannot? */
bool target_probes(enum target_kind kind);

#endif
