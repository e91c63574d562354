/*
 * A child process for the tests of agent/attach: it waits in poll on a pipe, and answers each byte with what the wait gave.
 */
#ifndef GAPSCOPE_TESTS_UNIT_ATTACH_TARGET_H
#define GAPSCOPE_TESTS_UNIT_ATTACH_TARGET_H

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/process_call.h"
#include "test.h"

struct target {
	pid_t pid;
	int to, from;
};

/* What the child answers: 'k' = poll gave a byte at once, without any surprise before. */
static void target_main(int in, int out)
{
	for (;;) {
		struct pollfd p = {.fd = in, .events = POLLIN};
		char byte = 'k';
		const int n = poll(&p, 1, -1);

		if (n != 1)
			byte = '!';
		else if (read(in, &(char){0}, 1) != 1)
			_exit(0);
		if (write(out, &byte, 1) != 1)
			_exit(0);
	}
}

static inline struct target target_start(void)
{
	int to[2], from[2];
	struct target t;
	struct process_call c;

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	t.pid = fork();
	assert_true(t.pid >= 0);
	if (t.pid == 0) {
		close(to[1]);
		close(from[0]);
		target_main(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	t.to = to[1];
	t.from = from[0];
	/* In its poll, or in what takes poll's place. */
	while (process_call(t.pid, t.pid, &c) != PROCESS_CALL_IN || (c.nr != SYS_poll && c.nr != SYS_ppoll))
		sched_yield();
	return t;
}

/* It lives, and its wait was not disturbed. */
static inline void target_answers(const struct target *t)
{
	char byte = 0;

	assert_int_equal(write(t->to, "x", 1), 1);
	assert_int_equal(read(t->from, &byte, 1), 1);
	assert_int_equal(byte, 'k');
}

static inline void target_end(struct target *t)
{
	int status;

	close(t->to);
	close(t->from);
	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
