/* eager.c: the thread keeps its niceness, and so does what it starts. */
#include "commands/eager.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static void test_no_larger_share(void **state)
{
	struct sched_attr a = {.size = sizeof(a)};
	const int before = getpriority(PRIO_PROCESS, 0);
	int status;

	(void)state;
	assert_true(eager_start());
	assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
	assert_int_equal(syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0), 0);
	assert_int_equal(a.sched_policy, SCHED_NORMAL);
	assert_true(a.sched_flags & SCHED_FLAG_RESET_ON_FORK);

	const pid_t child = fork();

	if (child == 0)
		_exit(getpriority(PRIO_PROCESS, 0) == before ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

TEST_MAIN(cmocka_unit_test(test_no_larger_share))
