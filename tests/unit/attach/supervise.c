/* Whoever borrowed the thread is killed: the supervisor puts it back. */
#include "attach/supervise.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "attach/resident.h"
#include "attach/target.h"

/* In a process of its own: borrow, make `calls` calls, and die without a word. */
static void die_holding(struct remote *r, int calls)
{
	struct supervisor s;

	if (supervise_start(r, &s) < 0 || remote_borrow(r, 5000) < 0)
		_exit(1);
	for (int i = 0; i < calls; i++)
		(void)remote_syscall(r, SYS_getpid, (const uint64_t[6]){0});
	kill(getpid(), SIGKILL);
}

static void test_rescue(void **state)
{
	struct remote *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int calls = 0; calls < 3; calls++) {
		struct target child = target_start();
		struct resident there;
		char path[64];
		int status;

		memset(r, 0, sizeof(*r));
		snprintf(path, sizeof(path), "/proc/%d/mem", (int)child.pid);
		r->pid = child.pid;
		r->mem = open(path, O_RDWR | O_CLOEXEC);
		for (unsigned int i = 0; i < REMOTE_FDS; i++)
			r->fds[i] = -1;
		assert_int_equal(resident_find(child.pid, r->mem, NULL, 0, &there), 0);
		assert_int_equal(remote_find_libc(r->mem, there.libc, &r->libc), 0);

		const pid_t killed = fork();

		if (killed == 0)
			die_holding(r, calls);
		assert_int_equal(waitpid(killed, &status, 0), killed);
		assert_true(WIFSIGNALED(status));
		/* The supervisor is ours now: it ends when its work is done. */
		assert_true(waitpid(-1, &status, 0) > 0);
		assert_int_equal(r->phase, REMOTE_FREE);
		target_answers(&child);
		close(r->mem);
		target_end(&child);
	}
	munmap(r, sizeof(*r));
}

static void test_quiet_end(void **state)
{
	struct remote *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct supervisor s;

	(void)state;
	assert_int_equal(supervise_start(r, &s), 0);
	assert_int_equal(kill(s.pid, 0), 0);
	supervise_end(&s);
	assert_int_equal(kill(s.pid, 0), -1);
	munmap(r, sizeof(*r));
}

TEST_MAIN(cmocka_unit_test(test_rescue), cmocka_unit_test(test_quiet_end))
