/*
 * Children that ended and that nobody waited for, from /proc/PID/task/TID/children: each keeps its number, of which there are not many. See
 * private.h. A look costs a file for each thread and one for each child, so both are bounded: who has more children keeps workers.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/process_stat.h"
#include "sample/private.h"

#define THREADS_MAX 64U
#define CHILDREN_MAX 1024U

static bool is_zombie(const struct sampler *s, unsigned long pid)
{
	struct process_stat stat;
	char path[512];

	snprintf(path, sizeof path, "%s/proc/%lu/stat", s->root, pid);
	return process_stat_read(path, &stat) == 0 && stat.state == 'Z';
}

static uint64_t of_thread(const struct sampler *s, uint32_t pid, const char *tid, unsigned int *left)
{
	char path[64], text[SAMPLE_TEXT], *end;
	uint64_t n = 0;

	snprintf(path, sizeof path, "/proc/%u/task/%.20s/children", pid, tid);
	if (read_text(s->root, path, text, sizeof text) < 0)
		return 0;
	/* The last number may be cut off: it is then another one's, or nobody's. */
	for (const char *at = text; *left > 0; at = end, --*left) {
		const unsigned long child = strtoul(at, &end, 10);

		if (end == at)
			break;
		n += is_zombie(s, child);
	}
	return n;
}

void sample_zombies(struct sampler *s, uint32_t pid)
{
	unsigned int threads = THREADS_MAX, left = CHILDREN_MAX;
	const struct dirent *entry;
	char path[512];
	uint64_t n = 0;

	snprintf(path, sizeof path, "%s/proc/%u/task", s->root, pid);
	DIR *d = opendir(path);
	if (!d)
		return;
	while (threads > 0 && left > 0 && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		n += of_thread(s, pid, entry->d_name, &left);
		threads--;
	}
	closedir(d);
	if (n > 0)
		sample_tell(s, (struct event){.id = WIRE_SAMPLE_ZOMBIES, .pid = pid, .fd = -1, .a0 = n}, NULL, 0);
}
