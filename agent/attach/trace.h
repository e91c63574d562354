/*
 * Stops of one traced thread: waiting for the next, and what it is. For the thread that is its tracer.
 */
#ifndef GAPSCOPE_ATTACH_TRACE_H
#define GAPSCOPE_ATTACH_TRACE_H

#include <stdint.h>
#include <sys/types.h>

enum trace_stop {
	TRACE_INTERRUPTED, /* by our PTRACE_INTERRUPT */
	TRACE_GROUP,       /* SIGSTOP and the like: the process is to stop */
	TRACE_ENTRY,       /* of a system call */
	TRACE_EXIT,
	TRACE_SIGNAL, /* before a signal's delivery */
	TRACE_OTHER,
};

struct trace {
	enum trace_stop stop;
	int signal;
	int64_t number; /* TRACE_ENTRY: which call */
	int64_t result; /* TRACE_EXIT */
	uint64_t ip, sp;
};

/* Seize and ask it to stop. 0 or -errno. */
int trace_seize(pid_t tid);
int trace_interrupt(pid_t tid);
/* Let it run, up to the next system call's entry or exit if `calls`, delivering `signal` (0: none). */
int trace_resume(pid_t tid, int calls, int signal);
/* The next stop, if there is one: 0; -EAGAIN: not yet; -ESRCH: it is gone. */
int trace_poll(pid_t tid, struct trace *ret);
/* The next stop. 0; -ETIMEDOUT after limit_ms (0: none); -ESRCH: it is gone. */
int trace_wait(pid_t tid, unsigned int limit_ms, struct trace *ret);
/* While waiting for something that began at since_ns: soon again at first, then now and then. */
void trace_yield(uint64_t since_ns);
int trace_detach(pid_t tid, int signal);

#endif
