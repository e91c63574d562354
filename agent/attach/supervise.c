/*
 * See supervise.h.
 */
#include "attach/supervise.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t parent; /* of the guard; set before it is made */

static void guard(void (*work)(void *ctx), void *ctx)
{
	sigset_t all;

	/* A terminal's Ctrl-C reaches the whole group, a service manager's SIGTERM all its processes. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "gapscope-guard");
	work(ctx);
	_exit(0);
}

bool supervise_orphaned(void)
{
	return getppid() != parent;
}

int supervise(struct remote *r, void (*work)(void *ctx), void *ctx)
{
	int status = 0;
	pid_t pid;

	parent = getpid();
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		guard(work, ctx);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	(void)remote_recover(r);
	return -EOWNERDEAD;
}
