/*
 * Registers through PTRACE_GETREGSET, and what an interrupted system call looks like in them. See regs.h.
 */
#include "attach/regs.h"

#include <elf.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The kernel's own codes for "make it again", which a tracer gets to see (include/linux/errno.h). */
enum { ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516 };

#define SYSCALL_BYTES 2U /* 0f 05 */

static long trace(long request, pid_t tid, uintptr_t addr, void *data)
{
	return syscall(SYS_ptrace, request, tid, addr, data);
}

int regs_get(pid_t tid, struct user_regs_struct *ret)
{
	struct iovec v = {.iov_base = ret, .iov_len = sizeof(*ret)};

	return trace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &v) < 0 ? -errno : 0;
}

int regs_set(pid_t tid, const struct user_regs_struct *r)
{
	struct user_regs_struct copy = *r;
	struct iovec v = {.iov_base = &copy, .iov_len = sizeof(copy)};

	return trace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &v) < 0 ? -errno : 0;
}

int regs_set_mask(pid_t tid, uint64_t mask)
{
	return trace(PTRACE_SETSIGMASK, tid, sizeof(mask), &mask) < 0 ? -errno : 0;
}

int regs_save(pid_t tid, struct regs *ret)
{
	struct iovec v = {.iov_base = ret->xstate, .iov_len = sizeof(ret->xstate)};
	int r = regs_get(tid, &ret->general);

	if (r < 0)
		return r;
	if (trace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &v) < 0 || trace(PTRACE_GETSIGMASK, tid, sizeof(ret->mask), &ret->mask) < 0)
		return -errno;
	ret->xstate_len = v.iov_len;
	return 0;
}

int regs_restore(pid_t tid, const struct regs *r, const struct user_regs_struct *general)
{
	struct iovec v = {.iov_base = (void *)(uintptr_t)r->xstate, .iov_len = r->xstate_len};

	if (trace(PTRACE_SETREGSET, tid, NT_X86_XSTATE, &v) < 0)
		return -errno;
	return regs_set(tid, general);
}

bool regs_in_syscall(const struct user_regs_struct *general)
{
	return (int64_t)general->orig_rax >= 0;
}

void regs_rewind(struct user_regs_struct *general)
{
	const int64_t result = (int64_t)general->rax;

	if (!regs_in_syscall(general))
		return;
	switch (result) {
	case -ERESTART_RESTARTBLOCK:
		/* The kernel keeps what is left of the wait. */
		general->rax = SYS_restart_syscall;
		general->rip -= SYSCALL_BYTES;
		break;
	case -ENOSYS: /* at its entry: not begun */
	case -EINTR:  /* epoll_wait and timed socket calls say it at once; nobody but us interrupted it */
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
		general->rax = general->orig_rax;
		general->rip -= SYSCALL_BYTES;
		break;
	default: /* it has a result */
		break;
	}
	general->orig_rax = UINT64_MAX;
}
