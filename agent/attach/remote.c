/*
 * Borrowing a thread: choosing it, calling in it, putting it back. See remote.h.
 */
#include "attach/remote.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/elf.h"
#include "attach/place.h"
#include "attach/trace.h"
#include "core/monotonic.h"
#include "core/process_call.h"

#define RED_ZONE_BYTES 128U
#define SCRATCH_BYTES 1024U
#define PARKS 8U /* words of a call's frame: return addresses, but for an argument */
#define PARK_CODE_BYTES 7U
#define STOP_MS 200U /* how long one thread may take to stop */
#define WALK_MS 40U  /* how long a running thread is followed until it makes a harmless call */
#define RECOVER_MS 5000U
#define EFLAGS_DF_TF 0x500UL

/* Signals that a fault of the borrowed call itself would raise: never blocked, or the kernel would reset their handlers. */
#define SIGNAL_BIT(n) (1ULL << ((n)-1))
#define FAULTS \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGTRAP) | \
	 SIGNAL_BIT(SIGSYS))

int remote_read(const struct remote *r, uint64_t at, void *to, size_t len)
{
	return pread(r->mem, to, len, (off_t)at) == (ssize_t)len ? 0 : -EFAULT;
}

/* A word at a time, as the thread's tracer. What is no whole word keeps what lies behind it. */
static int poke(pid_t tid, uint64_t at, const uint8_t *from, size_t len)
{
	for (size_t done = 0; done < len; done += sizeof(long)) {
		const size_t n = len - done < sizeof(long) ? len - done : sizeof(long);
		long word = 0;

		if (n < sizeof(long)) {
			errno = 0;
			word = ptrace(PTRACE_PEEKDATA, tid, at + done, 0);
			if (errno)
				return -EFAULT;
		}
		memcpy(&word, from + done, n);
		if (ptrace(PTRACE_POKEDATA, tid, at + done, word) < 0)
			return -EFAULT;
	}
	return 0;
}

int remote_write(const struct remote *r, uint64_t at, const void *from, size_t len)
{
	const ssize_t n = pwrite(r->mem, from, len, (off_t)at);

	/* Another user's memory can be opened for reading only, where we are root without CAP_DAC_OVERRIDE. */
	return n == (ssize_t)len ? 0 : n < 0 && errno == EBADF ? poke(r->tid, at, from, len) : -EFAULT;
}

/* errno's place: __errno_location adds a value of the GOT to the thread pointer. */
static uint64_t find_errno_slot(const struct elf_image *e, uint64_t function)
{
	static const uint8_t load[] = {0x48, 0x8b, 0x05}, add[] = {0x64, 0x48, 0x03, 0x04, 0x25, 0, 0, 0, 0, 0xc3};
	const uint8_t *code = elf_at(e, function, 32);
	int32_t distance;
	size_t at = 0;

	if (!code)
		return 0;
	if (memcmp(code, "\xf3\x0f\x1e\xfa", 4) == 0) /* endbr64 */
		at = 4;
	if (memcmp(code + at, load, sizeof(load)) != 0 || memcmp(code + at + 7, add, sizeof(add)) != 0)
		return 0;
	memcpy(&distance, code + at + 3, sizeof(distance));
	return function + at + 7 + (uint64_t)(int64_t)distance;
}

int remote_find_libc(int mem, uint64_t base, struct remote_libc *ret)
{
	/* The park ends in the usual check of the result and a plain return, so that leaving it leads to the next return address. */
	static const uint8_t park[] = {0xb8, SYS_pause, 0, 0, 0, 0x0f, 0x05, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff, 0x77};
	static const uint8_t restorer[] = {0x48, 0xc7, 0xc0, SYS_rt_sigreturn, 0, 0, 0, 0x0f, 0x05};
	struct remote_libc l = {0};
	struct elf_image e;
	int r = elf_read_memory(mem, base, &e);

	if (r < 0)
		return r;
	l.syscall = elf_function(&e, "syscall");
	l.dlopen = elf_function(&e, "dlopen");
	if (!l.dlopen)
		l.dlopen = elf_function(&e, "__libc_dlopen_mode");
	l.park = elf_find_code(&e, elf_function(&e, "pause"), park, sizeof(park));
	l.restorer = elf_find_code(&e, 0, restorer, sizeof(restorer));
	l.errno_slot = find_errno_slot(&e, elf_function(&e, "__errno_location"));
	elf_done(&e);
	if (!l.syscall || !l.dlopen || !l.park || !l.errno_slot)
		return -ENOTSUP;
	*ret = l;
	return 0;
}

/* The thread stands at an interrupt's stop or at a call's entry. Is this a place to borrow it? Saves everything if so. */
static int save(struct remote *r)
{
	uint64_t offset;
	uint8_t code[2];
	int e = regs_save(r->tid, &r->saved);

	if (e < 0)
		return e;
	if (!regs_in_syscall(&r->saved.general) ||
	    !place_allowed(r->pid, (long)r->saved.general.orig_rax, (long)r->saved.general.rdi) ||
	    remote_read(r, r->saved.general.rip - 2, code, 2) < 0 || code[0] != 0x0f || code[1] != 0x05 ||
	    place_in_handler(r, &r->saved.general))
		return -EAGAIN;
	r->scratch = (r->saved.general.rsp - RED_ZONE_BYTES - SCRATCH_BYTES) & ~(uint64_t)15;
	if (remote_read(r, r->libc.errno_slot, &offset, sizeof(offset)) < 0)
		return -EFAULT;
	r->errno_at = r->saved.general.fs_base + offset;
	if (remote_read(r, r->errno_at, &r->errno_value, sizeof(r->errno_value)) < 0)
		return -EFAULT;
	atomic_store(&r->phase, REMOTE_MASKED);
	return regs_set_mask(r->tid, ~FAULTS);
}

/* Let a stopped thread go that was not changed. An interrupted call is made again. */
static void let_go(pid_t tid, const struct trace *t)
{
	struct user_regs_struct g;

	if (t->stop == TRACE_INTERRUPTED && regs_get(tid, &g) == 0 && regs_in_syscall(&g) && (int64_t)g.rax == -EINTR) {
		regs_rewind(&g);
		regs_set(tid, &g);
	}
	trace_detach(tid, t->stop == TRACE_SIGNAL || t->stop == TRACE_GROUP ? t->signal : 0);
}

/* Follow a running thread to the entry of a harmless call. */
static int walk(struct remote *r, struct trace *t)
{
	const uint64_t end = monotonic_ns() + WALK_MS * 1000000ULL;
	int e;

	for (;;) {
		e = trace_resume(r->tid, 1, t->stop == TRACE_SIGNAL ? t->signal : 0);
		if (e == 0)
			e = trace_wait(r->tid, WALK_MS, t);
		if (e == -ETIMEDOUT && trace_interrupt(r->tid) == 0 && trace_wait(r->tid, 0, t) == 0)
			return -EAGAIN;
		if (e < 0)
			return e;
		if (t->stop == TRACE_ENTRY && (e = save(r)) != -EAGAIN)
			return e;
		/* Never to be left at an entry: the call would begin with a signal seeming to wait, and end with EINTR. */
		if (t->stop == TRACE_GROUP || (t->stop != TRACE_ENTRY && monotonic_ns() > end))
			return -EAGAIN;
	}
}

/* Try one thread. 0: borrowed; -EAGAIN: not this one, not now. */
static int try_thread(struct remote *r, pid_t tid, bool follow)
{
	struct trace t;
	int e = trace_seize(tid);

	if (e < 0)
		return e;
	r->tid = tid;
	r->stop_ns = monotonic_ns();
	e = trace_wait(tid, STOP_MS, &t);
	if (e == -ETIMEDOUT) {
		/* In an uninterruptible sleep: its stop will come; it is let go then. */
		e = trace_wait(tid, 10 * STOP_MS, &t);
		if (e < 0)
			return e == -ETIMEDOUT ? -EBUSY : e;
		let_go(tid, &t);
		return -EAGAIN;
	}
	if (e < 0)
		return e;
	e = t.stop == TRACE_INTERRUPTED ? save(r) : -EAGAIN;
	if (e == -EAGAIN && follow && t.stop != TRACE_GROUP)
		e = walk(r, &t);
	if (e < 0) {
		if (atomic_exchange(&r->phase, REMOTE_FREE) == REMOTE_MASKED)
			regs_set_mask(tid, r->saved.mask);
		let_go(tid, &t);
	}
	return e;
}

int remote_borrow(struct remote *r, unsigned int limit_ms)
{
	const uint64_t end = monotonic_ns() + limit_ms * 1000000ULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)r->pid);
	/* First whoever waits in a harmless call, then whoever comes to one. */
	for (unsigned int round = 0; monotonic_ns() < end; round++) {
		DIR *d = opendir(path);
		const struct dirent *entry;
		unsigned int alive = 0;
		int e = -EAGAIN;

		if (!d)
			return -ESRCH;
		while (e == -EAGAIN && (entry = readdir(d)) && monotonic_ns() < end) {
			const pid_t tid = atoi(entry->d_name);
			struct process_call c;

			if (tid <= 0)
				continue;
			alive++;
			if (process_call(r->pid, tid, &c) == PROCESS_CALL_IN ? !place_allowed(r->pid, c.nr, (long)c.args[0])
									     : round == 0)
				continue;
			e = try_thread(r, tid, round > 0);
			if (e == -ESRCH)
				e = -EAGAIN; /* that thread has ended */
		}
		closedir(d);
		if (e != -EAGAIN)
			return e;
		if (!alive)
			return -ESRCH;
	}
	return -EBUSY;
}

static bool parked(const struct remote *r, const struct trace *t)
{
	return t->stop == TRACE_ENTRY && t->number == SYS_pause && t->ip == r->libc.park + PARK_CODE_BYTES;
}

/* At a stop of any kind: on to the park's entry with the next steps, whatever the thread was about to do. */
static int send_to_park(struct remote *r)
{
	struct user_regs_struct g;

	if (regs_get(r->tid, &g) < 0)
		return -ESRCH;
	g.rip = r->libc.park;
	g.orig_rax = UINT64_MAX;
	return regs_set(r->tid, &g);
}

static bool is_fault(const struct trace *t)
{
	return t->stop == TRACE_SIGNAL && (FAULTS & SIGNAL_BIT(t->signal));
}

/* Run on until the thread parks. *last: the result of its last system call before. */
static int run_to_park(struct remote *r, int64_t *last)
{
	struct trace t = {.stop = TRACE_OTHER};
	bool failed = false;

	for (;;) {
		int e = trace_resume(r->tid, 1, t.stop == TRACE_SIGNAL ? t.signal : 0);

		if (e == 0)
			e = trace_wait(r->tid, 0, &t);
		if (e < 0)
			return e;
		if (parked(r, &t))
			return failed ? -EFAULT : 0;
		if (t.stop == TRACE_EXIT && last)
			*last = t.result;
		if (is_fault(&t)) {
			/* The call crashed: to the park with the thread, and no more of this. */
			failed = true;
			t.stop = TRACE_OTHER;
			if ((e = send_to_park(r)) < 0)
				return e;
		}
	}
}

/* The same for a function of many system calls: each stop at one of those would hold the thread longer, most of all on a machine that is
 * busy. So it runs freely until /proc says that it sits in the park, and is stopped there. */
static int run_freely(struct remote *r)
{
	struct trace t = {.stop = TRACE_OTHER};
	struct process_call c;
	uint64_t since;
	int e;

	for (;;) {
		since = monotonic_ns();
		e = trace_resume(r->tid, 0, t.stop == TRACE_SIGNAL ? t.signal : 0);
		while (e == 0 && (e = trace_poll(r->tid, &t)) == -EAGAIN) {
			e = 0;
			if (process_call(r->pid, r->tid, &c) != PROCESS_CALL_IN || c.nr != SYS_pause ||
			    c.ip != r->libc.park + PARK_CODE_BYTES) {
				trace_yield(since);
				continue;
			}
			e = trace_interrupt(r->tid);
			if (e == 0 && (e = trace_wait(r->tid, 0, &t)) == 0 && t.stop == TRACE_INTERRUPTED)
				e = send_to_park(r);
			return e < 0 ? e : run_to_park(r, NULL);
		}
		if (e < 0)
			return e;
		if (is_fault(&t)) {
			e = send_to_park(r);
			if (e == 0)
				e = run_to_park(r, NULL);
			return e < 0 ? e : -EFAULT;
		}
	}
}

static int call(struct remote *r, uint64_t function, const uint64_t args[6], uint64_t seventh, uint64_t top, int64_t *last)
{
	struct user_regs_struct g = r->saved.general;
	uint64_t frame[PARKS];
	int e;

	for (unsigned int i = 0; i < PARKS; i++)
		frame[i] = r->libc.park;
	/* As after a call instruction: the return address on top, the stack aligned below it. */
	g.rsp = ((top - sizeof(frame)) & ~(uint64_t)15) - 8;
	frame[1] = seventh; /* where a function finds its seventh argument: syscall() takes so many */
	e = remote_write(r, g.rsp, frame, sizeof(frame));
	if (e < 0)
		return e;
	g.rip = function;
	g.rdi = args[0];
	g.rsi = args[1];
	g.rdx = args[2];
	g.rcx = args[3];
	g.r8 = args[4];
	g.r9 = args[5];
	g.rax = 0;
	g.orig_rax = UINT64_MAX;
	g.eflags &= ~EFLAGS_DF_TF;
	e = regs_set(r->tid, &g);
	if (e < 0)
		return e;
	return last ? run_to_park(r, last) : run_freely(r);
}

int64_t remote_syscall(struct remote *r, long number, const uint64_t args[6])
{
	const uint64_t in[6] = {(uint64_t)number, args[0], args[1], args[2], args[3], args[4]};
	int64_t result = -EFAULT;
	int e = call(r, r->libc.syscall, in, args[5], r->scratch, &result);

	return e < 0 ? e : result;
}

int remote_call(struct remote *r, uint64_t function, uint64_t a0, uint64_t a1)
{
	const uint64_t args[6] = {a0, a1};

	return call(r, function, args, r->libc.park, r->stack + r->stack_bytes - SCRATCH_BYTES, NULL);
}

/* At the park, everything of ours away, then the thread's own state; the stop is the exit of the skipped pause. */
static int put_back(struct remote *r)
{
	struct user_regs_struct g = r->saved.general;
	const uint64_t stack = r->stack;
	struct trace t;
	int e;

	for (unsigned int i = 0; i < REMOTE_FDS; i++) {
		const int32_t fd = atomic_exchange(&r->fds[i], -1);

		if (fd >= 0)
			(void)remote_syscall(r, SYS_close, (const uint64_t[6]){(uint64_t)fd});
	}
	/* Forgotten first: unmapped a second time, after a rescue, it could be somebody else's by then. */
	r->stack = 0;
	if (stack)
		(void)remote_syscall(r, SYS_munmap, (const uint64_t[6]){stack, r->stack_bytes});
	regs_rewind(&g);
	g.orig_rax = UINT64_MAX;
	(void)remote_write(r, r->errno_at, &r->errno_value, sizeof(r->errno_value));
	e = regs_restore(r->tid, &r->saved, &g);
	if (e == 0)
		e = trace_resume(r->tid, 1, 0);
	if (e == 0)
		e = trace_wait(r->tid, 0, &t);
	return e;
}

/* A signal came meanwhile that a handler wants: then the interrupted call is to end as it would have, not to be made again. */
static bool signal_waits(const struct remote *r)
{
	char path[64], line[256];
	uint64_t pending = 0, caught = 0;
	unsigned long long bits;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)r->pid, (int)r->tid);

	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "SigPnd: %llx", &bits) == 1 || sscanf(line, "ShdPnd: %llx", &bits) == 1)
			pending |= bits;
		if (sscanf(line, "SigCgt: %llx", &bits) == 1)
			caught = bits;
	}
	fclose(f);
	return (pending & caught & ~r->saved.mask) != 0;
}

/* Registers as at the interruption, and a stop inside the kernel's signal handling: it decides as it always does. */
static void end_interrupted(struct remote *r)
{
	struct user_regs_struct g = r->saved.general;
	struct trace t;

	if ((int64_t)g.rax == -EINTR)
		g.rax = (uint64_t)(int64_t)-514; /* ERESTARTNOHAND: EINTR if a handler runs, else made again */
	if (trace_interrupt(r->tid) == 0 && regs_set(r->tid, &g) == 0 && trace_resume(r->tid, 0, 0) == 0)
		(void)trace_wait(r->tid, 0, &t);
}

static int release(struct remote *r)
{
	const int64_t result = (int64_t)r->saved.general.rax;
	const bool interrupted = result == -EINTR || (result <= -512 && result >= -516);
	int e;

	if (interrupted && signal_waits(r))
		end_interrupted(r);
	e = regs_set_mask(r->tid, r->saved.mask);
	atomic_store(&r->phase, REMOTE_FREE);
	(void)trace_detach(r->tid, 0);
	r->running_ns = monotonic_ns();
	return e;
}

int remote_return(struct remote *r)
{
	const int e = put_back(r);

	return e < 0 ? e : release(r);
}

static bool is_ours(const struct remote *r, uint64_t sp)
{
	return (sp >= r->scratch - 4096 && sp <= r->scratch) || (r->stack && sp >= r->stack && sp <= r->stack + r->stack_bytes);
}

int remote_recover(struct remote *r)
{
	const uint64_t end = monotonic_ns() + RECOVER_MS * 1000000ULL;
	struct user_regs_struct g;
	struct trace t;
	int e;

	if (atomic_load(&r->phase) == REMOTE_FREE)
		return 0;
	/* The dead tracer holds on for a moment. */
	while ((e = trace_seize(r->tid)) == -EPERM && monotonic_ns() < end)
		usleep(200);
	if (e == 0)
		e = trace_wait(r->tid, 0, &t);
	while (e == 0 && !parked(r, &t)) {
		e = regs_get(r->tid, &g);
		if (e < 0)
			break;
		if (t.stop == TRACE_INTERRUPTED && !is_ours(r, g.rsp)) {
			/* It runs its own code already, or still. */
			e = regs_set_mask(r->tid, r->saved.mask);
			let_go(r->tid, &t);
			atomic_store(&r->phase, REMOTE_FREE);
			return e;
		}
		if (t.stop == TRACE_INTERRUPTED && regs_in_syscall(&g) && g.orig_rax == SYS_pause) {
			/* Parked; the interrupt has ended its pause: it is to pause again. */
			g.rip = r->libc.park;
			g.orig_rax = UINT64_MAX;
			(void)regs_set(r->tid, &g);
		}
		e = trace_resume(r->tid, 1, t.stop == TRACE_SIGNAL ? t.signal : 0);
		if (e == 0)
			e = trace_wait(r->tid, RECOVER_MS, &t);
	}
	return e < 0 ? e : remote_return(r);
}
