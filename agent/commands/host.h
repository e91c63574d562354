/*
 * What this host offers: the checks of `gapscope doctor`, one row each. A check looks and changes nothing.
 */
#ifndef GAPSCOPE_COMMANDS_HOST_H
#define GAPSCOPE_COMMANDS_HOST_H

#include <stddef.h>

enum check_result {
	CHECK_OK,
	CHECK_NOTE,   /* works, with a limit */
	CHECK_FAILED, /* `gapscope run` cannot work */
};

struct check {
	const char *name;
	/* One line into `text`: what was found, and what to do where something is missing. */
	enum check_result (*look)(char *text, size_t size);
};

extern const struct check host_checks[]; /* ends with name NULL */

#endif
