/*
 * What happens to a ring's room once it was read: it goes back to the producer, in pieces, and the pages of rings that need little of it
 * go back to the kernel first.
 *
 * A ring is large, so that an agent that does not get a processor for a while loses nothing; but its producer walks through all of
 * it, however slowly. While room is held back nobody can write there: only then may its pages be freed. A thread that fills the ring fast
 * keeps its pages: freeing them would cost it a page fault each, more than a page's 64 records cost together. So do the first few slow ones:
 * most services have one or two threads that do the work. All on the thread that calls ingest_poll.
 */
#ifndef GAPSCOPE_INGEST_TRIM_H
#define GAPSCOPE_INGEST_TRIM_H

#include "ingest/internal.h"

#define TRIM_KEEP_BYTES (8U << 20) /* rings of slow threads that keep their pages, together */

/* Bytes behind tail that were read already. */
static inline uint64_t trim_held(const struct ingest *in, uint32_t slot)
{
	return in->slots[slot].held;
}
/* The next `bytes` were read; where captured bytes were among them they are wiped, by trim_end at the latest: no copy stays behind. */
void trim_read(struct ingest *in, uint32_t slot, uint64_t bytes, bool captured);
/* All of the ring is skipped, up to its head, and wiped. */
void trim_skip(struct ingest *in, uint32_t slot);
/* The ring was read to its end for now. */
void trim_end(struct ingest *in, uint32_t slot);
/* The slot's thread is gone and its ring is empty: all of it goes back. */
void trim_free(struct ingest *in, uint32_t slot);

#endif
