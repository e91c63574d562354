/*
 * Allocations of the programs that the probes watch: where a program has its allocator linked into itself and names its functions, they are
 * sampled by probes, once what that costs was measured and can be said; of the others it is said why not. Owner: probing.c; main thread.
 */
#ifndef GAPSCOPE_COMMANDS_ALLOC_WATCH_H
#define GAPSCOPE_COMMANDS_ALLOC_WATCH_H

#include <sys/types.h>

#include "commands/target.h"
#include "ingest/ingest.h"
#include "probes/probes.h"

struct alloc_watch;

/* Does this program, which the shim could enter, have its allocator linked into itself? Then only the probes see its allocations. */
bool alloc_watch_wants(const struct target *t);
/* NULL where the session does not watch allocations, or without memory; all functions take NULL, and do nothing. */
struct alloc_watch *alloc_watch_new(struct probes *probes, struct ingest *in);
void alloc_watch_free(struct alloc_watch *w);
/* Programs of this file will be watched: probes into its allocator, if it has none yet. Needs the privileges that loading needs. */
void alloc_watch_expect(struct alloc_watch *w, const char *path);
/* The same for one that runs. */
void alloc_watch_begin(struct alloc_watch *w, pid_t pid);
/* What came of it, as the end of a sentence that begins with "; ", or "". Lives as long as w. */
const char *alloc_watch_says(const struct alloc_watch *w);
/* A process is watched from now on, `at_ns` (CLOCK_MONOTONIC): tells the session if its allocations are. `started`: the path of its program,
 * which has just begun; NULL: it runs already. */
void alloc_watch_tell(const struct alloc_watch *w, uint32_t pid, uint64_t at_ns, const char *started);
/* The distance of samples follows the session's. */
void alloc_watch_tick(const struct alloc_watch *w);

#endif
