/*
 * Does a process wait for bytes of one descriptor, and can do nothing else? Any thread; keeps nothing.
 */
#ifndef GAPSCOPE_ATTACH_READING_H
#define GAPSCOPE_ATTACH_READING_H

#include <stdbool.h>
#include <sys/types.h>

/* True if the only thread of `pid` is in a read of `fd`, or polls for it alone (/proc/PID/syscall, proc(5)). False also if that is not known. */
bool reading(pid_t pid, int fd);

#endif
