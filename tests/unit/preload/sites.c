/* Every call site of a program sends its stack with its first call, however many there are and wherever the loader puts them. */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "preload/many_sites.h"
#include "preload/session_file.h"

#define RUNS 5 /* with other addresses each time */

struct seen {
	unsigned int calls, stacks;
};

static void each(void *ctx, const struct wire_thread *thread, const struct wire_record *r, const uint8_t *data)
{
	struct seen *s = ctx;

	(void)thread;
	(void)data;
	s->calls += r->event == WIRE_SHUTDOWN;
	s->stacks += r->event == WIRE_SHUTDOWN && (r->flags & WIRE_F_STACK) != 0;
}

static void test_each_has_a_stack(void **state)
{
	(void)state;
	for (int run = 0; run < RUNS; run++) {
		struct seen seen = {0};
		struct session_file session;
		int status;
		pid_t pid;

		assert_int_equal(session_open(&session, 8, 8, 1U << 22), 0);
		atomic_store(&session.header->stacks, 1);
		session.each = each;
		session.ctx = &seen;
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			setenv("LD_PRELOAD", GS_SHIM, 1);
			setenv(WIRE_ENV_SESSION, session.path, 1);
			execl(GS_SITES, GS_SITES, NULL);
			_exit(127);
		}
		while (waitpid(pid, &status, WNOHANG) == 0)
			session_drain(&session);
		assert_int_equal(status, 0);
		session_drain(&session);
		assert_int_equal(session_lost(&session, WIRE_LOSS_CAUSES), 0);
		assert_int_equal(seen.calls, SITES);
		assert_int_equal(seen.stacks, SITES);
		session_close(&session);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_has_a_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
