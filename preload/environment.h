/*
 * Keeping exec'd programs watched: an environment without LD_PRELOAD and GAPSCOPE_SESSION gets them back. For hooks_exec.c.
 *
 * No memory is allocated: the new array is the caller's, on its stack, for this may run in a vfork child.
 */
#ifndef GAPSCOPE_PRELOAD_ENVIRONMENT_H
#define GAPSCOPE_PRELOAD_ENVIRONMENT_H

#include <stddef.h>

#define ENVIRONMENT_MAX 4096U /* longer ones are passed on as they are */

/* What an environment lacks. bytes = 0: nothing, it is used as it is. */
struct environment_need {
	size_t count;         /* entries, without the final NULL */
	size_t preload_index; /* of LD_PRELOAD, or count */
	size_t session_index;
	size_t bytes; /* memory for environment_extend */
};

struct environment_need environment_check(char *const env[]);
/* The extended environment, in `memory` of need->bytes. */
char **environment_extend(char *const env[], const struct environment_need *need, void *memory);

#endif
