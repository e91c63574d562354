/*
 * How soon the thread that reads the rings gets a processor. On a busy machine it waits its turn among all others, and rings fill meanwhile. It
 * asks for short turns, and so has them sooner; of the processor it gets no larger share than anybody: the service comes first.
 */
#ifndef GAPSCOPE_COMMANDS_EAGER_H
#define GAPSCOPE_COMMANDS_EAGER_H

#include <stdbool.h>

/* For the calling thread, from now on; not for what it starts. False: the kernel does not know how (Linux before 6.12 knows, and ignores it). */
bool eager_start(void);

#endif
