/*
 * Least privilege: once the probes are loaded, the agent gives up all that reading what they say does not need. Main thread, before there are
 * others.
 */
#ifndef GAPSCOPE_PROBES_PRIVILEGES_H
#define GAPSCOPE_PROBES_PRIVILEGES_H

#include <stdbool.h>

/* Keep, of the capabilities that this process has, only those to look at other processes, to signal them and to write files where the user may
 * (CAP_SYS_PTRACE, CAP_KILL, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH). What it starts is not affected: an exec by root brings all of them back.
 * 0 or -errno. */
int privileges_drop(void);
/* Does this process have the capability (CAP_BPF, …) in effect? */
bool privileges_have(unsigned int capability);

#endif
