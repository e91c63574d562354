/* A child's thread is borrowed, makes calls for us, and never knows. */
#include "attach/remote.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "attach/resident.h"
#include "attach/target.h"

static struct remote *remote_of(const struct target *child, int mode)
{
	struct remote *r = calloc(1, sizeof(*r));
	struct resident there;
	char path[64];

	assert_non_null(r);
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)child->pid);
	r->pid = child->pid;
	r->mem = open(path, mode | O_CLOEXEC);
	for (unsigned int i = 0; i < REMOTE_FDS; i++)
		r->fds[i] = -1;
	assert_int_equal(resident_find(child->pid, r->mem, NULL, 0, &there), 0);
	assert_int_equal(remote_find_libc(r->mem, there.libc, &r->libc), 0);
	return r;
}

static void borrowed(int mode)
{
	struct target child = target_start();
	struct remote *r = remote_of(&child, mode);

	for (int i = 0; i < 20; i++) {
		assert_int_equal(remote_borrow(r, 5000), 0);
		assert_int_equal(remote_syscall(r, SYS_getpid, (const uint64_t[6]){0}), child.pid);
		assert_int_equal(remote_syscall(r, SYS_close, (const uint64_t[6]){9999}), -EBADF);

		const int64_t map = remote_syscall(
			r, SYS_mmap,
			(const uint64_t[6]){0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0});

		assert_true(map > 0);
		r->stack = (uint64_t)map;
		r->stack_bytes = 65536;
		r->fds[0] = (int32_t)remote_syscall(r, SYS_dup, (const uint64_t[6]){0});
		assert_true(r->fds[0] > 2);
		assert_int_equal(remote_return(r), 0);
		assert_int_equal(r->fds[0], -1);
		assert_int_equal(r->stack, 0);
		target_answers(&child);
	}
	close(r->mem);
	free(r);
	target_end(&child);
}

static void test_borrowed(void **state)
{
	(void)state;
	borrowed(O_RDWR);
	borrowed(O_RDONLY); /* of another user, without CAP_DAC_OVERRIDE */
}

/* A call that crashes is our failure, not the target's end. */
static void test_crash(void **state)
{
	struct target child = target_start();
	struct remote *r = remote_of(&child, O_RDWR);

	(void)state;
	assert_int_equal(remote_borrow(r, 5000), 0);
	r->stack = (uint64_t)remote_syscall(
		r, SYS_mmap, (const uint64_t[6]){0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0});
	r->stack_bytes = 65536;
	assert_int_equal(remote_call(r, 0x10, 0, 0), -EFAULT);
	assert_int_equal(remote_return(r), 0);
	target_answers(&child);
	close(r->mem);
	free(r);
	target_end(&child);
}

static void test_gone(void **state)
{
	struct remote *r = calloc(1, sizeof(*r));

	(void)state;
	r->pid = 3999999;
	assert_int_equal(remote_borrow(r, 100), -ESRCH);
	free(r);
}

TEST_MAIN(cmocka_unit_test(test_borrowed), cmocka_unit_test(test_crash), cmocka_unit_test(test_gone))
