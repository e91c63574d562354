/*
 * The session's counts of itself: what was seen, what was lost and why, which limits were reached. Exported as metrics and shown
 * in every report. One struct, owned by the session, passed down; plain integers, the session's thread only.
 */
#ifndef GAPSCOPE_CORE_COUNTERS_H
#define GAPSCOPE_CORE_COUNTERS_H

#include <stdint.h>

#include "wire/record.h"

/* LIMIT(NAME, "text"): limits that can be reached; add a row at the end (recordings count by position) to have it counted, reported and
 * exported. */
#define COUNTED_LIMITS(LIMIT) \
	LIMIT(PROCESSES, "processes") \
	LIMIT(CONNECTIONS, "connections") \
	LIMIT(FDS, "descriptors") \
	LIMIT(EPOLL, "epoll entries") \
	LIMIT(NAMES, "resolver names") \
	LIMIT(STACKS, "stacks") \
	LIMIT(STRINGS, "interned text") \
	LIMIT(REORDER, "events out of order") \
	LIMIT(FINDINGS, "findings") \
	LIMIT(PEERS, "peers") \
	LIMIT(OPERATIONS, "retry operations") \
	LIMIT(LINE, "log line bytes") \
	LIMIT(SINKS, "log sinks") \
	LIMIT(TAILS, "values divided over calls") \
	LIMIT(HEAD, "protocol head bytes") \
	LIMIT(PIPELINE, "pipelined requests") \
	LIMIT(SPANS, "spans queued") \
	LIMIT(SERIES, "metric series") \
	LIMIT(HEAP, "sampled allocations") \
	LIMIT(SLOTS, "places of numbers in log lines")

enum counted_limit {
#define LIMIT(name, text) LIMIT_REACHED_##name,
	COUNTED_LIMITS(LIMIT)
#undef LIMIT
		LIMIT_REACHED_N
};

struct counters {
	uint64_t published;              /* records that sources published and ingest read */
	uint64_t lost[WIRE_LOSS_CAUSES]; /* records that sources counted as lost */
	uint64_t truncated_bytes;        /* bytes a policy wanted and a record could not hold */
	uint64_t log_bytes_seen;         /* bytes written to log sinks */
	uint64_t log_bytes_read;         /* of these, scanned */
	uint64_t stacks_taken;
	uint64_t stacks_unresolved;                    /* snapshots that no frame came of */
	uint64_t protocol_resync;                      /* times a protocol lost its place */
	uint64_t requests_unseen;                      /* requests under way when it did, whose end is unknown */
	uint64_t retries_out;                          /* requests of the service that repeated one that had failed */
	uint64_t retries_in;                           /* incoming ones that did */
	uint64_t requests_in_good, requests_in_failed; /* incoming ones, by their answer */
	uint64_t limit[LIMIT_REACHED_N];
};

#endif
