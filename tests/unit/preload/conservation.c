/*
 * Nothing disappears: what the rings published and what was counted lost add up to the calls that were made, also when the reader
 * is far too slow. load.c makes the calls; a run with N = 0 tells what everything around them publishes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "preload/session_file.h"

#define SMALL_RING 8192U
#define THREADS 6
#define PER_THREAD 2 /* THREAD_START and THREAD_EXIT */

struct outcome {
	uint64_t total, published, lost, read, corrupt;
	long calls;
};

static struct outcome run(const char *n, uint32_t ring_bytes, bool slow)
{
	struct session_file s;
	struct outcome o = {0};
	char text[32] = "";
	int out[2];
	int status;
	pid_t pid;

	assert_int_equal(session_open(&s, 8, 32, ring_bytes), 0);
	atomic_store(&s.header->stacks, 1);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(out[1], 1);
		close(out[0]);
		close(out[1]);
		setenv("LD_PRELOAD", GS_SHIM, 1);
		setenv(WIRE_ENV_SESSION, s.path, 1);
		execl(GS_LOAD, GS_LOAD, n, NULL);
		_exit(127);
	}
	close(out[1]);
	/* A slow reader begins when something was lost, and takes one ring's content each time it looks, so that rings are full nearly always. */
	for (uint32_t i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
		session_beat(&s);
		if (!slow)
			session_drain(&s);
		else if (session_lost(&s, WIRE_LOSS_CAUSES) > 0)
			session_drain_one(&s, i % s.header->thread_max);
	}
	assert_int_equal(status, 0);
	session_drain(&s);
	assert_true(read(out[0], text, sizeof(text) - 1) > 0);
	close(out[0]);
	o.calls = atol(text);
	o.published = session_published(&s);
	o.lost = session_lost(&s, WIRE_LOSS_CAUSES);
	o.total = o.published + o.lost;
	o.read = s.records;
	o.corrupt = s.corrupt;
	session_close(&s);
	return o;
}

static void balance(const char *n, uint32_t ring_bytes, bool slow, bool loss_expected)
{
	const struct outcome none = run("0", ring_bytes, false);
	const struct outcome all = run(n, ring_bytes, slow);

	/* With N = 0 the threads make no hooked call and take no ring. */
	const uint64_t around = none.total + THREADS * PER_THREAD;

	print_message("%ld calls: %llu published, %llu lost, %llu around them\n", all.calls, (unsigned long long)all.published,
		      (unsigned long long)all.lost, (unsigned long long)around);
	assert_int_equal(none.calls, 0);
	assert_int_equal(all.corrupt, 0);
	assert_int_equal(all.read, all.published);
	assert_int_equal(all.total - around, all.calls);
	assert_int_equal(all.lost > 0, loss_expected);
}

static void test_roomy(void **state)
{
	(void)state;
	balance("20", 1U << 22, false, false);
}

static void test_saturated(void **state)
{
	(void)state;
	balance("3000", SMALL_RING, true, true);
}

static void test_smallest_ring(void **state)
{
	(void)state;
	balance("500", WIRE_RING_BYTES_MIN, true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roomy),
		cmocka_unit_test(test_saturated),
		cmocka_unit_test(test_smallest_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
