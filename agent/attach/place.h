/*
 * Where may a thread be borrowed? Only in a system call that no allocator and no loader makes under its locks, and not in a signal
 * handler, which may stand on top of anything.
 */
#ifndef GAPSCOPE_ATTACH_PLACE_H
#define GAPSCOPE_ATTACH_PLACE_H

#include <stdbool.h>

#include "attach/remote.h"

/* Is this call one of the list? `fd` is its first argument: read and write count for sockets, pipes and event descriptors
 * only, and connect for sockets on which sending has no limit. */
bool place_allowed(pid_t pid, long number, long fd);
/* Does the stack of the stopped thread hold the frame of a signal handler? */
bool place_in_handler(const struct remote *r, const struct user_regs_struct *general);

#endif
