/* Since when another process waits: a child says when it goes to sleep. */
#include "core/process_asleep.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/monotonic.h"
#include "core/process_call.h"

#include "test.h"

static void test_since(void **state)
{
	int ready[2], wake[2];
	uint64_t before = 0, since = 0;
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(wake), 0);

	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		before = monotonic_ns();
		_exit(write(ready[1], &before, sizeof(before)) != sizeof(before) || read(wake[0], &byte, 1) != 1);
	}
	assert_int_equal(read(ready[0], &before, sizeof(before)), sizeof(before));

	struct process_call c;

	while (process_call(pid, pid, &c) != PROCESS_CALL_IN || c.args[0] != (uint64_t)wake[0])
		sched_yield();
	/* It may be late where a hypervisor took the processor, never before the child was there; and it does not move on. */
	if (process_asleep_since(pid, pid, &since)) {
		const uint64_t now = monotonic_ns();

		assert_true(since + 100000000 >= before && since <= now);
	} else
		print_message("this kernel does not say since when a thread waits\n");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	since = 4711;
	assert_false(process_asleep_since(pid, pid, &since));
	assert_int_equal(since, 4711);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(wake[i]);
	}
}

TEST_MAIN(cmocka_unit_test(test_since))
