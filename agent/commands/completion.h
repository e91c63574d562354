/*
 * Completion scripts for shells, made from the command table: a new command or flag is completed at once.
 *
 * Main thread; keeps nothing.
 */
#ifndef GAPSCOPE_COMMANDS_COMPLETION_H
#define GAPSCOPE_COMMANDS_COMPLETION_H

#include <stdio.h>

struct completion_shell {
	const char *name, *doc;
	void (*write)(FILE *out);
};

extern const struct completion_shell completion_shells[]; /* ends with name NULL */
/* By name; NULL if unknown. */
const struct completion_shell *completion_find(const char *name);

#endif
