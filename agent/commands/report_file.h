/*
 * Where a report goes: a file that is there whole or not at all.
 */
#ifndef GAPSCOPE_COMMANDS_REPORT_FILE_H
#define GAPSCOPE_COMMANDS_REPORT_FILE_H

#include <stddef.h>

/* Can a report be written there? Asked before a service is started. 0, or -errno with one line in err. */
int report_file_check(const char *path, char *err, size_t err_size);
/* Write it: a temporary file beside it, fsync, rename. A pipe or device is written to directly. 0, or -errno with a line in err. */
int report_file_write(const char *path, const char *text, size_t len, char *err, size_t err_size);

#endif
