/*
 * The system call that a thread of another process is in, as /proc/PID/task/TID/syscall says it (proc(5)). It may have returned by the time
 * that this is read. Any thread; keeps nothing.
 */
#ifndef GAPSCOPE_CORE_PROCESS_CALL_H
#define GAPSCOPE_CORE_PROCESS_CALL_H

#include <stdint.h>
#include <sys/types.h>

#define PROCESS_CALL_ARGS 6

enum process_call_state {
	PROCESS_CALL_NONE, /* it was stopped outside of a call, is gone, or may not be looked at */
	PROCESS_CALL_RUNS, /* it has a processor or waits for one: in a call or not, the kernel does not say */
	PROCESS_CALL_IN,   /* it waits in a call */
};

struct process_call {
	long nr; /* SYS_… */
	uint64_t args[PROCESS_CALL_ARGS];
	uint64_t sp, ip; /* stack pointer at the call, and where it returns to */
};

/* Fills *ret if, and only if, the answer is PROCESS_CALL_IN. */
enum process_call_state process_call(pid_t pid, pid_t tid, struct process_call *ret);

#endif
