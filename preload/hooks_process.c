/*
 * The life of processes: fork, exit, waiting for children, SIGALRM's disposition. Any thread of the watched process.
 *
 * vfork is not here and must not be: its child would return through our frame. What a vfork child calls is passed through.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/alloc.h"

/* In the parent: one FORK. In the child, which an atfork handler's calls may have set up already: a slot of its own. */
static void forked(struct call *c, pid_t pid)
{
	struct shim_tls *t = &shim_tls;

	if (pid == 0) {
		if (!atomic_load_explicit(&shim.private_mem->alive, memory_order_relaxed))
			session_child();
		t->fork_t0 = 0;
		return;
	}
	t->fork_t0 = 0;
	emit(c, NULL, 0, 0);
}

#define FORK(real) \
	do { \
		struct call c; \
		pid_t r; \
\
		if (!call_enter(&c, WIRE_FORK, -1) || session_is_shadow()) \
			return real; \
		call_begin(&c); \
		shim_tls.fork_t0 = c.t0; \
		r = real; \
		call_end(&c, r, r < 0); \
		forked(&c, r); \
		return r; \
	} while (0)

HOOK_FN(pid_t, fork, void)
{
	FORK(REAL(fork)());
}
HOOK_ALIAS(__fork, fork);
HOOK_ALIAS(__libc_fork, fork);

HOOK_FN(pid_t, _Fork, void)
{
	FORK(REAL(_Fork)());
}

static void exit_say(struct call *c, int status)
{
	atomic_store_explicit(&shim.exit_said, true, memory_order_relaxed);
	alloc_rest();
	call_begin(c);
	c->t1 = c->t0;
	c->ret = status;
	emit(c, NULL, 0, 0);
}

#define EXIT(name) \
	HOOK_FN(void, name, int status) \
	{ \
		struct call c; \
\
		if (call_enter(&c, WIRE_PROCESS_EXIT, -1) && !session_is_aside()) \
			exit_say(&c, status); \
		REAL(name)(status); \
		__builtin_unreachable(); \
	}
EXIT(exit)
EXIT(quick_exit)
EXIT(_exit)
EXIT(_Exit)

static void wait_begin(struct call *c, int options)
{
	if (!(options & WNOHANG))
		call_waits(c, -1);
	call_begin(c);
}

#define WAIT(options, status, real) \
	do { \
		struct call c; \
		pid_t r; \
\
		if (!call_enter(&c, WIRE_WAITPID, -1)) \
			return real; \
		wait_begin(&c, options); \
		r = real; \
		call_end(&c, r, r < 0); \
		if (r > 0 && (status)) \
			c.a0 = (uint64_t)(uint32_t) * (status); \
		emit(&c, NULL, 0, 0); \
		return r; \
	} while (0)

HOOK_FN(pid_t, wait, int *status)
{
	WAIT(0, status, REAL(wait)(status));
}
HOOK_ALIAS(__wait, wait);

HOOK_FN(pid_t, waitpid, pid_t pid, int *status, int options)
{
	WAIT(options, status, REAL(waitpid)(pid, status, options));
}
HOOK_ALIAS(__waitpid, waitpid);

HOOK_FN(pid_t, wait3, int *status, int options, struct rusage *usage)
{
	WAIT(options, status, REAL(wait3)(status, options, usage));
}

HOOK_FN(pid_t, wait4, pid_t pid, int *status, int options, struct rusage *usage)
{
	WAIT(options, status, REAL(wait4)(pid, status, options, usage));
}

HOOK_FN(int, waitid, idtype_t type, id_t id, siginfo_t *info, int options)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_WAITPID, -1))
		return REAL(waitid)(type, id, info, options);
	wait_begin(&c, options);
	r = REAL(waitid)(type, id, info, options);
	call_end(&c, r, r < 0);
	if (r == 0 && info) {
		c.ret = info->si_pid;
		c.a0 = (uint64_t)(uint32_t)info->si_status;
	}
	emit(&c, NULL, 0, 0);
	return r;
}

static void action_say(struct call *c, int number, uint64_t flags)
{
	c->a0 = (uint64_t)(uint32_t)number;
	c->a1 = flags;
	emit(c, NULL, 0, 0);
}

HOOK_FN(int, sigaction, int number, const struct sigaction *action, struct sigaction *old)
{
	struct call c;
	int r;

	if (number != SIGALRM || !action || !call_enter(&c, WIRE_SIGACTION, -1))
		return REAL(sigaction)(number, action, old);
	call_begin(&c);
	r = REAL(sigaction)(number, action, old);
	call_end(&c, r, r < 0);
	action_say(&c, number, action->sa_handler == SIG_IGN ? SA_RESTART : (uint64_t)(uint32_t)action->sa_flags);
	return r;
}
HOOK_ALIAS(__sigaction, sigaction);

HOOK_FN(sighandler_t, signal, int number, sighandler_t handler)
{
	struct call c;
	sighandler_t r;

	if (number != SIGALRM || !call_enter(&c, WIRE_SIGACTION, -1))
		return REAL(signal)(number, handler);
	call_begin(&c);
	r = REAL(signal)(number, handler);
	call_end(&c, r == SIG_ERR ? -1 : 0, r == SIG_ERR);
	action_say(&c, number, handler == SIG_DFL ? 0 : SA_RESTART);
	return r;
}
HOOK_ALIAS(bsd_signal, signal);
HOOK_ALIAS(ssignal, signal);
