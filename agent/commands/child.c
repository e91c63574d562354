/*
 * fork, exec, and signals to and from the watched program. Main thread. Between fork and exec only async-signal-safe calls are made.
 */
#include "commands/child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a service manager may send and a service may want; `stops` are those that ask for an end. */
static const struct {
	int signal;
	bool stops;
} forwarded[] = {
	{SIGTERM, true},  {SIGINT, true},   {SIGHUP, false},   {SIGQUIT, true},
	{SIGUSR1, false}, {SIGUSR2, false}, {SIGWINCH, false}, {SIGALRM, false},
};
#define FORWARDED_N (sizeof(forwarded) / sizeof(forwarded[0]))

void child_end_with_parent(void)
{
	const pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		raise(SIGTERM);
}

int child_signals(struct child *c)
{
	struct sigaction action = {.sa_handler = SIG_IGN};
	sigset_t ours;

	memset(c, 0, sizeof(*c));
	sigemptyset(&c->ignored);
	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	for (size_t i = 0; i < FORWARDED_N; i++) {
		struct sigaction now;
		/*
		 * Ignored by our parent's will (nohup; a script's shell, for what it starts in the background): the program begins so too,
		 * but may ask for the signal all the same, as servers do. Blocked, it comes to us, and is passed on for the program to judge.
		 */
		if (sigaction(forwarded[i].signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
			sigaddset(&c->ignored, forwarded[i].signal);
		sigaddset(&ours, forwarded[i].signal);
	}
	sigaction(SIGPIPE, &action, &c->old_pipe);
	action.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &action, &c->old_chld);
	sigprocmask(SIG_BLOCK, &ours, &c->old_mask);
	c->signal_fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	if (c->signal_fd < 0) {
		int e = -errno;
		child_done(c);
		return e;
	}
	return 0;
}

void child_done(struct child *c)
{
	if (c->signal_fd >= 0)
		close(c->signal_fd);
	c->signal_fd = -1;
	sigaction(SIGCHLD, &c->old_chld, NULL);
	sigaction(SIGPIPE, &c->old_pipe, NULL);
	sigprocmask(SIG_SETMASK, &c->old_mask, NULL);
}

int child_start(struct child *c, const char *path, char *const *argv, char *const *env)
{
	int report[2], e = 0;

	/* Closed by a successful exec; carries errno of a failed one. */
	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid < 0) {
		e = -errno;
		close(report[0]);
		close(report[1]);
		return e;
	}
	if (pid == 0) {
		sigaction(SIGPIPE, &c->old_pipe, NULL);
		sigaction(SIGCHLD, &c->old_chld, NULL);
		sigprocmask(SIG_SETMASK, &c->old_mask, NULL);
		execve(path, argv, env);
		e = errno;
		while (write(report[1], &e, sizeof(e)) < 0 && errno == EINTR)
			;
		_exit(127);
	}
	close(report[1]);
	ssize_t n;
	do {
		n = read(report[0], &e, sizeof(e));
	} while (n < 0 && errno == EINTR);
	close(report[0]);
	if (n == (ssize_t)sizeof(e)) {
		waitpid(pid, NULL, 0);
		return -e;
	}
	c->pid = pid;
	return 0;
}

static void ended(struct child *c, int status)
{
	c->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	c->exited = true;
	c->pid = 0;
}

static void reap(struct child *c)
{
	int status;

	if (c->pid && waitpid(c->pid, &status, WNOHANG) == c->pid)
		ended(c, status);
}

void child_wait(struct child *c)
{
	int status = 0;

	while (c->pid && waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (c->pid)
		ended(c, status);
}

static bool ignores(pid_t pid, int signal_number)
{
	char path[64], line[256];
	uint64_t ignored = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);

	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "SigIgn: %" SCNx64, &ignored) == 1)
			break;
	fclose(f);
	return (ignored >> (signal_number - 1) & 1) != 0;
}

/* Of a signal that was ignored when we began, an end is meant only if the program wants it by now; without a program there is nobody. */
static bool asks_for_an_end(const struct child *c, int signal_number)
{
	if (sigismember(&c->ignored, signal_number) == 1 && (!c->pid || ignores(c->pid, signal_number)))
		return false;
	for (size_t i = 0; i < FORWARDED_N; i++)
		if (forwarded[i].signal == signal_number)
			return forwarded[i].stops;
	return false;
}

static void pass_on(struct child *c, const struct signalfd_siginfo *s)
{
	if (asks_for_an_end(c, (int)s->ssi_signo))
		c->stopping = true;
	/* From the kernel: a terminal's, sent to the whole foreground group. From the program itself: it signalled its group. */
	if (s->ssi_code == SI_KERNEL || !c->pid || s->ssi_pid == (uint32_t)c->pid)
		return;
	kill(c->pid, (int)s->ssi_signo);
}

void child_on_signal(struct child *c)
{
	struct signalfd_siginfo s;

	while (read(c->signal_fd, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		if (s.ssi_signo == SIGCHLD)
			reap(c);
		else
			pass_on(c, &s);
	}
}
