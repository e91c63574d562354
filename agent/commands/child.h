/*
 * The watched program as our child, and the signals between it, us and the service manager.
 *
 * The program gets the signal mask and dispositions that gapscope was started with. Our own signals arrive on a signalfd, because it
 * tells who sent one: what a terminal sends reaches the program by itself, what is sent to us alone has to be passed on.
 */
#ifndef GAPSCOPE_COMMANDS_CHILD_H
#define GAPSCOPE_COMMANDS_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;  /* 0 before the start, and after the end */
	int status; /* exit status as a shell says it, once `exited` */
	bool exited;
	bool stopping; /* we were told to end (SIGTERM, SIGINT, SIGQUIT) */
	int signal_fd;
	sigset_t ignored; /* of those that are passed on: ignored when we began */
	sigset_t old_mask;
	struct sigaction old_pipe, old_chld;
};

/* Have SIGTERM sent to us when the process that started us ends; at once if it has ended already. */
void child_end_with_parent(void);
/* Take over the signals; before any thread is made. 0 or -errno. */
int child_signals(struct child *c);
/* Start it. 0, or -errno of fork or exec: then nothing runs. */
int child_start(struct child *c, const char *path, char *const *argv, char *const *env);
/* signal_fd is readable: read signals, pass them on, notice the end. */
void child_on_signal(struct child *c);
/* Wait for its end without a loop. */
void child_wait(struct child *c);
/* Give the signals back and close. */
void child_done(struct child *c);

#endif
