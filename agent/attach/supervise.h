/*
 * The supervisor: a process of ours that does nothing until the one that borrows a thread dies in the middle of it, and then puts that
 * thread back. Forked before the attach; it ends when it is told to, or after the rescue.
 */
#ifndef GAPSCOPE_ATTACH_SUPERVISE_H
#define GAPSCOPE_ATTACH_SUPERVISE_H

#include "attach/remote.h"

struct supervisor {
	pid_t pid;
	int life; /* closed by the kernel when we die, by us when all is well */
};

/* `r` lies in memory shared with the child. 0 or -errno. */
int supervise_start(struct remote *r, struct supervisor *ret);
void supervise_end(struct supervisor *s);

#endif
