/* slots.c: losses lie where the sequence shows them, a corrupt ring is skipped and counted, captured bytes are wiped. */
#include "ingest/session.h"

static void loss_is_told_between_its_neighbours(void **state)
{
	struct fixture *f = open_session(WIRE_RING_BYTES_MIN);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());
	uint32_t put = 0, lost = 0;

	(void)state;
	for (uint32_t i = 0; i < WIRE_RING_BYTES_MIN / WIRE_UNIT + 10; i++) {
		struct wire_record r = producer_record(&p, WIRE_LISTEN, 0);

		if (producer_put(&p, &r, NULL, NULL, NULL))
			put++;
		else
			lost++;
	}
	assert_int_equal(put, WIRE_RING_BYTES_MIN / WIRE_UNIT);
	assert_int_equal(lost, 10);
	poll_session(f, false);
	assert_int_equal(f->counters.published, put);

	struct wire_record r = producer_record(&p, WIRE_LISTEN, 5);

	assert_true(producer_put(&p, &r, NULL, NULL, NULL));
	poll_session(f, true);
	assert_int_equal(f->seen.losses, 1);
	assert_int_equal(f->seen.lost[WIRE_LOSS_RING_FULL], lost);
	assert_int_equal(f->seen.last.id, WIRE_LISTEN);
	close_session(f);
}

static void corrupt_ring_is_skipped_and_counted(void **state)
{
	struct fixture *f = open_session(WIRE_RING_BYTES_MIN);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());
	struct wire_record r = producer_record(&p, WIRE_LISTEN, 0), bad = r, after = r;

	(void)state;
	assert_true(producer_put(&p, &r, NULL, NULL, NULL));
	bad.data_len = 0;
	assert_true(producer_put(&p, &bad, NULL, NULL, NULL));
	((struct wire_record *)p.ring.bytes)[1].units = 999;
	assert_true(producer_put(&p, &bad, NULL, NULL, NULL));
	poll_session(f, false);
	assert_int_equal(f->counters.published, 1);
	assert_int_equal(f->counters.lost[WIRE_LOSS_CORRUPT], 2);
	assert_true(producer_put(&p, &after, NULL, NULL, NULL));
	poll_session(f, true);
	assert_int_equal(f->counters.published, 2);
	assert_int_equal(f->counters.lost[WIRE_LOSS_CORRUPT], 2);
	assert_int_equal(f->seen.lost[WIRE_LOSS_CORRUPT], 2);
	close_session(f);
}

static void wild_head_is_skipped(void **state)
{
	struct fixture *f = open_session(WIRE_RING_BYTES_MIN);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());

	(void)state;
	atomic_store(&p.thread->head, UINT64_MAX / 2 + 7);
	poll_session(f, true);
	assert_true(f->counters.lost[WIRE_LOSS_CORRUPT] >= 1);
	assert_int_equal(atomic_load(&p.thread->tail), UINT64_MAX / 2 + 7);
	close_session(f);
}

static void captured_bytes_are_wiped(void **state)
{
	static const char secret[] = "password=hunter2-hunter2-hunter2";
	struct fixture *f = open_session(WIRE_RING_BYTES_MIN);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());

	(void)state;
	/* More than once around, so that a record wraps. */
	for (int i = 0; i < 100; i++) {
		struct wire_record r = producer_record(&p, WIRE_STDIO, 1);

		r.data_len = sizeof(secret);
		r.a0 = sizeof(secret);
		assert_true(producer_put(&p, &r, secret, NULL, NULL));
		poll_session(f, false);
		assert_null(memmem(p.ring.bytes, WIRE_RING_BYTES_MIN, "hunter2", 7));
	}
	close_session(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loss_is_told_between_its_neighbours),
		cmocka_unit_test(corrupt_ring_is_skipped_and_counted),
		cmocka_unit_test(wild_head_is_skipped),
		cmocka_unit_test(captured_bytes_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
