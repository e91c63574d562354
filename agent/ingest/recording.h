/*
 * Recordings: events (with their stacks) in a file, to be replayed. Format: wire/recording_format.h. Log payloads are stored redacted:
 * the writer is given a function that masks the bytes of sinks in place before they are written.
 */
#ifndef GAPSCOPE_INGEST_RECORDING_H
#define GAPSCOPE_INGEST_RECORDING_H

#include <stdbool.h>

#include "core/counters.h"
#include "core/event.h"
#include "core/stacks.h"

struct recording_info {
	uint64_t start_ns; /* session start, Unix ns */
	uint64_t seed;
	char service[256];
	bool raw_logs; /* log payloads were stored unredacted, on the user's word */
};

/* Counters as they stood at the end of the recorded session: published, lost by cause, truncated bytes. */
struct recording_totals {
	uint64_t events, published, truncated_bytes, end_ns;
	uint64_t lost[WIRE_LOSS_CAUSES];
	uint64_t limits[LIMIT_REACHED_N]; /* how often each limit was reached: some only show in a live session */
	bool has_limits;                  /* read only: the oldest recordings have none */
};

struct recording_writer;
int recording_create(const char *path, const struct recording_info *info, const struct stacks *stacks,
		     struct recording_writer **ret);
/* Append an event; stacks that it names are written before it. 0 or -errno (ENOSPC …); after an error later calls return it too. */
int recording_write(struct recording_writer *w, const struct event *e);
/* Write totals and the end mark, fsync, close. Frees w. */
int recording_close(struct recording_writer *w, const struct recording_totals *t);

typedef void (*recording_fn)(void *ctx, const struct event *e);
/* Read a whole recording: fill `stacks`, call fn for each event in order. 0, or -errno with one line in err that names the offset and
 * what is wrong (truncated, checksum, version …). fn has been called for everything before the damage. */
int recording_read(const char *path, struct recording_info *ret_info, struct stacks *stacks, recording_fn fn, void *ctx,
		   struct recording_totals *ret_totals, char *err, size_t err_size);
/* The same over bytes in memory, for the fuzzer. */
int recording_parse(const uint8_t *bytes, size_t len, struct recording_info *ret_info, struct stacks *stacks, recording_fn fn,
		    void *ctx, struct recording_totals *ret_totals, char *err, size_t err_size);
/* Head only (service, seed, start), without reading events. */
int recording_info(const char *path, struct recording_info *ret, char *err, size_t err_size);

#endif
