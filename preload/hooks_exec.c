/*
 * Programs that are started in place of this one or beside it: exec*, posix_spawn. Any thread of the watched process, and vfork
 * children, which touch nothing but their own stack here.
 *
 * EXEC is published before the call, because a call that succeeds does not return; one that fails publishes a second record.
 */
#include <alloca.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <unistd.h>

#include "preload/call.h"
#include "preload/environment.h"

#define ARGUMENTS_MAX 65536U

/* In the hook itself: the memory is on its stack. */
#define WATCHED(env) \
	__extension__({ \
		const struct environment_need need = environment_check(env); \
		need.bytes ? environment_extend(env, &need, alloca(need.bytes)) : (char **)(uintptr_t)(env); \
	})

/* A bad pointer must come back from the call as EFAULT, not crash here: the kernel is asked first. */
static uint32_t path_len(const char *path)
{
	if (!path || atomic_load_explicit(&shim.quiet, memory_order_relaxed) ||
	    cpu_syscall(SYS_faccessat, AT_FDCWD, (long)path, F_OK, 0, 0, 0) == -EFAULT)
		return 0;
	return (uint32_t)strnlen(path, SHIM_PATH_BYTES);
}

static void exec_say(struct call *c, const char *path, int r)
{
	call_end(c, r, r < 0);
	emit(c, path, path_len(path), 0);
}

#define EXEC(path, real) \
	do { \
		struct call c; \
		int r; \
\
		if (!call_enter(&c, WIRE_EXEC, -1) || session_is_aside()) \
			return real; \
		call_begin(&c); \
		exec_say(&c, path, 0); \
		r = real; \
		exec_say(&c, path, r); \
		return r; \
	} while (0)

HOOK_FN(int, execve, const char *path, char *const argv[], char *const env[])
{
	char **const watched = WATCHED(env);

	EXEC(path, REAL(execve)(path, argv, watched));
}

HOOK_FN(int, execveat, int dir, const char *path, char *const argv[], char *const env[], int flags)
{
	char **const watched = WATCHED(env);

	EXEC(path, REAL(execveat)(dir, path, argv, watched, flags));
}

HOOK_FN(int, fexecve, int fd, char *const argv[], char *const env[])
{
	char **const watched = WATCHED(env);

	EXEC(NULL, REAL(fexecve)(fd, argv, watched));
}

HOOK_FN(int, execv, const char *path, char *const argv[])
{
	char **const watched = WATCHED(environ);

	EXEC(path, REAL(execve)(path, argv, watched));
}

HOOK_FN(int, execvpe, const char *path, char *const argv[], char *const env[])
{
	char **const watched = WATCHED(env);

	EXEC(path, REAL(execvpe)(path, argv, watched));
}

HOOK_FN(int, execvp, const char *path, char *const argv[])
{
	char **const watched = WATCHED(environ);

	EXEC(path, REAL(execvpe)(path, argv, watched));
}

/* execl and its kin: the arguments as an array, which is on the hook's stack. `ap` is left behind the NULL that ends them. */
static size_t count_arguments(va_list ap)
{
	size_t n = 1; /* the first is named */

	while (n < ARGUMENTS_MAX && va_arg(ap, char *))
		n++;
	return n;
}

#define ARGUMENTS(list, ap, first) \
	do { \
		size_t count; \
\
		va_start(ap, first); \
		count = (first) ? count_arguments(ap) : 0; \
		va_end(ap); \
		(list) = alloca((count + 1) * sizeof(char *)); \
		(list)[0] = (char *)(uintptr_t)(first); \
		va_start(ap, first); \
		for (size_t i = 1; i <= count; i++) \
			(list)[i] = va_arg(ap, char *); \
	} while (0)

HOOK_FN(int, execl, const char *path, const char *first, ...)
{
	char **watched = WATCHED(environ);
	char **list;
	va_list ap;

	ARGUMENTS(list, ap, first);
	va_end(ap);
	EXEC(path, REAL(execve)(path, list, watched));
}

HOOK_FN(int, execlp, const char *path, const char *first, ...)
{
	char **watched = WATCHED(environ);
	char **list;
	va_list ap;

	ARGUMENTS(list, ap, first);
	va_end(ap);
	EXEC(path, REAL(execvpe)(path, list, watched));
}

HOOK_FN(int, execle, const char *path, const char *first, ...)
{
	char **watched;
	char **list;
	char **env;
	va_list ap;

	ARGUMENTS(list, ap, first);
	env = va_arg(ap, char **);
	va_end(ap);
	watched = WATCHED(env);
	EXEC(path, REAL(execve)(path, list, watched));
}

static void spawn_say(struct call *c, const char *path, int r, const pid_t *pid)
{
	call_end(c, r ? -1 : pid ? *pid : 0, false);
	c->err = (uint16_t)r;
	emit(c, path, path && r != EFAULT ? (uint32_t)strnlen(path, SHIM_PATH_BYTES) : 0, 0);
}

#define SPAWN(real) \
	do { \
		char **const watched = WATCHED(env); \
		pid_t own; \
		struct call c; \
		int r; \
\
		pid = pid ? pid : &own; \
		if (!call_enter(&c, WIRE_SPAWN, -1) || session_is_shadow()) \
			return real; \
		call_begin(&c); \
		r = real; \
		spawn_say(&c, path, r, pid); \
		return r; \
	} while (0)

HOOK_FN(int, posix_spawn, pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
	char *const argv[], char *const env[])
{
	SPAWN(REAL(posix_spawn)(pid, path, actions, attr, argv, watched));
}

HOOK_FN(int, posix_spawnp, pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
	char *const argv[], char *const env[])
{
	SPAWN(REAL(posix_spawnp)(pid, path, actions, attr, argv, watched));
}
