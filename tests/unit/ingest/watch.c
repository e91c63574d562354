/* watch.c: processes that die without a word, and programs that take over a pid. */
#include <sys/wait.h>

#include "ingest/session.h"

static void killed_process_is_drained_and_told(void **state)
{
	struct fixture *f = open_session(0);
	const pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());
		struct wire_record r = producer_record(&p, WIRE_LISTEN, 3);

		producer_put(&p, &r, NULL, NULL, NULL);
		_exit(0); /* leaves its slots as they are, like a process that is killed */
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	poll_session(f, true);
	assert_int_equal(f->counters.published, 1);
	assert_int_equal(f->seen.n, 2);
	assert_int_equal(f->seen.last.id, WIRE_PROCESS_GONE);
	assert_int_equal(f->seen.last.pid, child);
	assert_int_equal(atomic_load(&wire_process_at(f->shared, 0)->state), WIRE_SLOT_FREE);
	assert_int_equal(atomic_load(&wire_thread_at(f->shared, 0)->state), WIRE_SLOT_FREE);
	assert_int_equal(ingest_live(f->in), 0);
	close_session(f);
}

static void new_image_of_a_pid_replaces_the_old_one(void **state)
{
	struct fixture *f = open_session(0);
	struct producer old = producer_open(f->shared, 0, 0, own_pid(), own_tid());
	struct wire_record r = producer_record(&old, WIRE_PROCESS_START, -1);

	(void)state;
	assert_int_equal(ingest_live(f->in), 1);
	assert_true(producer_put(&old, &r, NULL, NULL, NULL));
	r = producer_record(&old, WIRE_EXEC, -1);
	assert_true(producer_put(&old, &r, NULL, NULL, NULL));

	struct producer new = producer_open(f->shared, 1, 1, own_pid(), own_tid());

	r = producer_record(&new, WIRE_PROCESS_START, -1);
	assert_true(producer_put(&new, &r, NULL, NULL, NULL));
	poll_session(f, true);
	assert_int_equal(f->seen.last.id, WIRE_PROCESS_START);
	poll_session(f, true);
	poll_session(f, true);
	assert_int_equal(atomic_load(&wire_process_at(f->shared, 0)->state), WIRE_SLOT_FREE);
	assert_int_equal(atomic_load(&wire_thread_at(f->shared, 0)->state), WIRE_SLOT_FREE);
	assert_int_equal(atomic_load(&wire_process_at(f->shared, 1)->state), WIRE_SLOT_LIVE);
	assert_int_equal(f->seen.gone, 0);
	assert_int_equal(ingest_live(f->in), 1);
	close_session(f);
}

/* All three are read before the first is handed on: each must give way to those after it only. */
static void the_last_of_quick_execs_lives(void **state)
{
	struct fixture *f = open_session(0);

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct producer p = producer_open(f->shared, i, i, own_pid(), own_tid());
		struct wire_record r = producer_record(&p, WIRE_PROCESS_START, -1);

		assert_true(producer_put(&p, &r, NULL, NULL, NULL));
	}
	for (int i = 0; i < 3; i++)
		poll_session(f, true);
	assert_int_equal(atomic_load(&wire_process_at(f->shared, 0)->state), WIRE_SLOT_FREE);
	assert_int_equal(atomic_load(&wire_process_at(f->shared, 1)->state), WIRE_SLOT_FREE);
	assert_int_equal(atomic_load(&wire_process_at(f->shared, 2)->state), WIRE_SLOT_LIVE);
	assert_int_equal(f->seen.gone, 0);
	assert_int_equal(ingest_live(f->in), 1);
	close_session(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_process_is_drained_and_told),
		cmocka_unit_test(new_image_of_a_pid_replaces_the_old_one),
		cmocka_unit_test(the_last_of_quick_execs_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
