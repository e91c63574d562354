/*
 * Ingest: the shared memory's owner and the rings' consumer. Turns records into events: time, order, stacks, losses.
 *
 * Used by `run` and (later) `attach`. Everything happens on the caller's thread, in ingest_poll.
 */
#ifndef GAPSCOPE_INGEST_INGEST_H
#define GAPSCOPE_INGEST_INGEST_H

#include "core/counters.h"
#include "core/event.h"
#include "core/stacks.h"
#include "wire/shared.h"

struct ingest_options {
	uint32_t process_max, thread_max, ring_bytes; /* 0 = default; ring_bytes is rounded up to a power of two */
	bool stacks;                                  /* take and resolve stack snapshots */
};

struct ingest;
typedef void (*ingest_fn)(void *ctx, const struct event *e);

/* Make the shared memory and calibrate the clock. 0 or -errno; *ret untouched on failure. */
int ingest_new(const struct ingest_options *o, struct stacks *stacks, struct counters *counters, struct ingest **ret);
void ingest_free(struct ingest *in);
/* The memfd, for GAPSCOPE_SESSION (/proc/<our pid>/fd/<it>). Owned by ingest. */
int ingest_fd(const struct ingest *in);
struct wire_header *ingest_shared(struct ingest *in);
/* Read all rings, and hand on in order what is older than the reordering window (all of it if `drain`). Adds TICK, INFLIGHT, LOSS and
 * PROCESS_GONE events. Returns the number of records read; *ret_busy_ms is how long to wait before the next call (1 … 100). */
size_t ingest_poll(struct ingest *in, bool drain, ingest_fn fn, void *ctx, unsigned int *ret_wait_ms);
/* Kill switch: hooks pass through from now on. */
void ingest_disable(struct ingest *in);
/* Set the policy byte of a descriptor of a process; unknown pids are ignored. */
void ingest_set_policy(struct ingest *in, uint32_t pid, int fd, uint8_t policy);
/* Number of watched processes that are alive. */
unsigned int ingest_live(const struct ingest *in);
uint64_t ingest_now_ns(const struct ingest *in);

#endif
