/*
 * Calls that are watched for our own sake: a seccomp filter that may forbid our system calls, a limit of the address space, the smallest thread
 * stack, system calls made by number, and objects that are loaded later. Any thread of the watched process.
 */
#include <dlfcn.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "preload/call.h"
#include "preload/got.h"
#include "preload/hooked.h"
#include "preload/limit.h"

/* What a thread asks the kernel to forbid it. */
enum sandbox {
	SANDBOX_NONE,
	SANDBOX_FILTER, /* it may kill for a getpid: no system call of our own from now on */
	SANDBOX_TIME,   /* strict mode and PR_TSC_SIGSEGV: reading the time kills, too, so nothing can be recorded any more */
};

struct before_sandbox {
	bool quiet;
	bool on; /* and did this call switch it off? */
};

static enum sandbox sandbox_prctl(long option, long mode)
{
	if (option == PR_SET_SECCOMP)
		return mode == SECCOMP_MODE_STRICT ? SANDBOX_TIME : SANDBOX_FILTER;
	return option == PR_SET_TSC && mode == PR_TSC_SIGSEGV ? SANDBOX_TIME : SANDBOX_NONE;
}

static enum sandbox sandbox_syscall(long number, long first, long second)
{
	if (number == SYS_prctl)
		return sandbox_prctl(first, second);
	if (number != SYS_seccomp)
		return SANDBOX_NONE;
	return first == SECCOMP_SET_MODE_STRICT ? SANDBOX_TIME : first == SECCOMP_SET_MODE_FILTER ? SANDBOX_FILTER : SANDBOX_NONE;
}

static struct before_sandbox sandbox_enter(enum sandbox kind)
{
	/* Threads to come cannot open their rings any more. */
	memory_rings_open();

	const struct before_sandbox before = {.on = kind == SANDBOX_TIME && session_is_on(),
					      .quiet = atomic_exchange_explicit(&shim.quiet, true, memory_order_relaxed)};

	if (before.on)
		session_off();
	return before;
}

static void sandbox_refused(struct before_sandbox before)
{
	atomic_store_explicit(&shim.quiet, before.quiet, memory_order_relaxed);
	if (before.on)
		session_on();
}

HOOK_FN(int, prctl, int option, ...)
{
	struct before_sandbox before;
	enum sandbox kind;
	unsigned long a[4];
	va_list ap;
	int r;

	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	kind = sandbox_prctl(option, (long)a[0]);
	if (kind == SANDBOX_NONE)
		return REAL(prctl)(option, a[0], a[1], a[2], a[3]);
	before = sandbox_enter(kind);
	r = REAL(prctl)(option, a[0], a[1], a[2], a[3]);
	if (r != 0)
		sandbox_refused(before);
	return r;
}

/* A limit that this process has set itself. The kernel is asked for it: the program's pointer is not ours to follow. */
static void limit_set(long r, long pid, long resource)
{
	if (r == 0 && resource == RLIMIT_AS && (pid == 0 || pid == shim.pid))
		session_limited();
}

HOOK_FN(int, setrlimit, int resource, const struct rlimit *limit)
{
	const int r = REAL(setrlimit)(resource, limit);

	limit_set(r, 0, resource);
	return r;
}
HOOK_ALIAS(setrlimit64, setrlimit);

HOOK_FN(int, prlimit, pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old)
{
	const int r = REAL(prlimit)(pid, resource, limit, old);

	if (limit)
		limit_set(r, pid, resource);
	return r;
}
HOOK_ALIAS(prlimit64, prlimit);

HOOK_FN(int, pthread_create, pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
	struct call c;
	size_t bytes;
	int r;

	if (attr && pthread_attr_getstacksize(attr, &bytes) == 0) {
		size_t least = atomic_load_explicit(&shim.stack_min, memory_order_relaxed);

		while (bytes < least && !atomic_compare_exchange_weak_explicit(&shim.stack_min, &least, bytes, memory_order_relaxed,
									       memory_order_relaxed))
			;
	}
	if (!call_enter(&c, WIRE_THREAD_MADE, -1) || session_is_shadow())
		return REAL(pthread_create)(thread, attr, start, arg);
	call_begin(&c);
	r = REAL(pthread_create)(thread, attr, start, arg);
	call_end(&c, r, false);
	emit(&c, NULL, 0, 0);
	return r;
}

/* The record of a transfer that was asked for by number. */
static void transfer_say(struct call *c, const void *data, uint64_t asked, bool socket_call, int flags)
{
	const uint32_t len = c->ret > 0 && !call_drops(flags) ? call_want(c->policy, (uint64_t)c->ret) : 0;

	c->a0 = asked;
	c->flags = (uint16_t)((socket_call ? WIRE_F_SOCKET_CALL : 0) | (c->policy == WIRE_POLICY_SINK ? WIRE_F_SINK : 0));
	emit(c, data, len, len);
}

static bool transfer_enter(struct call *c, bool socket_call)
{
	const uint8_t policy = call_policy(c, socket_call);

	if (policy == WIRE_POLICY_NONE || (policy == WIRE_POLICY_SINK && c->event == WIRE_READ))
		return false;
	call_waits(c, -1);
	return true;
}

static enum wire_event event_of(long number)
{
	switch (number) {
	case SYS_read:
	case SYS_recvfrom:
		return WIRE_READ;
	case SYS_write:
	case SYS_sendto:
		return WIRE_WRITE;
	case SYS_close:
		return WIRE_CLOSE;
	default:
		return 0;
	}
}

/* A futex wait with a limit: how Rust's threads wait for each other. One without a limit says nothing that a report needs. */
static bool futex_waits(long number, const long a[6])
{
	const long op = a[1] & FUTEX_CMD_MASK;

	return number == SYS_futex && a[3] != 0 && (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET);
}

long hook_syscall(long number, ...) __asm__("syscall");

static long futex_wait(struct call *c, const long a[6])
{
	const struct timespec *const t = (const struct timespec *)a[3];
	int64_t limit = limit_timespec(t);
	long r;

	if ((a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET)
		limit = limit_until(a[1] & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, t);
	c->a0 = (uint64_t)a[0];
	c->a1 = (uint64_t)limit;
	call_waits(c, limit);
	call_begin(c);
	r = REAL(syscall)(SYS_futex, a[0], a[1], a[2], a[3], a[4], a[5]);
	call_end(c, r, r < 0);
	emit(c, NULL, 0, 0);
	return r;
}

HOOK_FN(long, syscall, long number, ...)
{
	const enum wire_event event = event_of(number);
	const bool socket_call = number == SYS_recvfrom || number == SYS_sendto;
	enum sandbox kind;
	struct call c;
	long a[6];
	va_list ap;
	long r;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	kind = sandbox_syscall(number, a[0], a[1]);
	if (kind != SANDBOX_NONE) {
		const struct before_sandbox before = sandbox_enter(kind);

		r = REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
		if (r != 0)
			sandbox_refused(before);
		return r;
	}
	if (futex_waits(number, a) && call_enter(&c, WIRE_COND_WAIT, -1))
		return futex_wait(&c, a);
	if (!event || !call_enter(&c, event, (int)a[0])) {
		r = REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
		if (number == SYS_prlimit64 && a[2])
			limit_set(r, a[0], a[1]);
		return r;
	}
	if (event == WIRE_CLOSE) {
		if (session_is_aside())
			return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
		if ((uint32_t)c.fd < shim.policy_fds)
			atomic_store_explicit(&shim.policy[c.fd], WIRE_POLICY_UNKNOWN, memory_order_relaxed);
	} else if (!transfer_enter(&c, socket_call)) {
		return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
	call_begin(&c);
	r = REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	call_end(&c, r, r < 0);
	if (event == WIRE_CLOSE)
		emit(&c, NULL, 0, 0);
	else
		transfer_say(&c, (const void *)a[1], (uint64_t)a[2], socket_call, socket_call ? (int)a[3] : 0);
	return r;
}

/* A name without a slash is searched along the caller's own RUNPATH, and $ORIGIN is the caller's: libc finds the caller by the return
 * address, so such a call must reach it without a frame of ours. The entry in cpu_*.h asks this first; NULL: dlopen_seen takes over. */
void *dlopen_direct(const char *path);
void *dlopen_direct(const char *path)
{
	if (path && (!strchr(path, '/') || strchr(path, '$')))
		return hook_real(HOOK_dlopen);
	return NULL;
}

void *dlopen_seen(const char *path, int flags);
void *dlopen_seen(const char *path, int flags)
{
	void *(*const real)(const char *, int) = (void *(*)(const char *, int))hook_real(HOOK_dlopen);
	void *const handle = real(path, flags);
	struct call c;

	if (handle && path && !(flags & RTLD_NOLOAD) && call_enter(&c, WIRE_MODULE, -1)) {
		const int saved = errno;

		modules_announce();
		if (flags & RTLD_DEEPBIND)
			hooked_deepbind();
		(void)got_patch();
		errno = saved;
	}
	return handle;
}

CPU_DLOPEN_ENTRY
