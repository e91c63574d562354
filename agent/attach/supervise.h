/*
 * The guard: a process of ours that borrows a thread of another process, so that nobody who ends gapscope, in whatever way, ends the one
 * that traces it. It outlives us, comes to an end with what it does, and puts the thread back. Should it die itself, we put it back.
 */
#ifndef GAPSCOPE_ATTACH_SUPERVISE_H
#define GAPSCOPE_ATTACH_SUPERVISE_H

#include <stdbool.h>

#include "attach/remote.h"

/*
 * Call `work` in the guard and wait for its end. `r`, and what the work leaves for us in ctx, lie in memory that both share. 0; -EOWNERDEAD:
 * the guard died, and the thread was put back, if one was borrowed; else -errno: nothing was done.
 */
int supervise(struct remote *r, void (*work)(void *ctx), void *ctx);
/* In the guard: did we die meanwhile? What it has not yet begun is not wanted then. */
bool supervise_orphaned(void);

#endif
