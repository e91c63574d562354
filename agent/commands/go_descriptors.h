/*
 * The deadlines of a running Go program's descriptors, where its runtime keeps them: the kernel's table of its epoll instance names for each
 * descriptor the runtime's note of it (runtime.pollDesc), and that note names itself and the descriptor, so no layout is believed unseen. Reads
 * /proc and memory only; any thread.
 */
#ifndef GAPSCOPE_COMMANDS_GO_DESCRIPTORS_H
#define GAPSCOPE_COMMANDS_GO_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "commands/go_goroutine.h"

struct go_descriptor {
	int fd;
	bool reader_known;            /* a goroutine waits to read from it */
	uint64_t read_due, write_due; /* CLOCK_MONOTONIC; 0: none, 1: over */
	uint64_t callers[GO_CALLERS]; /* of its wait */
};

typedef void (*go_descriptors_fn)(void *ctx, const struct go_descriptor *d);

/* A line of /proc/PID/fdinfo of an epoll instance. False if it is none that names a descriptor. */
bool go_descriptors_line(const char *line, int *ret_fd, uint64_t *ret_data);
/* What the runtime notes of a descriptor that is registered with this word. False if that is not Go's. */
bool go_descriptors_read(uint32_t pid, int fd, uint64_t data, struct go_descriptor *ret);
/* Each descriptor that the process's runtime waits for. */
void go_descriptors_each(uint32_t pid, go_descriptors_fn fn, void *ctx);

#endif
