/*
 * Ingest: the shared memory's owner and the rings' consumer. Turns records into events: time, order, stacks, losses.
 *
 * Used by `run` and (later) `attach`. Everything happens on the caller's thread, in ingest_poll.
 */
#ifndef GAPSCOPE_INGEST_INGEST_H
#define GAPSCOPE_INGEST_INGEST_H

#include <stdbool.h>

#include "core/counters.h"
#include "core/event.h"
#include "core/stacks.h"
#include "sample/sample.h"
#include "wire/shared.h"

struct ingest_options {
	uint32_t process_max, thread_max, ring_bytes; /* 0 = default; ring_bytes is rounded up to a power of two */
	uint32_t scan_percent;                        /* of one processor, for reading logs; 0 = default */
	uint32_t alloc_mean;                          /* sample an allocation every so many bytes, on average; 0 = watch none */
	uint32_t alloc_first; /* more often at first, then less up to alloc_mean (alloc_pace.h); 0 = alloc_mean at once */
	bool stacks;          /* take and resolve stack snapshots */
	bool samples;         /* sample the resources of watched processes (sample/sample.h) */
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
/* The service has been asked to end: what it closes from now on it does not give up. A STOPPING event as of now. */
void ingest_tell_stopping(struct ingest *in);
/* Kill switch: hooks pass through from now on. */
void ingest_disable(struct ingest *in);
/* Set the policy byte of a descriptor of a process, for what was seen of it at seen_ns: if its number was given to another one since,
 * nothing is set. Unknown pids are ignored. */
void ingest_set_policy(struct ingest *in, uint32_t pid, int fd, uint8_t policy, uint64_t seen_ns);
/* The shim is about to be put into `pid`. Returns what it is to write into wire_process.pid_ns. */
uint32_t ingest_join(struct ingest *in, uint32_t pid);
/* The pid, as the agent knows it, of who has process slot i < process_max and is watched by it; 0 if nobody. */
uint32_t ingest_process(struct ingest *in, uint32_t i);
/* The pid of a program that a watched one started, and that has not spoken for so long since: the shim is not in it. Each once; 0 if there is none. */
uint32_t ingest_silent(struct ingest *in, uint64_t for_ns);
/* When the program in that slot began, by its first record (session time, or 0): a number that is another one with each program. */
uint64_t ingest_began_ns(const struct ingest *in, uint32_t i);
/* Is this thread in a call that a hook has seen begin? Numbers as the agent knows them. */
bool ingest_in_flight(const struct ingest *in, uint32_t pid, uint32_t tid);
/* Number of watched processes that are alive. */
unsigned int ingest_live(const struct ingest *in);
uint64_t ingest_now_ns(const struct ingest *in);

/* -- other sources: records that do not come through the shared memory (push.c). Times are CLOCK_MONOTONIC ns. -- */

#define INGEST_POLLS 2U
/* Called by each ingest_poll before it looks at its rings: there the source pushes what it has. With `drain`, all of it. `fn` NULL: the source
 * with this ctx ends. More than INGEST_POLLS are not asked. */
void ingest_on_poll(struct ingest *in, void (*fn)(void *ctx, bool drain), void *ctx);
/* Tell of each socket that a round of samples comes across, and of the round's end (sample/sample.h). */
void ingest_on_found(struct ingest *in, sample_found_fn fn, void *ctx);
/* Session time where CLOCK_MONOTONIC is 0. */
uint64_t ingest_wall_ns(const struct ingest *in);
/* A process that the shim is not in gets a slot: so its end is seen, and ingest_live counts it. 0 or -ENOSPC. */
int ingest_adopt(struct ingest *in, uint32_t pid);
void ingest_push(struct ingest *in, uint32_t pid, uint32_t tid, const struct wire_record *r, const uint8_t *data);
/* Where a call site is: behind this, records of `pid` with that site have this stack. */
struct ingest_stack {
	uint64_t mono_ns;
	uint32_t site;
	const struct wire_stack *stack; /* registers; stack->bytes_len bytes of stack */
	const uint8_t *bytes;
	const uint64_t *pcs; /* by frame pointers, innermost first: used where the snapshot cannot be unwound */
	size_t pcs_n;
};
void ingest_push_stack(struct ingest *in, uint32_t pid, const struct ingest_stack *s);
/* `more` records were lost by the source. */
void ingest_push_lost(struct ingest *in, enum wire_loss cause, uint64_t more);

#endif
