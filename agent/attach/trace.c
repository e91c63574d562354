/*
 * ptrace and waitpid. See trace.h.
 */
#include "attach/trace.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/monotonic.h"

#define SYSCALL_STOP (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */
#define SPIN_NS 300000U               /* so long the processor is only yielded: most stops come within */
#define NAP_NS 30000

static long trace(long request, pid_t tid, uintptr_t addr, uintptr_t data)
{
	return syscall(SYS_ptrace, request, tid, addr, data) < 0 ? -errno : 0;
}

int trace_interrupt(pid_t tid)
{
	return (int)trace(PTRACE_INTERRUPT, tid, 0, 0);
}

int trace_seize(pid_t tid)
{
	const int r = (int)trace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACESYSGOOD);

	return r < 0 ? r : trace_interrupt(tid);
}

int trace_resume(pid_t tid, int calls, int signal)
{
	return (int)trace(calls ? PTRACE_SYSCALL : PTRACE_CONT, tid, 0, (uintptr_t)signal);
}

int trace_detach(pid_t tid, int signal)
{
	return (int)trace(PTRACE_DETACH, tid, 0, (uintptr_t)signal);
}

static int read_syscall(pid_t tid, struct trace *t)
{
	struct __ptrace_syscall_info info = {0};

	if (syscall(SYS_ptrace, PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) < 0)
		return -errno;
	t->ip = info.instruction_pointer;
	t->sp = info.stack_pointer;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		t->stop = TRACE_ENTRY;
		t->number = (int64_t)info.entry.nr;
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		t->stop = TRACE_EXIT;
		t->result = info.exit.rval;
	}
	return 0;
}

static int classify(pid_t tid, int status, struct trace *ret)
{
	const int event = status >> 16;
	struct trace t = {.stop = TRACE_OTHER, .signal = WSTOPSIG(status)};
	int r = 0;

	if (event == PTRACE_EVENT_STOP)
		t.stop = t.signal == SIGTRAP ? TRACE_INTERRUPTED : TRACE_GROUP;
	else if (t.signal == SYSCALL_STOP)
		r = read_syscall(tid, &t);
	else if (event == 0)
		t.stop = TRACE_SIGNAL;
	if (r == 0)
		*ret = t;
	return r;
}

int trace_poll(pid_t tid, struct trace *ret)
{
	int status;
	const pid_t got = waitpid(tid, &status, __WALL | WNOHANG);

	if (got == tid)
		return WIFSTOPPED(status) ? classify(tid, status, ret) : -ESRCH;
	return got < 0 && errno != EINTR ? -ESRCH : -EAGAIN;
}

void trace_yield(uint64_t since_ns)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};

	if (monotonic_ns() - since_ns < SPIN_NS)
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

int trace_wait(pid_t tid, unsigned int limit_ms, struct trace *ret)
{
	const uint64_t start = monotonic_ns();

	for (;;) {
		const int e = trace_poll(tid, ret);

		if (e != -EAGAIN)
			return e;
		if (limit_ms && monotonic_ns() - start > limit_ms * 1000000ULL)
			return -ETIMEDOUT;
		trace_yield(start);
	}
}
