/*
 * The heaps of timers of a Go program that runs: one for each of its processors (runtime.p). Nothing stops it, so what is read may be half of one
 * moment and half of the next; whatever does not check is not known.
 *
 * No layout of a version is believed unseen. A processor is known by two of its parts that point into themselves: the cache of waiters
 * (sudogcache, a slice of the 128 places behind it) and the buffer of the write barrier (wbBuf, which names the end of its 512 words). Behind the
 * latter lie two counts, the lock and the heap: so from Go 1.17 to 1.26. Reads memory only; any thread.
 */
#ifndef GAPSCOPE_COMMANDS_GO_PROCESSORS_H
#define GAPSCOPE_COMMANDS_GO_PROCESSORS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct go_processors {
	uint64_t array; /* of pointers to them: what runtime.allp points to */
	size_t n;
	uint64_t lock; /* of the timers, in each */
};

/* What lies at an address: up to `bytes` of it. How many; 0 if nothing can be read there. */
size_t go_memory_read(uint32_t pid, uint64_t from, void *to, size_t bytes);

/* A slice is {address, length, capacity}: is it runtime.allp, for what its processors look like? 0 and *ret, or -ENOENT. */
int go_processors_check(uint32_t pid, const uint64_t slice[3], struct go_processors *ret);
/* Looks through the variables of the process's program. There may be copies of runtime.allp. 0; -ENOENT if there is none, or they differ; or
 * another -errno. */
int go_processors_find(uint32_t pid, struct go_processors *ret);

#endif
