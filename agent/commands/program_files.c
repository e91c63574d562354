/* See program_files.h. */
#include "commands/program_files.h"

#include <errno.h>

int program_files_find(const struct program_files *f, const struct stat *st)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->of[i].device == st->st_dev && f->of[i].inode == st->st_ino)
			return (int)i;
	return -ENOENT;
}

int program_files_add(struct program_files *f, const struct stat *st)
{
	if (f->n == PROGRAM_FILES_MAX)
		return -ENOSPC;
	f->of[f->n].device = st->st_dev;
	f->of[f->n].inode = st->st_ino;
	return (int)f->n++;
}
