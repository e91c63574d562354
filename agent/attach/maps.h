/*
 * What is mapped in a process: /proc/PID/maps, line by line. Keeps nothing; any thread.
 */
#ifndef GAPSCOPE_ATTACH_MAPS_H
#define GAPSCOPE_ATTACH_MAPS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mapping {
	uint64_t start, end, offset, inode;
	bool read, write, execute;
	char path[PATH_MAX];
};

/* Called for each mapping; true ends the walk. */
typedef bool (*maps_fn)(void *ctx, const struct mapping *m);
/* 1 if fn ended the walk, 0 if it did not, or -errno. */
int maps_walk(pid_t pid, maps_fn fn, void *ctx);
/* One line into *ret; false if it is not one of a maps file. */
bool maps_line(const char *line, struct mapping *ret);
/* The last part of a path, without " (deleted)" being looked at. */
const char *maps_base(const char *path);

#endif
