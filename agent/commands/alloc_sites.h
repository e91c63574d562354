/*
 * Where probes may stand in the allocator of a program that has it linked into itself: its functions, found in the file's table of symbols.
 * Reads the file only; any thread.
 */
#ifndef GAPSCOPE_COMMANDS_ALLOC_SITES_H
#define GAPSCOPE_COMMANDS_ALLOC_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/probe.h"

#define ALLOC_SITES_MAX 16U

struct alloc_site {
	enum probe_alloc_what what;
	uint64_t offset; /* in the file */
};

/*
 * The allocator's functions in the program at `path`. How many; or -errno with one line in why: -ENOENT: it has no malloc with a name.
 * *ret_operators: C++'s operator new does not go through its malloc. It has no place: where it throws, a probe at its return would end
 * the program.
 */
int alloc_sites_find(const char *path, struct alloc_site ret[ALLOC_SITES_MAX], bool *ret_operators, char *why, size_t size);

#endif
