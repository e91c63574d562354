/* privileges.c: what is given up is gone, and what is started afterwards has it all the same. In a child, which has them to lose. */
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probes/privileges.h"
#include "test.h"

enum { KEPT = 0, NOT_KEPT = 1, NOT_DROPPED = 2, CHILD_WITHOUT = 3, FAILED = 4 };

static int lose(void)
{
	const bool root = privileges_have(CAP_SYS_PTRACE);

	if (privileges_drop() < 0)
		return FAILED;
	if (privileges_have(CAP_BPF) || privileges_have(CAP_PERFMON) || privileges_have(CAP_SYS_ADMIN) ||
	    privileges_have(CAP_NET_ADMIN))
		return NOT_DROPPED;
	if (root != privileges_have(CAP_SYS_PTRACE))
		return NOT_KEPT;
	/* A root's program has what a root's program has. */
	if (root && system("grep -q '^CapEff:.*[1-9a-f]........$' /proc/self/status") != 0)
		return CHILD_WITHOUT;
	return KEPT;
}

static void what_is_not_needed_is_given_up(void **state)
{
	int status = -1;
	const pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(lose());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), KEPT);
}

TEST_MAIN(cmocka_unit_test(what_is_not_needed_is_given_up))
