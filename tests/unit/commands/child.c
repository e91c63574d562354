/* The child: its status, its signals, and that it gets the world as we got it. */
#include "commands/child.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands/unit.h"

extern char **environ;

/* Wait for signals until the child has ended. */
static void until_exit(struct child *c)
{
	struct pollfd p = {.fd = c->signal_fd, .events = POLLIN};

	while (!c->exited) {
		assert_int_equal(poll(&p, 1, 20000), 1);
		child_on_signal(c);
	}
}

static int run_shell(char *script)
{
	struct child c;

	assert_int_equal(child_signals(&c), 0);
	assert_int_equal(child_start(&c, "/bin/sh", WORDS("sh", "-c", script), environ), 0);
	until_exit(&c);
	child_done(&c);
	return c.status;
}

static void status_is_that_of_a_shell(void **state)
{
	(void)state;
	assert_int_equal(run_shell("exit 0"), 0);
	assert_int_equal(run_shell("exit 77"), 77);
	assert_int_equal(run_shell("kill -TERM $$"), 128 + SIGTERM);
	assert_int_equal(run_shell("kill -KILL $$"), 128 + SIGKILL);
}

static void a_failed_exec_is_told(void **state)
{
	struct child c;
	(void)state;

	assert_int_equal(child_signals(&c), 0);
	assert_int_equal(child_start(&c, "/nonexistent", WORDS("x"), environ), -ENOENT);
	assert_int_equal(child_start(&c, "/etc/passwd", WORDS("x"), environ), -EACCES);
	assert_int_equal(c.pid, 0);
	child_done(&c);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* Python, as a shell cannot trap what was ignored when it began. It says a byte once its handler is there. */
static void passes_on(int number)
{
	struct child c;
	int out[2];
	char byte, script[256];

	assert_int_equal(pipe(out), 0);
	snprintf(script, sizeof(script),
		 "import os, signal\nsignal.signal(%d, lambda *_: os._exit(9))\nos.write(%d, b'.')\nwhile True: signal.pause()",
		 number, out[1]);
	assert_int_equal(child_signals(&c), 0);
	assert_int_equal(child_start(&c, "/usr/bin/python3", WORDS("python3", "-c", script), environ), 0);
	assert_int_equal(read(out[0], &byte, 1), 1);
	kill(getpid(), number);
	until_exit(&c);
	assert_int_equal(c.status, 9);
	assert_int_equal(c.stopping, number == SIGTERM || number == SIGINT || number == SIGQUIT);
	child_done(&c);
	close(out[0]);
	close(out[1]);
}

/* Whether or not it was ignored when we began, as a script's shell has it for what it starts in the background. */
static void signals_sent_to_us_are_passed_on(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
	(void)state;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		passes_on(signals[i]);
		signal(signals[i], SIG_IGN);
		passes_on(signals[i]);
		signal(signals[i], SIG_DFL);
	}
}

static void ignored_signals_stay_ignored(void **state)
{
	struct child c;
	char script[] = "kill -HUP $$; kill -PIPE $$; kill -INT $$; kill -INT $PPID; exit 5";
	(void)state;

	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(child_signals(&c), 0);
	assert_false(sigismember(&c.old_mask, SIGHUP));
	assert_int_equal(child_start(&c, "/bin/sh", WORDS("sh", "-c", script), environ), 0);
	kill(getpid(), SIGHUP);
	kill(getpid(), SIGINT);
	until_exit(&c);
	assert_int_equal(c.status, 5);
	assert_false(c.stopping);
	kill(getpid(), SIGINT); /* with nobody to pass it on to */
	child_on_signal(&c);
	assert_false(c.stopping);
	child_done(&c);
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(run_shell("kill -PIPE $$; exit 5"), 128 + SIGPIPE);
}

static void mask_and_dispositions_come_back(void **state)
{
	struct child c;
	sigset_t before, after;
	struct sigaction action;
	(void)state;

	sigprocmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(child_signals(&c), 0);
	child_done(&c);
	sigprocmask(SIG_SETMASK, NULL, &after);
	for (int s = 1; s < 32; s++)
		assert_int_equal(sigismember(&before, s), sigismember(&after, s));
	sigaction(SIGPIPE, NULL, &action);
	assert_ptr_equal(action.sa_handler, SIG_DFL);
}

static void waits_without_a_loop(void **state)
{
	struct child c;
	char script[] = "exit 6";
	(void)state;

	assert_int_equal(child_signals(&c), 0);
	assert_int_equal(child_start(&c, "/bin/sh", WORDS("sh", "-c", script), environ), 0);
	child_wait(&c);
	assert_true(c.exited);
	assert_int_equal(c.status, 6);
	child_wait(&c);
	child_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_is_that_of_a_shell),        cmocka_unit_test(a_failed_exec_is_told),
		cmocka_unit_test(signals_sent_to_us_are_passed_on), cmocka_unit_test(ignored_signals_stay_ignored),
		cmocka_unit_test(mask_and_dispositions_come_back),  cmocka_unit_test(waits_without_a_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
