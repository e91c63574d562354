/*
 * Processor time, memory, threads and limits of one process, from /proc/PID/stat and /proc/PID/limits (proc(5)).
 */
#include <stdio.h>
#include <unistd.h>

#include "core/process_stat.h"
#include "sample/private.h"

#define SECOND_NS 1000000000ULL

void sample_one_process(struct sampler *s, uint32_t pid)
{
	const uint64_t tick_ns = SECOND_NS / (uint64_t)sysconf(_SC_CLK_TCK), page = (uint64_t)sysconf(_SC_PAGESIZE);
	char path[512], text[SAMPLE_TEXT];
	struct process_stat stat;

	snprintf(path, sizeof path, "%s/proc/%u/stat", s->root, pid);
	if (process_stat_read(path, &stat) < 0 || stat.n < STAT_RESIDENT)
		return;
	struct sample_process p = {
		.user_ns = stat.fields[STAT_USER] * tick_ns,
		.system_ns = stat.fields[STAT_SYSTEM] * tick_ns,
		.resident_bytes = stat.fields[STAT_RESIDENT] * page,
		.virtual_bytes = stat.fields[STAT_VIRTUAL],
		.threads = stat.fields[STAT_THREADS],
		.fds = SAMPLE_UNKNOWN,
		.fd_limit = SAMPLE_UNKNOWN,
	};
	snprintf(path, sizeof path, "/proc/%u/limits", pid);
	if (read_text(s->root, path, text, sizeof text) == 0)
		p.fd_limit = read_number_after(text, "Max open files");
	sample_fds(s, pid, &p);
	sample_tell(s, (struct event){.id = WIRE_SAMPLE_PROCESS, .pid = pid, .fd = -1}, &p, sizeof p);
}
