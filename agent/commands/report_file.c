/*
 * Checks and writes the file of --report. Main thread; keeps nothing.
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

#include "report/report.h"

static int fail(int e, const char *path, char *err, size_t err_size)
{
	snprintf(err, err_size, "%s: cannot write the report: %s; check the folder and its permissions", path, strerror(-e));
	return e;
}

/* A pipe, a device: something to write to, never to replace. */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

int report_file_check(const char *path, char *err, size_t err_size)
{
	char name[PATH_MAX];
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return fail(-EISDIR, path, err, err_size);
	if (is_special(path))
		return access(path, W_OK) < 0 ? fail(-errno, path, err, err_size) : 0;
	/* Only making a file beside it tells for sure. */
	if (snprintf(name, sizeof(name), "%s.XXXXXX", path) >= (int)sizeof(name))
		return fail(-ENAMETOOLONG, path, err, err_size);
	int fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return fail(-errno, path, err, err_size);
	close(fd);
	unlink(name);
	return 0;
}

int report_file_write(const char *path, const json_t *report, char *err, size_t err_size)
{
	if (!is_special(path))
		return report_save(path, report, err, err_size);
	FILE *out = fopen(path, "we");
	if (!out)
		return fail(-errno, path, err, err_size);
	int e = report_json.write(report, out, &(struct report_style){0});
	if (fclose(out) != 0 && e == 0)
		e = -errno;
	return e < 0 ? fail(e, path, err, err_size) : 0;
}
