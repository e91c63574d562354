/* Whoever wants the thread dies: the guard does not mind. The guard is killed: its parent puts the thread back. */
#include "attach/supervise.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "attach/resident.h"
#include "attach/target.h"

struct shared {
	struct remote remote;
	_Atomic int holds, orphaned, results;
	int calls;
};

/* Something to do for the guard, and all in memory that it shares with us. */
static struct shared *shared_of(const struct target *child)
{
	struct shared *const s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct resident there;
	char path[64];

	assert_ptr_not_equal(s, MAP_FAILED);
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)child->pid);
	s->remote.pid = child->pid;
	s->remote.mem = open(path, O_RDWR | O_CLOEXEC);
	for (unsigned int i = 0; i < REMOTE_FDS; i++)
		s->remote.fds[i] = -1;
	assert_int_equal(resident_find(child->pid, s->remote.mem, NULL, 0, &there), 0);
	assert_int_equal(remote_find_libc(s->remote.mem, there.libc, &s->remote.libc), 0);
	return s;
}

static void shared_end(struct shared *s)
{
	close(s->remote.mem);
	munmap(s, sizeof(*s));
}

static void make_calls(struct shared *s)
{
	for (int i = 0; i < s->calls; i++)
		s->results += remote_syscall(&s->remote, SYS_getpid, (const uint64_t[6]){0}) == s->remote.pid;
}

/* Holds the thread until its parent is dead, and calls on. */
static void outlive(void *ctx)
{
	struct shared *const s = ctx;

	if (remote_borrow(&s->remote, 5000) < 0)
		return;
	make_calls(s);
	s->holds = 1;
	while (!supervise_orphaned())
		sched_yield();
	s->orphaned = 1;
	make_calls(s);
	(void)remote_return(&s->remote);
}

static void die_holding(void *ctx)
{
	struct shared *const s = ctx;

	if (remote_borrow(&s->remote, 5000) == 0)
		make_calls(s);
	kill(getpid(), SIGKILL);
}

static void test_parent_dies(void **state)
{
	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int calls = 1; calls < 4; calls++) {
		struct target child = target_start();
		struct shared *const s = shared_of(&child);
		int status;

		s->calls = calls;

		const pid_t killed = fork();

		if (killed == 0)
			_exit(supervise(&s->remote, outlive, s) == 0);
		while (!s->holds && waitpid(killed, &status, WNOHANG) == 0)
			sched_yield();
		assert_int_equal(kill(killed, SIGKILL), 0);
		assert_int_equal(waitpid(killed, &status, 0), killed);
		assert_true(WIFSIGNALED(status));
		/* The guard is ours now: it ends when its work is done. */
		assert_true(waitpid(-1, &status, 0) > 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(s->orphaned, 1);
		assert_int_equal(s->results, 2 * calls);
		assert_int_equal(s->remote.phase, REMOTE_FREE);
		target_answers(&child);
		shared_end(s);
		target_end(&child);
	}
}

static void test_guard_dies(void **state)
{
	(void)state;
	for (int calls = 0; calls < 3; calls++) {
		struct target child = target_start();
		struct shared *const s = shared_of(&child);

		s->calls = calls;
		assert_int_equal(supervise(&s->remote, die_holding, s), -EOWNERDEAD);
		assert_int_equal(s->results, calls);
		assert_int_equal(s->remote.phase, REMOTE_FREE);
		target_answers(&child);
		shared_end(s);
		target_end(&child);
	}
}

static void note(void *ctx)
{
	*(_Atomic int *)ctx = supervise_orphaned() ? 2 : 1;
}

static void test_quiet_end(void **state)
{
	struct shared *const s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_int_equal(supervise(&s->remote, note, &s->results), 0);
	assert_int_equal(s->results, 1);
	munmap(s, sizeof(*s));
}

TEST_MAIN(cmocka_unit_test(test_parent_dies), cmocka_unit_test(test_guard_dies), cmocka_unit_test(test_quiet_end))
