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

/* Behind the next word, NULL at the end of the line. */
static const char *word(const char *at, const char **ret_word, size_t *ret_len)
{
	at += strspn(at, " ");
	*ret_word = at;
	*ret_len = strcspn(at, " \n");
	return *ret_len > 0 ? at + *ret_len : NULL;
}

uint64_t read_number_of_column(const char *text, const char *head, const char *name)
{
	const char *names = strstr(text, head), *end = names ? strchr(names, '\n') : NULL;
	const char *values = end && strncmp(end + 1, head, strlen(head)) == 0 ? end + 1 : NULL;
	const char *n, *v;
	size_t n_len, v_len;

	if (!values)
		return SAMPLE_UNKNOWN;
	while ((names = word(names, &n, &n_len)) && (values = word(values, &v, &v_len))) {
		if (n_len == strlen(name) && strncmp(n, name, n_len) == 0)
			return *v >= '0' && *v <= '9' ? strtoull(v, NULL, 10) : SAMPLE_UNKNOWN;
	}
	return SAMPLE_UNKNOWN;
}
