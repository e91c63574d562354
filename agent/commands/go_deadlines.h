/*
 * What a Go program's runtime said of deadlines (bpf/go.h), turned into events DEADLINE: which descriptor's operation has which, and whether there
 * is any other timer that might end something.
 *
 * Three ways lead from a deadline to a descriptor: the runtime sets it there; net/http's round trip names its connection and the request's
 * context; a goroutine asks a context for its end (Done) and then writes. What cannot be tied to one counts as "others": while there is such a
 * timer, nothing is said not to have a deadline. The last of them is told; one that is far off only where there is no other. One for each process.
 * Bounded; main thread.
 */
#ifndef GAPSCOPE_COMMANDS_GO_DEADLINES_H
#define GAPSCOPE_COMMANDS_GO_DEADLINES_H

#include <stdbool.h>

#include "bpf/probe.h"
#include "commands/go_descriptors.h"
#include "commands/go_timers.h"
#include "ingest/gopclntab.h"
#include "wire/record.h"

struct go_deadlines;

struct go_sink {
	void (*say)(void *ctx, const struct wire_record *deadline); /* times are CLOCK_MONOTONIC's */
	/* A goroutine sleeps: SLEEP, or INFLIGHT while it does. `tid` stands for it. */
	void (*sleeps)(void *ctx, uint32_t tid, const struct wire_record *r);
	/* A goroutine waits to read from a descriptor, since before anybody watched. `body`: of an answer, of a known length. */
	void (*reads)(void *ctx, int fd, uint64_t now_ns, const uint64_t callers[GO_CALLERS], bool body);
	void *ctx;
};

/* Takes the table over, and frees it when it fails, too. `whole`: the process is watched from its start, so all timers are seen. NULL: no memory. */
struct go_deadlines *go_deadlines_new(struct gopclntab *t, bool whole);
void go_deadlines_free(struct go_deadlines *g);
/* The descriptor of a connection of this program, -1 if it is of an unknown kind. */
int go_deadlines_fd(const struct go_deadlines *g, const struct probe_go_conn *c);
/* Code lies so much above where its file says. */
void go_deadlines_moved(struct go_deadlines *g, uint64_t bias);
/* A call of kind PROBE_GO. `wall_ns` is CLOCK_REALTIME where CLOCK_MONOTONIC is 0. */
void go_deadlines_call(struct go_deadlines *g, const struct probe_call *c, const uint8_t *data, uint64_t wall_ns,
		       const struct go_sink *to);
/* A goroutine read (or wrote) a descriptor. */
void go_deadlines_moves(struct go_deadlines *g, const struct probe_call *c, bool reads, const struct go_sink *to);
/* The number of a descriptor is free, or another's. */
void go_deadlines_closed(struct go_deadlines *g, int fd);
/* A timer that was found in the runtime's heap, perhaps set before anybody watched. `first`: no look before has shown all of them. */
void go_deadlines_timer(struct go_deadlines *g, const struct go_timer *t, bool first, uint64_t now_ns, const struct go_sink *to);
/* What was found to be set for a descriptor. */
void go_deadlines_descriptor(struct go_deadlines *g, const struct go_descriptor *d, uint64_t now_ns, const struct go_sink *to);
/* All timers from before have been told by now. */
void go_deadlines_know_all(struct go_deadlines *g);
/* Time has passed: timers that were due are none any more. */
void go_deadlines_tick(struct go_deadlines *g, uint64_t now_ns, const struct go_sink *to);

#endif
