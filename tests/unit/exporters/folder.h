/* A folder of a test's own, for files of the durable queue: made before each test and removed after it. Header only: each test is one program. */
#ifndef GAPSCOPE_TESTS_EXPORTERS_FOLDER_H
#define GAPSCOPE_TESTS_EXPORTERS_FOLDER_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64];

static inline int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/gapscope-folder-XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static inline int remove_dir(void **state)
{
	(void)state;
	char path[512];
	DIR *d = opendir(dir);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		unlink(path);
	}
	closedir(d);
	return rmdir(dir);
}

#endif
