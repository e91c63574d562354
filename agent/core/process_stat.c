/* See process_stat.h. */
#include "core/process_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 1024U /* 52 numbers, most of them short, and a name of at most 64 bytes */

bool process_stat_parse(const char *text, struct process_stat *ret)
{
	const char *at = strrchr(text, ')');

	*ret = (struct process_stat){0};
	if (!at || at[1] != ' ' || at[2] == '\0')
		return false;
	ret->state = at[2];
	ret->n = STAT_STATE;
	for (at = strchr(at + 2, ' '); at && ret->n + 1 < STAT_FIELDS; at = strchr(at + 1, ' '))
		ret->fields[++ret->n] = strtoull(at, NULL, 10);
	return true;
}

int process_stat_read(const char *path, struct process_stat *ret)
{
	char text[LINE_SIZE];

	*ret = (struct process_stat){0};

	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;

	const ssize_t n = read(fd, text, sizeof(text) - 1);
	const int e = -errno;

	close(fd);
	if (n < 0)
		return e;
	text[n] = '\0';
	return process_stat_parse(text, ret) ? 0 : -EBADMSG;
}

pid_t process_parent(pid_t pid)
{
	struct process_stat stat;

	return process_stat_of(pid, &stat) == 0 ? (pid_t)stat.fields[STAT_PARENT] : 0;
}

int process_stat_of(pid_t pid, struct process_stat *ret)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return process_stat_read(path, ret);
}
