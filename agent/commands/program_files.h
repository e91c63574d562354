/*
 * Files of programs that were looked at, each once however it is named: by device and inode. Owner: who embeds it; its thread.
 */
#ifndef GAPSCOPE_COMMANDS_PROGRAM_FILES_H
#define GAPSCOPE_COMMANDS_PROGRAM_FILES_H

#include <stddef.h>
#include <sys/stat.h>

#define PROGRAM_FILES_MAX 256U

/* Zeros: none yet. */
struct program_files {
	struct {
		dev_t device;
		ino_t inode;
	} of[PROGRAM_FILES_MAX];
	size_t n;
};

/* Its index, or -ENOENT. */
int program_files_find(const struct program_files *f, const struct stat *st);
/* One that is not there yet: its index, or -ENOSPC. */
int program_files_add(struct program_files *f, const struct stat *st);

#endif
