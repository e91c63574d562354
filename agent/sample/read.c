/*
 * Small files of /proc and /sys as text. No state; any thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sample/private.h"

int read_text(const char *root, const char *path, char *text, size_t size)
{
	char whole[512];
	size_t len = 0;
	ssize_t n = 0;

	if ((size_t)snprintf(whole, sizeof whole, "%s%s", root, path) >= sizeof whole)
		return -ENAMETOOLONG;
	const int fd = open(whole, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	n = n < 0 ? -errno : 0;
	close(fd);
	return (int)n;
}

uint64_t read_number_after(const char *text, const char *key)
{
	const size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) != 0)
			continue;
		const char *at = line + len + strspn(line + len, " \t");
		return *at >= '0' && *at <= '9' ? strtoull(at, NULL, 10) : SAMPLE_UNKNOWN;
	}
	return SAMPLE_UNKNOWN;
}
