/*
 * Since when a thread of another process waits, as the scheduler knows it (/proc/PID/task/TID/sched: when it last stopped running). The
 * scheduler's clock stands still while a hypervisor has the processor, and each processor has its own: so the caller's thread goes to that
 * processor for a moment and looks at both clocks there. What was stolen since then makes the answer late, never early. Any thread; keeps for
 * a moment what was seen of a processor.
 */
#ifndef GAPSCOPE_CORE_PROCESS_ASLEEP_H
#define GAPSCOPE_CORE_PROCESS_ASLEEP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* CLOCK_MONOTONIC, in ns. False, and nothing is known, where the kernel does not say it or this thread may not go there. Of a thread that runs it says nothing of
 * use. */
bool process_asleep_since(pid_t pid, pid_t tid, uint64_t *ret_ns);

#endif
