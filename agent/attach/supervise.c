/*
 * See supervise.h. The child reads a pipe: its end without a word says that the parent is dead.
 */
#include "attach/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void watch(struct remote *r, int life)
{
	char word;
	ssize_t n;
	sigset_t all;

	/* A terminal's Ctrl-C reaches the whole group: the rescue is not to be cut short. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "gapscope-guard");
	do {
		n = read(life, &word, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		(void)remote_recover(r);
	_exit(0);
}

int supervise_start(struct remote *r, struct supervisor *ret)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;

	const pid_t pid = fork();

	if (pid == 0) {
		close(ends[1]);
		watch(r, ends[0]);
	}
	close(ends[0]);
	if (pid < 0) {
		const int e = -errno;

		close(ends[1]);
		return e;
	}
	*ret = (struct supervisor){.pid = pid, .life = ends[1]};
	return 0;
}

void supervise_end(struct supervisor *s)
{
	ssize_t n;

	do {
		n = write(s->life, "", 1);
	} while (n < 0 && errno == EINTR);
	close(s->life);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
