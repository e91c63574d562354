/* eager.c: who uses little goes first, who uses much does not, and what is started in between is as it would have been. */
#include "commands/eager.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND 1000000000ULL

static void who_uses_much_waits(void **state)
{
	(void)state;
	assert_true(eager_fits(true, SECOND / 10, SECOND));
	assert_true(eager_fits(true, SECOND / 3, SECOND));
	assert_false(eager_fits(true, SECOND / 2, SECOND));
	/* Not back and forth. */
	assert_false(eager_fits(false, SECOND / 3, SECOND));
	assert_true(eager_fits(false, SECOND / 5, SECOND));
}

static void children_do_not_inherit(void **state)
{
	const int before = getpriority(PRIO_PROCESS, 0);
	struct eager e;
	int status = 0;

	(void)state;
	eager_start(&e);

	const int after = getpriority(PRIO_PROCESS, 0);
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(getpriority(PRIO_PROCESS, 0) < 0 ? 1 : 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	print_message("nice %d, then %d\n", before, after);
	assert_true(after <= before);
	if (geteuid() == 0)
		assert_true(after < before || before == -20);
	if (before >= 0)
		assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_look_too_soon_changes_nothing(void **state)
{
	struct eager e;

	(void)state;
	eager_start(&e);

	const struct eager before = e;

	eager_look(&e);
	assert_true(e.at_ns == before.at_ns && e.ahead);
	/* A second ago nothing was used of it: we stay ahead. One in which all was used: no more. */
	e.at_ns -= SECOND;
	eager_look(&e);
	assert_true(e.ahead);
	e.at_ns -= SECOND;
	e.cpu_ns -= SECOND;
	eager_look(&e);
	assert_false(e.ahead);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_uses_much_waits),
		cmocka_unit_test(children_do_not_inherit),
		cmocka_unit_test(a_look_too_soon_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
