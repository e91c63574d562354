/*
 * The list of calls, and the search for signal frames. See place.h.
 */
#include "attach/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_SCAN_BYTES 32768U

static bool is_socket_or_pipe(pid_t pid, long fd)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%ld", (int)pid, fd);
	return stat(path, &st) == 0 && (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode));
}

/*
 * Made again, a wait with a limit (SO_SNDTIMEO) would begin anew, and end with EALREADY in place of EINPROGRESS: connect(2). Without one the kernel
 * itself makes it again behind a signal: signal(7).
 */
static bool waits_for_ever(pid_t pid, long fd)
{
	const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	const int copy = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, (int)fd, 0);
	struct timeval limit = {0};
	socklen_t len = sizeof(limit);
	const bool is =
		copy >= 0 && getsockopt(copy, SOL_SOCKET, SO_SNDTIMEO, &limit, &len) == 0 && !limit.tv_sec && !limit.tv_usec;

	if (copy >= 0)
		close(copy);
	if (pidfd >= 0)
		close(pidfd);
	return is;
}

static const struct {
	long number;
	bool (*on)(pid_t pid, long fd); /* which descriptors; NULL: whatever the first argument is */
} allowed[] = {
	{SYS_epoll_wait, NULL},
	{SYS_epoll_pwait, NULL},
	{SYS_epoll_pwait2, NULL},
	{SYS_poll, NULL},
	{SYS_ppoll, NULL},
	{SYS_select, NULL},
	{SYS_pselect6, NULL},
	{SYS_nanosleep, NULL},
	{SYS_accept, NULL},
	{SYS_accept4, NULL},
	{SYS_restart_syscall, NULL}, /* a poll or a sleep that was interrupted before: timed waits only */
	{SYS_recvfrom, NULL},
	{SYS_recvmsg, NULL},
	{SYS_clock_nanosleep, NULL},
	{SYS_rt_sigsuspend, NULL}, /* as ppoll: made again, it takes the mask of its argument again */
	{SYS_wait4, NULL},
	{SYS_waitid, NULL},
	{SYS_sendto, NULL},
	{SYS_sendmsg, NULL},
	{SYS_read, is_socket_or_pipe},
	{SYS_write, is_socket_or_pipe},
	{SYS_readv, is_socket_or_pipe},
	{SYS_writev, is_socket_or_pipe},
	{SYS_connect, waits_for_ever}, /* made again, it goes on to wait for the same answer */
};

bool place_allowed(pid_t pid, long number, long fd)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (allowed[i].number == number)
			return allowed[i].on == NULL || allowed[i].on(pid, fd);
	return false;
}

/* Signals that are caught and blocked by this thread: in a handler, its own is (unless SA_NODEFER). */
static bool blocks_a_caught_signal(const struct remote *r)
{
	char path[64], line[256];
	uint64_t caught = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)r->pid, (int)r->tid);

	FILE *f = fopen(path, "re");

	if (!f)
		return true;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "SigCgt: %" SCNx64, &caught) == 1)
			break;
	fclose(f);
	return (caught & r->saved.mask) != 0;
}

/* A signal frame begins with its return address, the restorer; the interrupted registers follow. */
bool place_in_handler(const struct remote *r, const struct user_regs_struct *general)
{
	static uint64_t stack[STACK_SCAN_BYTES / sizeof(uint64_t)];
	size_t words = 0;

	if (!r->libc.restorer || !blocks_a_caught_signal(r))
		return false;
	while (words < STACK_SCAN_BYTES / sizeof(uint64_t) &&
	       remote_read(r, general->rsp + words * sizeof(uint64_t), stack + words, 4096) == 0)
		words += 4096 / sizeof(uint64_t);
	for (size_t i = 0; i + 1 + sizeof(ucontext_t) / sizeof(uint64_t) < words; i++) {
		ucontext_t u;

		if (stack[i] != r->libc.restorer)
			continue;
		memcpy(&u, stack + i + 1, sizeof(u));
		/* A stale frame of a handler that is over has the same look, but nobody called through it: take no chance. */
		if ((u.uc_mcontext.gregs[REG_CSGSFS] & 0xffff) == (long long)(general->cs & 0xffff))
			return true;
	}
	return false;
}
