/* Stops of a child that waits in poll. */
#include "attach/trace.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>

#include "attach/target.h"

static void test_stops(void **state)
{
	struct target child = target_start();
	struct trace t;

	(void)state;
	assert_int_equal(trace_seize(child.pid), 0);
	assert_int_equal(trace_wait(child.pid, 5000, &t), 0);
	assert_int_equal(t.stop, TRACE_INTERRUPTED);
	/* It makes its call again: the kernel's own way of going on with poll. */
	assert_int_equal(trace_resume(child.pid, 1, 0), 0);
	assert_int_equal(trace_wait(child.pid, 5000, &t), 0);
	assert_int_equal(t.stop, TRACE_ENTRY);
	assert_int_equal(t.number, SYS_restart_syscall);
	assert_int_equal(trace_resume(child.pid, 1, 0), 0);
	assert_int_equal(trace_wait(child.pid, 20, &t), -ETIMEDOUT);
	assert_int_equal(trace_interrupt(child.pid), 0);
	assert_int_equal(trace_wait(child.pid, 5000, &t), 0);
	assert_int_equal(t.stop, TRACE_EXIT);
	assert_int_equal(t.result, -516);
	assert_int_equal(trace_detach(child.pid, 0), 0);
	target_answers(&child);
	target_end(&child);
}

static void test_gone(void **state)
{
	struct trace t;

	(void)state;
	assert_int_equal(trace_seize(3999999), -ESRCH);
	assert_int_equal(trace_wait(3999999, 10, &t), -ESRCH);
}

TEST_MAIN(cmocka_unit_test(test_stops), cmocka_unit_test(test_gone))
