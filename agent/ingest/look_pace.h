/*
 * When the agent looks at the rings again. Each look costs switches between processes and warm caches, the service's among them; a ring that
 * nobody looks at for too long overflows.
 *
 * While a service is busy the waits grow as far as its rings have room, unless there is something new: programs and call sites are to be named
 * while they are there. While it rests they grow with the rest, as far as what it did at its fastest would still have room. Owner: ingest.
 */
#ifndef GAPSCOPE_INGEST_LOOK_PACE_H
#define GAPSCOPE_INGEST_LOOK_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOK_MIN_MS 1U
#define LOOK_MAX_MS 100U
#define LOOK_BUSY_MAX_MS 16U

/* What one look found. */
struct look {
	uint64_t now_ns;
	uint64_t fullest, ring_bytes; /* bytes that waited in one ring, at most, and have room in one */
	size_t records;
	bool news; /* a program or a call site that is new */
	bool held; /* events wait in the window */
};

struct look_pace {
	uint64_t last_ns;     /* of the look before */
	uint64_t peak;        /* bytes a ms into one ring, the most lately */
	uint64_t aged_ns;     /* when the peak was lowered last */
	unsigned int wait_ms; /* what was said then */
	unsigned int calm;    /* looks in a row at a busy service whose rings had room, in time, without news */
	unsigned int idle_ms;
};

/* Milliseconds until the next look. */
unsigned int look_pace_wait(struct look_pace *p, const struct look *l);

#endif
