/* Reasons that can be had without privilege; tests/system/attach.py has the others. */
#include "attach/check.h"

#include <sched.h>
#include <string.h>

#include "attach/target.h"
#include "attach/trace.h"

static void refused(pid_t pid, const char *words)
{
	struct check_verdict v;

	check_process(pid, &v);
	assert_false(v.watchable);
	assert_non_null(strstr(v.why, words));
	assert_null(strchr(v.why, '\n'));
}

static void test_reasons(void **state)
{
	struct target child = target_start();
	struct check_verdict v;
	struct trace t;

	(void)state;
	check_process(child.pid, &v);
	assert_true(v.watchable);
	refused(3999999, "no such process");
	assert_int_equal(trace_seize(child.pid), 0);
	assert_int_equal(trace_wait(child.pid, 5000, &t), 0);
	refused(child.pid, "traces it");
	assert_int_equal(trace_detach(child.pid, 0), 0);
	target_answers(&child);
	kill(child.pid, SIGSTOP);
	assert_int_equal(waitpid(child.pid, NULL, WUNTRACED), child.pid);
	refused(child.pid, "stopped");
	kill(child.pid, SIGCONT);
	target_answers(&child);
	close(child.to);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
	refused(child.pid, "zombie");
	assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
}

TEST_MAIN(cmocka_unit_test(test_reasons))
