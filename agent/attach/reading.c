/* The call that the only thread of a process is in. See reading.h. */
#include "attach/reading.h"

#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>

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
	uint64_t args[2];
	struct pollfd polled;
	char path[64];
	long nr;
	FILE *f;

	if (!has_one_thread(pid))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	const bool waits = fscanf(f, "%ld %" SCNx64 " %" SCNx64, &nr, &args[0], &args[1]) == 3;
	fclose(f);
	if (!waits)
		return false;
	if (is_one_of(nr, reads, sizeof(reads) / sizeof(reads[0])))
		return args[0] == (uint64_t)fd;
	return is_one_of(nr, polls, sizeof(polls) / sizeof(polls[0])) && args[1] == 1 &&
	       process_memory_read((uint32_t)pid, args[0], &polled, sizeof(polled)) && polled.fd == fd && polled.events & POLLIN;
}
