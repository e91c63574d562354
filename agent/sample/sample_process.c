/*
 * Processor time, memory, threads and limits of one process, from /proc/PID/stat and /proc/PID/limits (proc(5)).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sample/private.h"

#define SECOND_NS 1000000000ULL

/* Fields of /proc/PID/stat by their number, of those behind the name of the program. */
enum { STAT_FIRST = 3, STAT_USER = 14, STAT_SYSTEM = 15, STAT_THREADS = 20, STAT_VIRTUAL = 23, STAT_RESIDENT = 24, STAT_LAST = 24 };

static bool stat_fields(const char *text, uint64_t fields[STAT_LAST + 1])
{
	const char *at = strrchr(text, ')'); /* the name may hold anything */

	if (!at || at[1] == '\0')
		return false;
	at += 2;
	for (unsigned int i = STAT_FIRST; i <= STAT_LAST; i++) {
		fields[i] = strtoull(at, NULL, 10); /* the state, a letter, is 0 */
		at = strchr(at, ' ');
		if (!at)
			return i == STAT_LAST;
		at++;
	}
	return true;
}

void sample_one_process(struct sampler *s, uint32_t pid)
{
	const uint64_t tick_ns = SECOND_NS / (uint64_t)sysconf(_SC_CLK_TCK), page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t f[STAT_LAST + 1] = {0};
	char path[64], text[SAMPLE_TEXT];

	snprintf(path, sizeof path, "/proc/%u/stat", pid);
	if (read_text(s->root, path, text, sizeof text) < 0 || !stat_fields(text, f))
		return;
	struct sample_process p = {
		.user_ns = f[STAT_USER] * tick_ns,
		.system_ns = f[STAT_SYSTEM] * tick_ns,
		.resident_bytes = f[STAT_RESIDENT] * page,
		.virtual_bytes = f[STAT_VIRTUAL],
		.threads = f[STAT_THREADS],
		.fds = SAMPLE_UNKNOWN,
		.fd_limit = SAMPLE_UNKNOWN,
	};
	snprintf(path, sizeof path, "/proc/%u/limits", pid);
	if (read_text(s->root, path, text, sizeof text) == 0)
		p.fd_limit = read_number_after(text, "Max open files");
	sample_fds(s, pid, &p);
	sample_tell(s, (struct event){.id = WIRE_SAMPLE_PROCESS, .pid = pid, .fd = -1}, &p, sizeof p);
}
