/*
 * What processes are called in the agent's own pid namespace. The shim knows the number that its process has in its own namespace only;
 * a container's service has another one out here (pid_namespaces(7)). Programs that the agent started itself live in the agent's
 * namespace as far as anybody can tell: their wire_process.pid_ns is 0 and their numbers stand.
 *
 * A process that is gone before anybody asked has no number out here. It gets one that no process can have, so that what it did is
 * told apart from what others did.
 *
 * Owner: ingest. On the thread that calls ingest_poll.
 */
#ifndef GAPSCOPE_INGEST_PIDS_H
#define GAPSCOPE_INGEST_PIDS_H

#include <stdbool.h>
#include <stdint.h>

#define PIDS_UNKNOWN 0x80000000U /* set in the number of a process that has none out here */

struct pids;

struct pids *pids_new(void); /* NULL: no memory */
void pids_free(struct pids *p);
/* Inode number of a process's pid namespace; 0 if it is the agent's own, or cannot be seen. `pid` as the agent knows it. */
uint32_t pids_namespace(uint32_t pid);
/* Process `pid` out here is going to be watched: from now on its number in namespace `ns` (not 0) is known. */
void pids_know(struct pids *p, uint32_t ns, uint32_t pid);
/* The number out here of process `inner` of namespace `ns`, 0 of which is the agent's own. It is looked for among the children of
 * `parent`, a number of that namespace (0: not known), if that one is known; with `anywhere`, then, among all processes, some times a
 * second at most. */
uint32_t pids_outside(struct pids *p, uint32_t ns, uint32_t inner, uint32_t parent, bool anywhere, uint64_t now_ns);

#endif
