/*
 * Another process's memory, as it is this moment: it may change, or be gone, and is not to be trusted. Any thread; keeps nothing.
 */
#ifndef GAPSCOPE_CORE_PROCESS_MEMORY_H
#define GAPSCOPE_CORE_PROCESS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Copy `bytes` at `from` in the process. False if not all of them can be read. */
static inline bool process_memory_read(uint32_t pid, uint64_t from, void *to, size_t bytes)
{
	const struct iovec local = {to, bytes}, remote = {(void *)(uintptr_t)from, bytes};

	return process_vm_readv((pid_t)pid, &local, 1, &remote, 1, 0) == (ssize_t)bytes;
}

#endif
