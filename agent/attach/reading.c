/* The call that the only thread of a process is in. See reading.h. */
#include "attach/reading.h"

#include <dirent.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "core/process_call.h"
#include "core/process_memory.h"

static const long reads[] = {SYS_read, SYS_readv, SYS_recvfrom, SYS_recvmsg};
/* An interrupted poll goes on as restart_syscall, with its arguments still where they were. */
static const long polls[] = {
#ifdef SYS_poll
	SYS_poll,
#endif
	SYS_ppoll, SYS_restart_syscall};

static bool is_one_of(long nr, const long *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (numbers[i] == nr)
			return true;
	return false;
}

static bool has_one_thread(pid_t pid)
{
	char path[64];
	unsigned int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	d = opendir(path);
	if (!d)
		return false;
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		n += e->d_name[0] != '.';
	closedir(d);
	return n == 1;
}

bool reading(pid_t pid, int fd)
{
	struct process_call c;
	struct pollfd polled;

	if (!has_one_thread(pid) || process_call(pid, pid, &c) != PROCESS_CALL_IN)
		return false;
	if (is_one_of(c.nr, reads, sizeof(reads) / sizeof(reads[0])))
		return c.args[0] == (uint64_t)fd;
	return is_one_of(c.nr, polls, sizeof(polls) / sizeof(polls[0])) && c.args[1] == 1 &&
	       process_memory_read((uint32_t)pid, c.args[0], &polled, sizeof(polled)) && polled.fd == fd && polled.events & POLLIN;
}
