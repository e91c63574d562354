/*
 * The second way to watch, for `run` and `attach`: probes in the kernel, for programs that the shim cannot enter. Its records join the others
 * in ingest. Owner: the command; main thread.
 */
#ifndef GAPSCOPE_COMMANDS_PROBING_H
#define GAPSCOPE_COMMANDS_PROBING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "ingest/ingest.h"

struct probing;

/*
 * Load the probes and let ingest read them. With `own_children`, programs that this process starts are watched, except for those that will load
 * the shim. 0, or -errno with one line in why: then nothing is loaded.
 */
int probing_open(struct ingest *in, bool own_children, struct probing **ret, char *why, size_t size);
/* Says so, and, where allocations are to be watched, what that costs or why they are not. The length, as snprintf has it. */
int probing_says(const struct probing *p, const char *who, const char *why, char *text, size_t size);
/* Programs that are named in these arguments will be started: what must be in place before they begin is put there. p may be NULL. */
void probing_expect(struct probing *p, char *const *argv);
/* The shim will be in none of this process's children. p may be NULL. */
void probing_alone(struct probing *p);
/* Watch a running process and what it forks; what it had open before must be told by the caller. 0 or -errno with one line in why. */
int probing_watch(struct probing *p, pid_t pid, char *why, size_t size);
/* Is this process watched by probes? p may be NULL. */
bool probing_has(const struct probing *p, pid_t pid);
/* What to capture of a descriptor from now on, by what was seen of it at seen_ns (of events); p may be NULL. */
void probing_policy(struct probing *p, pid_t pid, int fd, uint8_t policy, uint64_t seen_ns);
/* Give up the privileges that only loading needed. After what must be started has been. */
void probing_settle(const struct probing *p);
/* Unload; before ingest is freed. */
void probing_close(struct probing *p);

#endif
