/*
 * A goroutine of a running Go program that waits: who called its wait, by frame pointers. It may go on while it is read, so the stack may end
 * anywhere. Reads memory only; any thread.
 */
#ifndef GAPSCOPE_COMMANDS_GO_GOROUTINE_H
#define GAPSCOPE_COMMANDS_GO_GOROUTINE_H

#include <stdbool.h>
#include <stdint.h>

#define GO_CALLERS 32U

/* From the inside, up to the first 0: addresses behind calls. False if at `at` there is no goroutine (runtime.g). */
bool go_goroutine_callers(uint32_t pid, uint64_t at, uint64_t callers[GO_CALLERS]);

#endif
