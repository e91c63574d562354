/*
 * Reads /proc/PID/maps. See maps.h.
 */
#include "attach/maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool maps_line(const char *line, struct mapping *ret)
{
	char mode[5] = "";
	int at = 0;
	struct mapping m = {0};

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*x:%*x %" SCNu64 " %n", &m.start, &m.end, mode, &m.offset,
		   &m.inode, &at) != 5 ||
	    !at)
		return false;
	m.read = mode[0] == 'r';
	m.write = mode[1] == 'w';
	m.execute = mode[2] == 'x';
	snprintf(m.path, sizeof(m.path), "%s", line + at);
	m.path[strcspn(m.path, "\n")] = '\0';
	*ret = m;
	return true;
}

const char *maps_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int maps_walk(pid_t pid, maps_fn fn, void *ctx)
{
	struct mapping m;
	char path[64];
	char *line = NULL;
	size_t size = 0;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);

	FILE *f = fopen(path, "re");

	if (!f)
		return -errno;
	while (!r && getline(&line, &size, f) > 0)
		r = maps_line(line, &m) && fn(ctx, &m);
	free(line);
	fclose(f);
	return r;
}
