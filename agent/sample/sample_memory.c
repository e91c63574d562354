/*
 * Memory of the control groups that processes are in (cgroups(7)): of the nearest one with a limit, versions 2 and 1. What is only cached
 * counts as free: the kernel gives it back before it kills.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/hash.h"
#include "sample/private.h"

#define PATH_BYTES 400U
#define NO_LIMIT (1ULL << 60) /* version 1 says "none" by a number near 2^63 */

/* How a version of control groups names things. */
static const struct version {
	const char *mount, *limit, *used, *kills_file, *kills, *cached[2];
} versions[] = {
	{"/sys/fs/cgroup", "memory.max", "memory.current", "memory.events", "oom_kill ", {"inactive_file ", "active_file "}},
	{"/sys/fs/cgroup/memory",
	 "memory.limit_in_bytes",
	 "memory.usage_in_bytes",
	 "memory.oom_control",
	 "oom_kill ",
	 {"total_inactive_file ", "total_active_file "}},
};

static int read_in(const struct sampler *s, const struct version *v, const char *group, const char *file, char *text, size_t size)
{
	char path[PATH_BYTES + 64];

	snprintf(path, sizeof path, "%s%s/%s", v->mount, strcmp(group, "/") == 0 ? "" : group, file);
	return read_text(s->root, path, text, size);
}

static uint64_t number_in(const struct sampler *s, const struct version *v, const char *group, const char *file, const char *key)
{
	char text[SAMPLE_TEXT];

	return read_in(s, v, group, file, text, sizeof text) == 0 ? read_number_after(text, key) : SAMPLE_UNKNOWN;
}

/* Which control group for memory a process is in, as a path below the version's mount. NULL: none. */
static const struct version *group_of(const struct sampler *s, uint32_t pid, char group[PATH_BYTES])
{
	char path[64], text[SAMPLE_TEXT], *rest = NULL;
	const struct version *found = NULL;

	snprintf(path, sizeof path, "/proc/%u/cgroup", pid);
	if (read_text(s->root, path, text, sizeof text) < 0)
		return NULL;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *names = strchr(line, ':'), *where = names ? strchr(names + 1, ':') : NULL;

		if (!where)
			continue;
		*where++ = '\0';
		const bool first = strstr(names, ":memory") || strstr(names, ",memory");
		if (!first && (names[1] != '\0' || found))
			continue;
		snprintf(group, PATH_BYTES, "%s", where);
		found = &versions[first];
	}
	return found;
}

/* Up to the nearest group with a limit. False: none has one. */
static bool limited(const struct sampler *s, const struct version *v, char group[PATH_BYTES], uint64_t *ret_limit)
{
	for (;;) {
		const uint64_t limit = number_in(s, v, group, v->limit, "");
		char *slash = strrchr(group, '/');

		if (limit < NO_LIMIT) {
			*ret_limit = limit;
			return true;
		}
		if (!slash || slash[1] == '\0')
			return false;
		slash[slash == group] = '\0';
	}
}

static uint64_t stalled_us(const struct sampler *s, const struct version *v, const char *group)
{
	char text[SAMPLE_TEXT];
	const char *full = NULL, *total = NULL;

	if (read_in(s, v, group, "memory.pressure", text, sizeof text) == 0)
		full = strstr(text, "full ");
	if (full)
		total = strstr(full, "total=");
	return total ? strtoull(total + strlen("total="), NULL, 10) : SAMPLE_UNKNOWN;
}

/* A number that tells groups apart: its folder's. */
static uint64_t number_of(const struct sampler *s, const struct version *v, const char *group)
{
	char path[PATH_BYTES + 128];
	struct stat st;

	snprintf(path, sizeof path, "%s%s%s", s->root, v->mount, group);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void tell(struct sampler *s, uint32_t pid, const struct version *v, const char *group, uint64_t limit)
{
	struct sample_memory m = {.limit_bytes = limit, .used_bytes = number_in(s, v, group, v->used, "")};
	char stat[SAMPLE_TEXT];

	if (m.used_bytes == SAMPLE_UNKNOWN || read_in(s, v, group, "memory.stat", stat, sizeof stat) < 0)
		return;
	for (size_t i = 0; i < 2; i++) {
		const uint64_t cached = read_number_after(stat, v->cached[i]);

		if (cached != SAMPLE_UNKNOWN)
			m.used_bytes -= cached < m.used_bytes ? cached : m.used_bytes;
	}
	m.kills = number_in(s, v, group, v->kills_file, v->kills);
	m.stall_us = stalled_us(s, v, group);
	sample_tell(s, (struct event){.id = WIRE_SAMPLE_MEMORY, .pid = pid, .fd = -1, .a0 = number_of(s, v, group)}, &m, sizeof m);
}

struct seen {
	char group[PATH_BYTES];
	UT_hash_handle hh;
};

void sample_memories(struct sampler *s, const uint32_t *pids, size_t n)
{
	struct seen *seen = NULL, *g, *next;

	for (size_t i = 0; i < n; i++) {
		char group[PATH_BYTES];
		uint64_t limit = 0;
		const struct version *v = group_of(s, pids[i], group);

		if (!v || !limited(s, v, group, &limit))
			continue;
		HASH_FIND_STR(seen, group, g);
		if (g || !(g = calloc(1, sizeof *g)))
			continue;
		snprintf(g->group, sizeof g->group, "%s", group);
		HASH_ADD_STR(seen, group, g);
		if (!g->hh.tbl) {
			free(g);
			break;
		}
		tell(s, pids[i], v, group, limit);
	}
	HASH_ITER (hh, seen, g, next) {
		HASH_DEL(seen, g);
		free(g);
	}
}
