/* Where a thread is: in a call of known arguments, running, stopped outside of any, and gone. */
#include "core/process_call.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* The state is waited for, however busy the machine is. */
static struct process_call wait_for(pid_t pid, enum process_call_state state, long nr)
{
	struct process_call c = {.nr = -1};

	while (process_call(pid, pid, &c) != state || (state == PROCESS_CALL_IN && c.nr != nr))
		sched_yield();
	return c;
}

static void end(pid_t pid)
{
	struct process_call c = {.nr = 4711};

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &(int){0}, 0), pid);
	assert_int_equal(process_call(pid, pid, &c), PROCESS_CALL_NONE);
	assert_int_equal(c.nr, 4711);
}

static void test_in_a_call(void **state)
{
	int ends[2];
	char bytes[3];

	(void)state;
	assert_int_equal(pipe(ends), 0);

	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[1]);
		_exit(syscall(SYS_read, ends[0], bytes, sizeof(bytes)) != 0);
	}

	const struct process_call c = wait_for(pid, PROCESS_CALL_IN, SYS_read);

	assert_int_equal(c.args[0], ends[0]);
	assert_int_equal(c.args[1], (uintptr_t)bytes); /* a forked child has them at the same place */
	assert_int_equal(c.args[2], sizeof(bytes));
	assert_true(c.sp != 0 && c.ip != 0);
	end(pid);
	close(ends[0]);
	close(ends[1]);
}

static void test_runs_and_is_stopped(void **state)
{
	_Atomic unsigned int *const turns = mmap(NULL, sizeof(*turns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(turns, MAP_FAILED);

	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		for (;;)
			(*turns)++;
	while (*turns == 0) /* until then it may be in fork's own call still */
		sched_yield();
	wait_for(pid, PROCESS_CALL_RUNS, 0);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &(int){0}, WUNTRACED), pid);
	wait_for(pid, PROCESS_CALL_NONE, 0);
	end(pid);
	munmap(turns, sizeof(*turns));
}

TEST_MAIN(cmocka_unit_test(test_in_a_call), cmocka_unit_test(test_runs_and_is_stopped))
