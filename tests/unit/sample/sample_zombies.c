/* sample_zombies.c: children that ended and were not waited for, of any thread. */
#include <signal.h>
#include <sys/wait.h>

#include "sample/root.h"

static void test_counts(void **state)
{
	struct root *r = root_make();

	(void)state;
	sample_zombies(r->s, PID); /* it is not there */
	root_file(r, "/proc/77/task/77/children", "");
	sample_zombies(r->s, PID);
	assert_int_equal(r->n, 0);
	root_file(r, "/proc/77/task/77/children", "80 81 82 83 ");
	root_file(r, "/proc/77/task/79/children", "84 ");
	root_file(r, "/proc/80/stat", "80 (a) Z (b) S 77 ");
	root_file(r, "/proc/81/stat", "81 (sh) Z 77 ");
	root_file(r, "/proc/82/stat", "82 (Z) R 77 ");
	root_file(r, "/proc/84/stat", "84 (x) Z 77 ");
	sample_zombies(r->s, PID);
	const struct told *t = root_told(r, WIRE_SAMPLE_ZOMBIES, 0);
	assert_non_null(t);
	assert_int_equal(t->e.pid, PID);
	assert_int_equal(t->e.a0, 2);
	root_done(r);
}

/* As the kernel says it. */
static void test_real(void **state)
{
	struct root *r = root_of("");
	siginfo_t info;
	const pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	sample_zombies(r->s, (uint32_t)getpid());
	assert_int_equal(r->n, 1);
	assert_int_equal(r->told[0].e.a0, 1);
	assert_int_equal(waitpid(child, NULL, 0), child);
	sample_zombies(r->s, (uint32_t)getpid());
	assert_int_equal(r->n, 1);
	root_done(r);
}

TEST_MAIN(cmocka_unit_test(test_counts), cmocka_unit_test(test_real))
