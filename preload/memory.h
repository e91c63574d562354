/*
 * The session's memory as this process maps it: the shared one, or a part of it, and beside it memory of the process's own that a forked
 * child finds empty. On the thread that loads the library, and on one that claims a slot.
 */
#ifndef GAPSCOPE_PRELOAD_MEMORY_H
#define GAPSCOPE_PRELOAD_MEMORY_H

#include "preload/shim.h"

/* Map the session's memory, over `over` (over_bytes long, or NULL) if it fits there. NULL: not to be had, or none of ours. */
struct wire_header *memory_map(int fd, void *over, size_t over_bytes, uint32_t *ret_threads, size_t *ret_bytes);
/* What this process keeps of its threads; NULL without memory. */
struct shim_private *memory_private(uint32_t threads, size_t *ret_bytes);
void memory_unmap(void *p, size_t bytes);
/* So many rings may be mapped under RLIMIT_AS; at least 1. */
uint32_t memory_rings_allowed(const struct wire_header *h);
/* Give back the rings of the slots from first to end that no thread of this process has: nobody can take them from now on. */
void memory_rings_leave(uint32_t first, uint32_t end);
/* Private memory in place of the shared one, in one step: threads that still look there see hooks that are switched off, and write where
 * nobody reads. */
void memory_cover(struct wire_header *h, size_t bytes);

#endif
