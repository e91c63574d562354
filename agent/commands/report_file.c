/*
 * Writes a file whole: whoever reads the name sees the old report or the new one. Main thread.
 */
#include "commands/report_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(int e, const char *path, char *err, size_t err_size)
{
	snprintf(err, err_size, "%s: cannot write the report: %s; check the folder and its permissions", path, strerror(-e));
	return e;
}

/* A pipe, a device: something to write to, not to replace. */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int open_temporary(const char *path, char *name, size_t size)
{
	int n = snprintf(name, size, "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	int fd = mkostemp(name, O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int report_file_check(const char *path, char *err, size_t err_size)
{
	char name[PATH_MAX];
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return fail(-EISDIR, path, err, err_size);
	if (is_special(path))
		return access(path, W_OK) < 0 ? fail(-errno, path, err, err_size) : 0;
	int fd = open_temporary(path, name, sizeof(name));
	if (fd < 0)
		return fail(fd, path, err, err_size);
	close(fd);
	unlink(name);
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int report_file_write(const char *path, const char *text, size_t len, char *err, size_t err_size)
{
	char name[PATH_MAX];
	int e;

	if (is_special(path)) {
		int fd = open(path, O_WRONLY | O_CLOEXEC);
		e = fd < 0 ? -errno : write_all(fd, text, len);
		if (fd >= 0)
			close(fd);
		return e < 0 ? fail(e, path, err, err_size) : 0;
	}
	int fd = open_temporary(path, name, sizeof(name));
	if (fd < 0)
		return fail(fd, path, err, err_size);
	e = write_all(fd, text, len);
	if (e == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
		e = -errno;
	if (close(fd) < 0 && e == 0)
		e = -errno;
	if (e == 0 && rename(name, path) < 0)
		e = -errno;
	if (e < 0) {
		unlink(name);
		return fail(e, path, err, err_size);
	}
	return 0;
}
