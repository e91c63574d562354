/*
 * Does this kernel take a thread's restartable sequence out when it waits in a system call? See wire/rseq.h. Owned by ingest; any thread.
 */
#ifndef GAPSCOPE_INGEST_KEPT_H
#define GAPSCOPE_INGEST_KEPT_H

#include <stdbool.h>

/* Tries it: waits a few times, for less than a millisecond in all. */
bool kept_works(void);

#endif
