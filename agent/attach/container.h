/*
 * Containers and their labels, read where the runtimes keep them on file: Docker's config.v2.json, and the OCI specification that containerd,
 * CRI-O and Podman write for each container, whose annotations stand for labels. No daemon of theirs is asked.
 *
 * Any thread; looks only. `root` stands before every path ("" = this machine; a folder in tests).
 */
#ifndef GAPSCOPE_ATTACH_CONTAINER_H
#define GAPSCOPE_ATTACH_CONTAINER_H

#include <stdbool.h>
#include <sys/types.h>

#define CONTAINER_ID 65U /* 64 hexadecimal digits */

/* The id in a process's cgroup path: of the innermost container, if it is in one. */
bool container_id(const char *root, pid_t pid, char id[CONTAINER_ID]);
/* Has the container this label? "KEY" with any value, or "KEY=VALUE", where VALUE may be a pattern as in a shell. */
bool container_has_label(const char *root, const char *id, const char *label);

#endif
