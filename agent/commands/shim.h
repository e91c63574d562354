/*
 * The shim from the agent's side: where libgapscope.so is, and the environment that brings it into a program.
 */
#ifndef GAPSCOPE_COMMANDS_SHIM_H
#define GAPSCOPE_COMMANDS_SHIM_H

#include <limits.h>
#include <stddef.h>

#define SHIM_NAME "libgapscope.so"
#define SHIM_ENV "GAPSCOPE_LIB" /* overrides the search */

/*
 * Find the shim: GAPSCOPE_LIB, else beside this program, in preload/ (build tree), or in ../lib/gapscope (installed).
 * 0, or -errno with one line in err.
 */
int shim_find(char *path, size_t size, char *err, size_t err_size);
/*
 * A copy of `env` in which LD_PRELOAD ends in the shim (what was there stays first) and GAPSCOPE_SESSION names the session. NULL when
 * memory is out. Free with shim_env_free.
 */
char **shim_env(char *const *env, const char *shim, const char *session);
void shim_env_free(char **env);

#endif
