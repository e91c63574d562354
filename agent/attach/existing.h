/*
 * Connections that a process had before it was watched: as the events that would have told of them, had we been there.
 *
 * Reads /proc/PID/fd and the target's own sockets through copies of their descriptors, which are closed at once. Any thread.
 */
#ifndef GAPSCOPE_ATTACH_EXISTING_H
#define GAPSCOPE_ATTACH_EXISTING_H

#include <sys/types.h>

#include "core/event.h"

typedef void (*existing_fn)(void *ctx, const struct event *e);

/*
 * Events with time `now_ns` for each descriptor of pid. Only OUTSTANDING and CONNECTING have times of their own, CLOCK_MONOTONIC ns: when it was
 * looked up (t1), and since when it is so (t0). The process goes on meanwhile, so such an event has its place among what it does. How many descriptors were told, or -errno. */
int existing_tell(pid_t pid, uint64_t now_ns, existing_fn fn, void *ctx);

#endif
