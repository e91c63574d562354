/* trim.c: slow threads' rings are held by little memory though their producers walk through all of them, but a few, which are to have no page
 * faults; records stay what they were. */
#include <sys/stat.h>

#include "ingest/internal.h"
#include "ingest/session.h"
#include "ingest/trim.h"

#define RING (4U << 20)
#define PUT_BYTES 1024U

/* Memory that the session's file holds. */
static uint64_t used_bytes(const struct fixture *f)
{
	struct stat st;

	assert_int_equal(fstat(ingest_fd(f->in), &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

#define RECORD_BYTES (PUT_BYTES + WIRE_UNIT)

static void put(struct producer *p)
{
	static const uint8_t data[PUT_BYTES];
	struct wire_record r = producer_record(p, WIRE_SLEEP, (int)(p->thread - wire_thread_at(p->shared, 0)));

	r.a0 = p->thread->seq;
	r.data_len = PUT_BYTES;
	assert_true(producer_put(p, &r, data, NULL, NULL));
}

static void whole_ring_is_room(void **state)
{
	struct fixture *f = open_session(RING);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());

	(void)state;
	for (int round = 0; round < 5; round++) {
		/* What the reader may hold back is missing: a quarter at most. */
		for (uint64_t at = 0; at + RECORD_BYTES <= RING / 4 * 3; at += RECORD_BYTES)
			put(&p);
		slots_read(f->in);
	}
	close_session(f);
}

/* The reader looks after each `burst_bytes`; its clock goes on by `step_ns` each time. Returns the most memory that was added by it. */
static uint64_t walk_round(struct fixture *f, struct producer *p, uint64_t burst_bytes, uint64_t step_ns)
{
	const uint64_t before = used_bytes(f);
	uint64_t most = 0, since = 0;

	for (uint64_t at = 0; at < 3 * (uint64_t)RING; at += RECORD_BYTES) {
		put(p);
		since += RECORD_BYTES;
		if (since < burst_bytes)
			continue;
		since = 0;
		if (used_bytes(f) - before > most)
			most = used_bytes(f) - before;
		f->in->now_ns += step_ns;
		slots_read(f->in);
	}
	print_message("%llu KiB used of a ring of %u KiB\n", (unsigned long long)most >> 10, RING >> 10);
	return most;
}

static void slow_rings_hold_little(void **state)
{
	struct fixture *f = open_session(RING);
	struct producer p[THREADS];

	(void)state;
	assert_true(TRIM_KEEP_BYTES / RING < THREADS);
	/* All but a few. */
	for (uint32_t i = 0; i < THREADS; i++) {
		const bool keeps = i < TRIM_KEEP_BYTES / RING;

		p[i] = producer_open(f->shared, 0, i, own_pid(), own_tid());
		assert_int_equal(walk_round(f, &p[i], 16384, 100000000) < RING / 8, !keeps);
		assert_int_equal(f->in->keeping, keeps ? i + 1 : TRIM_KEEP_BYTES / RING);
	}
	/* Who ends leaves the place to another. */
	producer_close(&p[0]);
	poll_session(f, true);
	assert_int_equal(f->in->keeping, TRIM_KEEP_BYTES / RING - 1);
	assert_true(walk_round(f, &p[THREADS - 1], 16384, 100000000) > RING / 2);
	assert_int_equal(f->in->keeping, TRIM_KEEP_BYTES / RING);
	close_session(f);
}

static void fast_ring_keeps_its_pages(void **state)
{
	struct fixture *f = open_session(RING);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());

	(void)state;
	assert_true(walk_round(f, &p, 65536, 1000000) > RING / 2);
	assert_int_equal(f->in->keeping, 0);
	close_session(f);
}

static void ring_of_a_thread_that_ended_is_given_up(void **state)
{
	struct fixture *f = open_session(RING);
	const uint64_t before = used_bytes(f);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());

	(void)state;
	for (uint64_t at = 0; at < RING / 2; at += RECORD_BYTES)
		put(&p);
	assert_true(used_bytes(f) - before > RING / 4);
	producer_close(&p);
	poll_session(f, true);
	assert_int_equal(atomic_load(&p.thread->state), WIRE_SLOT_FREE);
	assert_true(used_bytes(f) - before < RING / 8);
	p = producer_open(f->shared, 0, 0, own_pid(), own_tid());
	put(&p);
	poll_session(f, true);
	assert_int_equal(f->counters.lost[WIRE_LOSS_CORRUPT], 0);
	close_session(f);
}

static void no_copy_stays(void **state)
{
	static const char word[] = "captured bytes";
	struct fixture *f = open_session(RING);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());
	uint8_t data[700];

	(void)state;
	for (size_t at = 0; at < sizeof(data); at++)
		data[at] = (uint8_t)word[at % (sizeof(word) - 1)];
	for (uint32_t len = 20; len < sizeof(data); len += 7) {
		struct wire_record r = producer_record(&p, WIRE_SLEEP, 0);

		r.data_len = len;
		assert_true(producer_put(&p, &r, data, NULL, NULL));
		r = producer_record(&p, WIRE_SLEEP, 0);
		assert_true(producer_put(&p, &r, NULL, NULL, NULL));
	}
	assert_non_null(memmem(wire_ring_at(f->shared, 0), RING, word, sizeof(word) - 1));
	assert_int_not_equal(slots_read(f->in), 0);
	assert_null(memmem(wire_ring_at(f->shared, 0), RING, word, 8));
	close_session(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_ring_is_room),
		cmocka_unit_test(no_copy_stays),
		cmocka_unit_test(slow_rings_hold_little),
		cmocka_unit_test(fast_ring_keeps_its_pages),
		cmocka_unit_test(ring_of_a_thread_that_ended_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
