/*
 * Where a report goes: a file that is there whole or not at all (report_save), or a pipe or device that is written to as it is.
 */
#ifndef GAPSCOPE_COMMANDS_REPORT_FILE_H
#define GAPSCOPE_COMMANDS_REPORT_FILE_H

#include <jansson.h>
#include <stddef.h>

/* Can a report be written there? Asked before a service is started. 0, or -errno with one line in err. */
int report_file_check(const char *path, char *err, size_t err_size);
/* Write it as JSON. 0, or -errno with one line in err. */
int report_file_write(const char *path, const json_t *report, char *err, size_t err_size);

#endif
