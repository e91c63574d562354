/* What an interrupted system call becomes when it is made again. */
#include "attach/regs.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "test.h"

static struct user_regs_struct after(int64_t result)
{
	struct user_regs_struct g = {.orig_rax = SYS_epoll_wait, .rax = (uint64_t)result, .rip = 0x1002};

	regs_rewind(&g);
	return g;
}

static void test_made_again(void **state)
{
	static const int codes[] = {-EINTR, -ENOSYS, -512, -513, -514};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		const struct user_regs_struct g = after(codes[i]);

		assert_int_equal(g.rip, 0x1000);
		assert_int_equal(g.rax, SYS_epoll_wait);
		assert_false(regs_in_syscall(&g));
	}
}

static void test_goes_on_waiting(void **state)
{
	const struct user_regs_struct g = after(-516);

	(void)state;
	assert_int_equal(g.rip, 0x1000);
	assert_int_equal(g.rax, SYS_restart_syscall);
}

static void test_has_a_result(void **state)
{
	struct user_regs_struct g = after(3);

	(void)state;
	assert_int_equal(g.rip, 0x1002);
	assert_int_equal(g.rax, 3);
	g = (struct user_regs_struct){.orig_rax = UINT64_MAX, .rax = (uint64_t)-EINTR, .rip = 0x1002};
	regs_rewind(&g);
	assert_int_equal(g.rip, 0x1002); /* not in a system call at all */
}

static void test_nobody_there(void **state)
{
	struct user_regs_struct g;

	(void)state;
	assert_int_equal(regs_get(3999999, &g), -ESRCH);
	assert_int_equal(regs_set_mask(3999999, 0), -ESRCH);
}

TEST_MAIN(cmocka_unit_test(test_made_again), cmocka_unit_test(test_goes_on_waiting), cmocka_unit_test(test_has_a_result),
	  cmocka_unit_test(test_nobody_there))
