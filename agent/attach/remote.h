/*
 * One thread of another process, borrowed for a few calls: seized where it waits in a harmless system call, made to call functions of
 * its own libc, and put back to make that system call again.
 *
 * The one that borrows is a process of its own (supervise.h), which nobody has a reason to kill. Should it be killed all the same, the
 * borrowed thread parks by itself: every borrowed call returns into the middle of libc's pause(), with all signals blocked. `struct remote`
 * lies in memory that is shared with whoever then puts the thread back, with remote_recover. No text of the process is written.
 *
 * The thread that calls remote_borrow is the tracer until remote_return.
 */
#ifndef GAPSCOPE_ATTACH_REMOTE_H
#define GAPSCOPE_ATTACH_REMOTE_H

#include <stdatomic.h>

#include "attach/regs.h"

#define REMOTE_FDS 4U

enum remote_phase {
	REMOTE_FREE = 0, /* nothing of the thread was changed */
	REMOTE_MASKED,   /* its signal mask was, and its registers may be */
};

/* Where things are in the target. */
struct remote_libc {
	uint64_t syscall;    /* function */
	uint64_t dlopen;     /* function */
	uint64_t park;       /* mov $SYS_pause,%eax; syscall */
	uint64_t errno_slot; /* where libc keeps errno's distance from the thread pointer */
	uint64_t restorer;   /* where signal handlers return to; 0 unknown */
};

struct remote {
	pid_t pid, tid;
	int mem; /* /proc/PID/mem, for reading at least; the same number in the guard and in its parent */
	struct remote_libc libc;
	_Atomic int phase; /* enum remote_phase */
	struct regs saved;
	uint64_t errno_at;
	int32_t errno_value;
	uint64_t scratch;                /* below the thread's own stack: for calls that need next to none */
	uint64_t stack, stack_bytes;     /* mapped for the others; 0 = not yet */
	_Atomic int32_t fds[REMOTE_FDS]; /* opened in the target by us, -1 = free */
	uint64_t stop_ns, running_ns;    /* when the thread was stopped, and when it ran on: CLOCK_MONOTONIC */
};

/* Find what is needed in the libc that the target has mapped at `base`. 0, or -ENOTSUP: another libc than we know. */
int remote_find_libc(int mem, uint64_t base, struct remote_libc *ret);
/*
 * Seize and stop a suitable thread of r->pid, within `limit_ms`. 0; -EPERM; -ESRCH: the process is gone; -EBUSY: no thread came to a
 * place where it can be borrowed; else -errno.
 */
int remote_borrow(struct remote *r, unsigned int limit_ms);
/* A system call of the target; its result. */
int64_t remote_syscall(struct remote *r, long number, const uint64_t args[6]);
/* Call a function there. 0, or -errno if the thread did not come back from it. */
int remote_call(struct remote *r, uint64_t function, uint64_t a0, uint64_t a1);
int remote_read(const struct remote *r, uint64_t at, void *to, size_t len);
int remote_write(const struct remote *r, uint64_t at, const void *from, size_t len);
/* Close what was opened, unmap the stack, put the thread back and let it go. */
int remote_return(struct remote *r);
/* In the guard's parent: the tracer is dead. Wait until the thread has parked, then the same. */
int remote_recover(struct remote *r);

#endif
