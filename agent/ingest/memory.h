/*
 * The session's shared memory: making it, and taking it away. Layout: wire/shared.h. Owned by ingest.
 */
#ifndef GAPSCOPE_INGEST_MEMORY_H
#define GAPSCOPE_INGEST_MEMORY_H

#include "ingest/clock.h"
#include "ingest/ingest.h"

struct memory {
	struct wire_header *header;
	size_t size;
	int fd;
};

/* A sparse, sealed memfd, laid out and mapped. -EINVAL for sizes beyond the limits; *ret is untouched on failure. */
int memory_make(const struct ingest_options *o, const struct tick_clock *c, struct memory *ret);
void memory_done(struct memory *m);

#endif
